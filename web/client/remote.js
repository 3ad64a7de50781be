// The program over messages: from the worker that runs it to the window, and from there to other tabs. Nothing that is passed has to
// be a port, which tabs can't hand to each other: what is begun is known by an ID, and news are told by messages { tell, value }.

import { transfer, wrap } from 'comlink';

import { ClientError } from './client-error.js';
import { abortable, Ending } from './ending.js';
import { reader } from './streams.js';

// offer returns the functions that remote calls, for comlink to expose. IDs are those of the other side.
export function offer(program) {
  const begun = new Map(); // ID -> { giveUp, stream, body }

  const at = (id) => begun.get(id) ?? fail(new ClientError('closed', 'the connection is closed'));

  async function begin(id, start) {
    const it = { giveUp: new AbortController() };
    begun.set(id, it);
    try {
      const { read, write, closeWrite, close, ...head } = await start(it.giveUp.signal, it);
      if (close) it.stream = { read, write, closeWrite, close };
      else begun.delete(id);
      return head;
    } catch (error) {
      begun.delete(id);
      throw error;
    }
  }

  function end(id) {
    const { giveUp, stream, body } = begun.get(id) ?? {};
    begun.delete(id);
    giveUp?.abort();
    stream?.close();
    body?.abort().catch(() => {});
  }

  return coded({
    request: (id, request, upload) => begin(id, (signal, it) => {
      if (!upload) return program.request(request, { signal });
      const { readable, writable } = new TransformStream(); // what is sent waits there until the program asks for it
      it.body = writable.getWriter();
      it.body.closed.catch(() => {}); // who sends is told
      return program.request({ ...request, read: reader(readable).read }, { signal });
    }),
    connect: (id, address) => begin(id, (signal) => program.connect(address, { signal })),
    ping: (id, host) => begin(id, (signal) => program.ping(host, { signal })),
    read: async (id) => moved(await at(id).stream.read()),
    write: (id, bytes) => at(id).stream.write(bytes),
    closeWrite: (id) => at(id).stream.closeWrite(),
    send: (id, bytes) => (bytes ? at(id).body.write(bytes) : at(id).body.close()),
    breakOff: (id, message) => at(id).body.abort(new Error(message)),
    end,
    endAll: () => [...begun.keys()].forEach(end),
    login: () => program.login(),
    retry: () => program.retry(),
    logout: () => program.logout(),
  });
}

// coded has the code of an error reach the other side, which is told no more of an Error than its message.
export const coded = (functions) => Object.fromEntries(Object.entries(functions).map(([name, f]) => [name, async (...args) => {
  try {
    return await f(...args);
  } catch ({ code, message }) {
    throw { code, message };
  }
}]));

const fail = (error) => {
  throw error;
};

// remote returns the program at the other side of an endpoint, and ask, which calls any function there. All fail once ending has.
export function remote(endpoint, ending = new Ending()) {
  const far = wrap(endpoint);
  const ask = (name, ...args) => ending.before(far[name](...args)).catch((error) => Promise.reject(revived(error)));
  const tell = (name, ...args) => ask(name, ...args).catch(() => {}); // if it is gone, so is what this is about
  let ids = 0;

  async function begin(signal, start) {
    signal?.throwIfAborted();
    const id = ++ids;
    return { id, head: await abortable(start(id), signal, () => tell('end', id)) };
  }

  const stream = ({ id, head }) => ({
    ...head,
    read: () => ask('read', id),
    write: (bytes) => ask('write', id, bytes),
    closeWrite: () => ask('closeWrite', id),
    close: () => tell('end', id),
  });

  // send sends a request's body as fast as the program asks for it.
  async function send(id, read) {
    try {
      for (let bytes; bytes !== null;) {
        bytes = await read();
        await ask('send', id, moved(bytes));
      }
    } catch ({ message }) {
      tell('breakOff', id, message);
    }
  }

  return {
    ask,
    request: async ({ read, ...request }, { signal } = {}) => stream(await begin(signal, (id) => {
      const answer = ask('request', id, request, Boolean(read));
      if (read) send(id, read);
      return answer;
    })),
    connect: async (address, { signal } = {}) => stream(await begin(signal, (id) => ask('connect', id, address))),
    ping: async (host, { signal } = {}) => (await begin(signal, (id) => ask('ping', id, host))).head,
    login: () => tell('login'),
    retry: () => tell('retry'),
    logout: () => ask('logout'),
  };
}

// moved hands bytes on without a copy, if they are all of their buffer.
const moved = (bytes) => (bytes && bytes.byteLength === bytes.buffer.byteLength ? transfer(bytes, [bytes.buffer]) : bytes);

// revived returns an error of the other side with its class.
const revived = (error) => (error instanceof Error ? error : new ClientError(error.code ?? 'failed', error.message));
