// A reverse proxy in front of a server, for all of it or with control under a path, with or without TLS.

import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';

// startProxy serves what is at origin. Control is under path, and only there. With tls, key and cert, it serves https.
// It resolves to { origin, close }.
export async function startProxy(origin, { path = '/', tls } = {}) {
  const target = new URL(origin);
  const control = /^\/(key|ts2021)\b/;
  const serve = (request, response) => {
    const to = forwarded(request);
    if (to) http.request(to, (answer) => pass(answer, response)).on('error', () => response.destroy()).end();
    else response.writeHead(404).end();
  };
  const pass = (answer, response) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  };
  // forwarded returns the request for the server: control's without the path. As its own page does it: it refuses others.
  const forwarded = ({ method, url, headers }) => {
    if (path !== '/' && control.test(url)) return undefined;
    const { origin: _, ...others } = headers;
    const below = url.startsWith(path) ? url.slice(path.length - 1) : url;
    return { host: target.hostname, port: target.port, method, path: below, headers: { ...others, host: target.host } };
  };
  const server = tls ? https.createServer(tls, serve) : http.createServer(serve);
  const sockets = new Set();
  server.on('connection', (socket) => sockets.add(socket.on('close', () => sockets.delete(socket))));
  server.on('upgrade', (request, socket, head) => {
    const to = forwarded(request);
    if (!to) {
      socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
      return;
    }
    http.request(to).on('upgrade', ({ headers }, upstream, first) => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
      socket.write(first);
      upstream.write(head);
      upstream.on('error', () => socket.destroy()).on('close', () => socket.destroy()).pipe(socket);
      socket.on('error', () => upstream.destroy()).on('close', () => upstream.destroy()).pipe(upstream);
    }).on('response', () => socket.destroy()).on('error', () => socket.destroy()).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
