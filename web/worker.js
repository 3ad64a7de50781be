// The entry of a worker in which caches run: openCache connects to it. It takes notice of
// no other messages, so that a worker may import it beside its own work.

import { runGo } from './go.js';

addEventListener('message', ({ data, ports: [port] }) => {
  if (data?.netmapcache) serve(data.netmapcache, port);
});

// serve runs the program for the page at the other end of port. Messages are arrays of a name and arguments.
async function serve(module, port) {
  const send = (...message) => port.postMessage(message);
  const sendWithCause = (cause, ...message) => {
    try {
      send(...message, cause);
    } catch {
      send(...message); // it can't be cloned
    }
  };
  const now = () => performance.timeOrigin + performance.now();
  try {
    const program = await runGo(module, {
      part: (...args) => send('part', ...args),
      resolve: (...args) => send('resolve', ...args),
      reject: (id, code, message, cause) => sendWithCause(cause, 'reject', id, code, message),
      changed: (...args) => send('changed', ...args),
      loaded: (read, decode) => send('loaded', read, decode, now()),
      end: (message, cause) => sendWithCause(cause, 'end', message),
    });
    port.onmessage = ({ data: [name, ...args] }) => program[name](...args);
    send('ready');
  } catch (cause) {
    sendWithCause(cause, 'failed', cause.message);
  }
}
