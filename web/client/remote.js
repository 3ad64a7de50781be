// The program over messages: from the worker that runs it to the window, and from there to other tabs. Nothing that is passed has to
// be a port, which tabs can't hand to each other: what is begun is known by an ID, and news are told by messages { tell, value }.

import { transfer, wrap } from 'comlink';

import { ClientError } from './client-error.js';
import { abortable, Ending } from './ending.js';

// offer returns the functions that remote calls, for comlink to expose. IDs are those of the other side.
export function offer(program) {
  const begun = new Map(); // ID -> { giveUp, stream, sent }

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
      end(id);
      throw error;
    }
  }

  function end(id) {
    const { giveUp, stream, sent } = begun.get(id) ?? {};
    begun.delete(id);
    giveUp?.abort();
    stream?.close();
    sent?.end();
  }

  return coded({
    request: (id, request, upload) => begin(id, (signal, it) => {
      if (upload) it.sent = new Sent(upload.size);
      return program.request({ ...request, body: it.sent }, { signal });
    }),
    connect: (id, address) => begin(id, (signal) => program.connect(address, { signal })),
    ping: (id, host) => begin(id, (signal) => program.ping(host, { signal })),
    read: async (id) => moved(await at(id).stream.read()),
    write: (id, bytes) => at(id).stream.write(bytes),
    closeWrite: (id) => at(id).stream.closeWrite(),
    send: (id, attempt, bytes, problem) => begun.get(id)?.sent.take(attempt, bytes, problem),
    end,
    endAll: () => [...begun.keys()].forEach(end),
    login: () => program.login(),
    retry: () => program.retry(),
    logout: () => program.logout(),
  });
}

// A Sent is the body of a request, which the other side sends piece by piece: see body in program.d.ts. It sends the next piece when
// the program asks for one, and begins anew when that is of a later attempt.
class Sent {
  #attempt = 0; // that the program reads
  #asked; // what settles the program's call: { resolve, reject }
  #piece; // that has come and wasn't asked for yet: { attempt, bytes, problem, next }
  #ended = false;

  constructor(size) {
    this.size = size;
  }

  read(attempt) {
    this.#attempt = attempt;
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#pass();
    });
  }

  // cancel ends what the program waits for, if that is of this attempt. A later one may begin.
  cancel(attempt) {
    if (attempt === this.#attempt) this.#asked?.reject(new ClientError('closed', 'the request has ended'));
  }

  end() {
    this.#ended = true;
    this.cancel(this.#attempt);
    this.#piece?.next(undefined);
  }

  // take takes a piece, which is null at the end of an attempt. It resolves to the attempt of which the next piece is wanted, or to undefined if
  // none is any more.
  take(attempt, bytes, problem) {
    return new Promise((next) => {
      if (this.#ended) next(undefined);
      this.#piece = { attempt, bytes, problem, next };
      this.#pass();
    });
  }

  #pass() {
    if (!this.#asked || !this.#piece || this.#ended) return;
    const { attempt, bytes, problem, next } = this.#piece;
    if (attempt < this.#attempt) {
      this.#piece = undefined;
      next(this.#attempt);
      return;
    }
    const { resolve, reject } = this.#asked;
    this.#asked = undefined;
    if (problem) reject(new Error(problem));
    else resolve(bytes);
    if (!bytes) return; // another attempt may come: the end is told again then
    this.#piece = undefined;
    next(attempt);
  }
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
    write: (bytes) => ask('write', id, copied(bytes)),
    closeWrite: () => ask('closeWrite', id),
    close: () => tell('end', id),
  });

  // send sends a request's body as fast as the program asks for it, and again if that begins anew.
  async function send(id, body) {
    for (let attempt = 0; attempt !== undefined;) {
      const [bytes, problem] = await body.read(attempt).then((bytes) => [bytes && copied(bytes)], (error) => [null, String(error)]);
      attempt = await ask('send', id, attempt, bytes, problem).catch(() => undefined);
    }
    body.cancel();
  }

  return {
    ask,
    request: async ({ body, ...request }, { signal } = {}) => stream(await begin(signal, (id) => {
      const answer = ask('request', id, request, body && { size: body.size });
      if (body) send(id, body);
      return answer;
    })),
    connect: async (address, { signal } = {}) => stream(await begin(signal, (id) => ask('connect', id, address))),
    ping: async (host, { signal } = {}) => (await begin(signal, (id) => ask('ping', id, host))).head,
    login: () => tell('login'),
    retry: () => tell('retry'),
    logout: () => ask('logout'),
  };
}

// moved hands bytes of the program on without a copy.
const moved = (bytes) => bytes && transfer(bytes, [bytes.buffer]);

// copied hands on a copy of bytes: what the application has stays its own, and the rest of their buffer here.
const copied = (bytes) => moved(bytes.slice());

// revived returns an error of the other side with its class.
const revived = (error) => (error instanceof Error ? error : new ClientError(error.code ?? 'failed', error.message));
