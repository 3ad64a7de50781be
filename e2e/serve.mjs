// Serves files to the browser that the tests drive.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

// serve serves the files of folder on a free port of the loopback interface. routes
// come first: they map a path to a function of request and response.
// It returns the origin, a function that tells how many connections were made, and one that ends the server.
export async function serve(folder, routes = {}) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    try {
      if (routes[pathname]) return await routes[pathname](request, response);
      const body = await readFile(join(folder, normalize(pathname)));
      response.setHeader('Content-Type', types[extname(pathname)] ?? 'application/octet-stream');
      response.end(body);
    } catch (err) {
      response.statusCode = err.code === 'ENOENT' || err.code === 'EISDIR' ? 404 : 500;
      response.end();
    }
  });
  let connections = 0;
  server.on('connection', () => connections++);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    connections: () => connections,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
