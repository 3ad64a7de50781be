// The worker in which the program runs.

import { expose, proxy, releaseProxy, transfer } from 'comlink';

import { startClient } from '../client.js';
import { fetchClient } from '../fetch-client.js';

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
  async request(id, { size, ...request }, upload) {
    const body = upload && { size, read: (attempt) => upload.read(attempt), cancel: (attempt) => upload.cancel(attempt) };
    // What is read while it is given up is answered before that is.
    const release = () => upload?.cancel().finally(() => upload[releaseProxy]());
    try {
      const raw = await begin(id, (signal) => client.request({ ...request, body }, { signal }));
      return passed(raw, release);
    } catch (error) {
      release();
      throw error;
    }
  },
  connect: (id, address) => begin(id, (signal) => client.connect(address, { signal })).then((raw) => passed(raw)),
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

// passed returns what the other side uses something by that was begun, and calls onClose when it closes that.
function passed({ read, write, closeWrite, close, ...head }, onClose = () => {}) {
  return proxy({
    head,
    read: async () => {
      const bytes = await coded(read());
      return bytes && transfer(bytes, [bytes.buffer]);
    },
    write: (bytes) => coded(write(bytes)),
    closeWrite: () => coded(closeWrite()),
    close() {
      close();
      onClose();
    },
  });
}
