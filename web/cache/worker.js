// The entry of a worker in which netmaps are written: Connection connects to it. It takes notice of
// no other messages, so that a worker may import it beside its own work.

import { runGo } from '../go.js';

addEventListener('message', async ({ data, ports: [port] }) => {
  if (data?.netmapcache !== 'connect') return;
  port.onmessage = ({ data: [, module] }) => serve(module, port);
  port.postMessage(await lock());
});

let held; // a promise of the name of a lock that is held as long as this worker lives

// lock returns its name: undefined where the browser has no locks.
function lock() {
  held ??= globalThis.navigator?.locks && new Promise((resolve) => {
    const name = `netmapcache worker ${crypto.randomUUID()}`;
    navigator.locks.request(name, () => {
      resolve(name);
      return new Promise(() => {});
    }).catch(() => resolve(undefined));
  });
  return held;
}

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
  try {
    const program = await runGo(module, {
      resolve: (...args) => send('resolve', ...args),
      reject: (id, code, message, cause) => sendWithCause(cause, 'reject', id, code, message),
      changed: (...args) => send('changed', ...args),
      end: (message, cause) => sendWithCause(cause, 'end', message),
    });
    port.onmessage = ({ data: [name, ...args] }) => program[name](...args);
    send('ready');
  } catch (cause) {
    sendWithCause(cause, 'failed', cause.message);
  }
}
