// Runs the client: the WebAssembly program of client/cmd/client, which says in its
// documentation what passes between the two.

import { ClientError } from './client-error.js';
import { Ending } from './ending.js';
import { fetchClient } from './fetch-client.js';
import { dropTimers, privateGlobal } from './go.js';
import { StreamSocket } from './stream-socket.js';
import loadGo from './wasm_exec.mjs';

// startClient loads the program and runs it. It resolves to the running client:
//
//   news(whole)  what has changed of the network map since the last call, or all of it: the JSON text of a News of
//             client/internal/node, for whoever follows it to parse. Null while there is no network map
//   retry()   try to reach control now
//   login()   ask control to let this node in, again if its key has expired
//   logout()  tell control that this node is no more; rejects if control couldn't be told
//   request({ method, url, headers, follow, body }, { signal })  send an HTTP request to a peer, by name or address, through
//             the network. headers are pairs of name and value. body, if there is one, is an object of read(attempt), which returns a
//             promise of some bytes, or of null at the end, cancel(attempt), and size if it is known and a later attempt may read it
//             again. Resolves to { status, statusText, url, headers, read, close } once the headers are there.
//             Peers are to be trusted no more than other sites: show what they send in a sandbox only
//   connect(address, { signal })  connect to a TCP port of a peer, host:port; resolves to { read, write, closeWrite, close }
//   ping(host, { signal })  ask a peer, by name or address, for a sign of life; resolves to { latency, relay, peerRelay, endpoint }:
//             milliseconds, and the ID of the relay that was passed, or the address of the peer that was, or where the answer came from
//   stop()    end it
//   ended     a promise: resolves when it was stopped, rejects if it failed
//
// program is what fetchClient of fetch-client.js returned, for callers that have called it already. onState is called with the state
// whenever it has changed. onEvent is called with { name, at } for each step of the start, once; at is in milliseconds since 1970:
//
//   'fetched', 'compiled'  the program
//   'started'              the node runs
//   'restored'             it has the cached network map
//   'engine up'            it knows routes to peers
//   'relay up'             its home relay has answered
//   'peer answered'        a peer has answered for the first time
//   'control live'         control has sent its network map
//
// A cached network map that is older than maxAge milliseconds isn't used, unless that is 0. With verbose the client logs
// to the console.
//
// authKey lets a new node in without a person. acceptRoutes and acceptDNS say whether subnets behind peers, and names of control, are
// used.
//
// With keepKeys the node's keys are kept in the browser. Without, they are in memory, those that were kept before are removed, and
// each start makes a new node: for origins that another program can become, which are all without TLS.
export async function startClient({
  database, controlURL, hostname, maxAge = 0, keepKeys = globalThis.location?.protocol === 'https:',
  authKey = '', acceptRoutes = true, acceptDNS = true, program = fetchClient(), onState, onEvent = () => {}, verbose = false,
}) {
  if (!keepKeys) await removeKeys(database);
  let commands;
  let end;
  const ending = new Ending();
  const emit = (name, at = now()) => onEvent({ name, at });
  const ended = new Promise((resolve) => (end = resolve)).then((message) => {
    commands = undefined;
    ending.end(new ClientError('closed', message || 'the client ended'));
    if (message) throw new Error(message);
  });
  ended.catch(() => {}); // whoever cares listens for itself
  const ready = new Promise((resolve) => {
    const host = {
      database,
      controlURL,
      hostname,
      maxAge,
      keepKeys,
      authKey,
      acceptRoutes,
      acceptDNS,
      verbose,
      ready: (given) => resolve((commands = given)),
      // Go is running: what follows may call it only when it has come to rest.
      state: (state) => queueMicrotask(() => commands && onState(state)),
      mark: (name) => {
        const at = now();
        queueMicrotask(() => emit(name, at));
      },
      ended: (message) => end(message),
    };
    run(host, program, emit).then(() => end('the client ended'), (error) => end(error.message));
  });
  await Promise.race([ready, ended]);
  return {
    news: (whole) => commands?.news(whole) ?? null,
    retry: () => commands?.retry(),
    login: () => commands?.login(),
    logout: () => settled(ending, (settle) => commands.logout(settle)),
    request: (request, { signal } = {}) => begun(ending, (settle) => commands.request(goRequest(request), settle), signal).then((raw) => promised(ending, raw)),
    connect: (address, { signal } = {}) => begun(ending, (settle) => commands.connect(address, settle), signal).then((raw) => promised(ending, raw)),
    ping: (host, { signal } = {}) => begun(ending, (settle) => commands.ping(host, settle), signal),
    stop: () => commands?.stop(),
    ended,
  };
}

// keysKept reports whether keys of a node are kept for a database of a network map.
export const keysKept = async (database) => (await indexedDB.databases()).some(({ name }) => name === `${database}-keys`);

// removeKeys removes a node's keys, which no client may use any more.
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
  const Go = loadGo(privateGlobal({ netmapcacheHost: host, WebSocket: StreamSocket }));
  const go = new Go();
  const instance = await WebAssembly.instantiate(module, go.importObject);
  await go.run(instance);
  dropTimers(go);
  go._resume = () => {}; // sockets that it had may still call it, which would throw
}

// settled calls a function of the program, and returns a promise of what that settles with before the program ends.
async function settled(ending, call) {
  await ending.before(Promise.resolve()); // else there is nothing to call
  return ending.before(new Promise((resolve, reject) => {
    call((problem, value) => (problem ? reject(new ClientError(problem.code, problem.message)) : resolve(value)));
  }));
}

// begun has the program begin something, which signal ends, and returns a promise of it.
async function begun(ending, begin, signal) {
  signal?.throwIfAborted();
  let giveUp;
  const abort = () => giveUp?.();
  signal?.addEventListener('abort', abort);
  try {
    const raw = await settled(ending, (settle) => (giveUp = begin(settle)));
    if (!signal?.aborted) return raw;
    raw.close?.();
    throw signal.reason;
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

// promised returns what the program began with functions that return promises.
function promised(ending, { read, write, closeWrite, close, ...rest }) {
  let open = true;
  const call = async (f, ...args) => {
    if (!open) throw new ClientError('closed', 'the connection is closed');
    return settled(ending, (settle) => f(...args, settle));
  };
  return {
    ...rest,
    read: () => call(read),
    ...(write && { write: (bytes) => call(write, bytes), closeWrite: () => call(closeWrite) }),
    close() {
      if (open) close();
      open = false;
    },
  };
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
