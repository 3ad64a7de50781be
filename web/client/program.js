// Runs the program of client/cmd/client in this window or worker. Its documentation says what passes between the two, and
// program.d.ts what is offered here.

import { version } from '../cache/package.json';
import { ClientError } from './client-error.js';
import { controlAddress } from './control-address.js';
import { abortable, Ending } from './ending.js';
import { fetchProgram } from './fetch-program.js';
import { dropTimers, privateGlobal } from '../go.js';
import { StreamSocket } from './stream-socket.js';
import loadGo from './wasm_exec.mjs';

export { ClientError, fetchProgram };

export async function startProgram({
  database, controlURL, hostname, maxAge = 0, keepKeys = globalThis.location?.protocol === 'https:',
  authKey = '', acceptRoutes = true, acceptDNS = true, exitNode = '', program = fetchProgram(), onState = () => {}, onEvent = () => {}, verbose = false,
}) {
  if (!keepKeys) await removeKeys(database);
  let commands;
  let end;
  const ending = new Ending();
  const emit = (name, at = now()) => onEvent({ name, at });
  const ended = new Promise((resolve) => (end = (message, code = 'failed') => resolve({ message, code }))).then(({ message, code }) => {
    commands = undefined;
    ending.end(new ClientError('closed', message || 'the client ended'));
    if (message) throw new ClientError(code, message);
  });
  ended.catch(() => {}); // whoever cares listens for itself
  const ready = new Promise((resolve) => {
    const host = {
      version,
      database,
      controlURL: new URL(controlURL).href.replace(/\/+$/, ''),
      hostname,
      maxAge,
      keepKeys,
      authKey,
      acceptRoutes,
      acceptDNS,
      exitNode,
      verbose,
      ready: (given) => resolve((commands = given)),
      // Go is running: what follows may call it only when it has come to rest.
      state: (state) => queueMicrotask(() => commands && onState(state)),
      mark: (name) => {
        const at = now();
        queueMicrotask(() => emit(name, at));
      },
      ended: (message, code) => end(message, code),
    };
    run(host, program, emit).then(() => end('the client ended'), (error) => end(error.message));
  });
  await Promise.race([ready, ended]);

  // settled returns a promise of what a function of the program settles with, unless the program ends before.
  const settled = (call) => ending.before(new Promise((resolve, reject) => {
    call((problem, value) => (problem ? reject(new ClientError(problem.code, problem.message)) : resolve(value)));
  }));

  // begun has the program begin something, which signal gives up.
  async function begun(begin, signal) {
    signal?.throwIfAborted();
    let giveUp;
    return abortable(settled((settle) => (giveUp = begin(settle))).then(stream), signal, () => giveUp?.());
  }

  // stream returns what the program began with functions that return promises. It calls none of the program's after close.
  function stream({ read, write, closeWrite, close, ...rest }) {
    if (!close) return rest;
    let open = true;
    const call = async (f, ...args) => {
      if (!open) throw new ClientError('closed', 'the connection is closed');
      return settled((settle) => f(...args, settle));
    };
    return {
      ...rest,
      read: () => call(read),
      ...(write && { write: (bytes) => call(write, bytes), closeWrite: () => call(closeWrite) }),
      close() {
        if (open && commands) close();
        open = false;
      },
    };
  }

  return {
    news: (whole) => commands?.news(whole) ?? null,
    retry: () => commands?.retry(),
    login: () => commands?.login(),
    logout: () => settled((settle) => commands.logout(settle)),
    request: (request, { signal } = {}) => begun((settle) => commands.request(goRequest(request), settle), signal),
    connect: (address, { signal } = {}) => begun((settle) => commands.connect(address, settle), signal),
    ping: (host, { signal } = {}) => begun((settle) => commands.ping(host, settle), signal),
    stop() {
      commands?.stop();
      return ended;
    },
    ended,
  };
}

export const keysKept = async (database) => (await indexedDB.databases()).some(({ name }) => name === `${database}-keys`);

export async function removeKeys(database) {
  for (const name of [`${database}-keys`, `${database}-seal`]) {
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = () => resolve(undefined);
      request.onerror = () => reject(request.error);
    });
  }
}

const now = () => performance.timeOrigin + performance.now();

async function run(host, program, emit) {
  const { module, fetched, compiled } = await program;
  emit('fetched', fetched);
  emit('compiled', compiled);
  const address = controlAddress(host.controlURL);
  const Go = loadGo(privateGlobal({
    netmapcacheHost: host,
    fetch: (url, init) => fetch(address.fetched(url), init),
    WebSocket: class extends StreamSocket {
      constructor(url, protocols) {
        super(address.socket(url), protocols);
      }
    },
  }));
  const go = new Go();
  const instance = await WebAssembly.instantiate(module, go.importObject);
  await go.run(instance);
  dropTimers(go);
  go._resume = () => {}; // sockets that it had may still call it, which would throw
}

// goRequest returns a request as the program takes it, which no exception may reach.
function goRequest({ body, ...request }) {
  if (!body) return request;
  const read = async (attempt) => body.read(attempt);
  const cancel = async (attempt) => body.cancel(attempt);
  return {
    ...request,
    body: {
      size: body.size,
      read: (attempt, settle) => void read(attempt).then((bytes) => settle(null, bytes), (error) => settle(String(error), null)),
      cancel: (attempt) => void cancel(attempt).catch(() => {}),
    },
  };
}
