// The worker in which the program runs.

import { expose, proxy, transfer } from 'comlink';

import { startClient } from './run.js';
import { fetchClient } from './fetch-client.js';

let client;
const begun = new Map(); // what is under way: ID -> AbortController

expose({
  async start({ wasm, ...options }, onState, onEvent, onProgress) {
    client = await coded(startClient({ ...options, onState, onEvent, program: fetchClient(onProgress, wasm) }));
  },
  ended: () => coded(client.ended),
  news: () => client.news(false),
  login: () => client.login(),
  retry: () => client.retry(),
  logout: () => coded(client.logout()),
  stop: () => client.stop(),
  giveUp: (id) => begun.get(id)?.abort(),
  request: (id, request, read) => begin(id, (signal) => client.request({ ...request, read: read && (() => read()) }, { signal })).then(passed),
  connect: (id, address) => begin(id, (signal) => client.connect(address, { signal })).then(passed),
  ping: (id, host) => begin(id, (signal) => client.ping(host, { signal })),
});

// coded has the code of an error reach the other side, which is told no more of an Error than its message.
const coded = (promise) => promise.catch(({ name, code, message }) => Promise.reject({ name, code, message }));

// begin begins something, which giveUp ends.
async function begin(id, call) {
  const giveUp = new AbortController();
  begun.set(id, giveUp);
  try {
    return await coded(call(giveUp.signal));
  } finally {
    begun.delete(id);
  }
}

// passed returns what the other side uses something by that was begun.
function passed({ read, write, closeWrite, close, ...head }) {
  return proxy({
    head,
    read: async () => {
      const bytes = await coded(read());
      return bytes && transfer(bytes, [bytes.buffer]);
    },
    write: (bytes) => coded(write(bytes)),
    closeWrite: () => coded(closeWrite()),
    close,
  });
}
