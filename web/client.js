// Runs the client: the WebAssembly program of client/cmd/client, which says in its
// documentation what passes between the two.

import { fetchClient } from './fetch-client.js';
import { dropTimers, privateGlobal } from './go.js';
import loadGo from './wasm_exec.mjs';

// startClient loads the program and runs it. It resolves to the running client:
//
//   news(whole)  what has changed of the network map since the last call, or all of it: the JSON text of a News of
//             client/internal/node, for whoever follows it to parse. Null while there is no network map
//   retry()   try to reach control now
//   login()   ask control to let this node in, again if its key has expired
//   logout()  tell control that this node is no more; rejects if control couldn't be told
//   fetch(url, { signal })  ask a peer, by name or address, through the network; resolves to
//             { status, url, headers, body }, which are pairs of name and value, and a Uint8Array.
//             Peers are to be trusted no more than other sites: show what they send in a sandbox only
//   stop()    end it
//   ended     a promise: resolves when it was stopped, rejects if it failed
//
// program is what fetchClient of fetch-client.js returned, for who has called it already. onState is called with the state whenever it
// has changed. onEvent is called with
// { name, at } for each step of the start, once; at is in milliseconds since 1970:
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
// With keepKeys the node's keys are kept in the browser. Without, they are in memory, and each start makes a new node:
// for origins that another program can become, which are all without TLS.
export async function startClient({
  database, controlURL, hostname, maxAge = 0, keepKeys = globalThis.location?.protocol === 'https:',
  program = fetchClient(), onState, onEvent = () => {}, verbose = false,
}) {
  let commands;
  let end;
  const emit = (name, at = now()) => onEvent({ name, at });
  const ended = new Promise((resolve) => (end = resolve)).then((message) => {
    commands = undefined;
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
  const untilEnd = (promise) => Promise.race([promise, ended.then(() => Promise.reject(new Error('the client ended')))]);
  return {
    news: (whole) => commands?.news(whole) ?? null,
    retry: () => commands?.retry(),
    login: () => commands?.login(),
    logout: () => untilEnd(new Promise((resolve, reject) => commands?.logout((problem) => (problem ? reject(new Error(problem)) : resolve())))),
    fetch: async (url, { signal } = {}) => untilEnd(ask(commands, String(url), signal)),
    stop: () => commands?.stop(),
    ended,
  };
}

const now = () => performance.timeOrigin + performance.now();

async function run(host, program, emit) {
  const { module, fetched, compiled } = await program;
  emit('fetched', fetched);
  emit('compiled', compiled);
  const Go = loadGo(privateGlobal({ netmapcacheHost: host }));
  const go = new Go();
  const instance = await WebAssembly.instantiate(module, go.importObject);
  await go.run(instance);
  dropTimers(go);
  go._resume = () => {}; // sockets that it had may still call it, which would throw
}

// ask asks a peer. commands are those of the running client, or undefined.
function ask(commands, url, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const giveUp = commands?.fetch(url, (problem, answer) => {
      signal?.removeEventListener('abort', abort);
      if (problem) reject(new Error(problem));
      else resolve(answer);
    });
    function abort() {
      reject(signal.reason);
      giveUp?.();
    }
    signal?.addEventListener('abort', abort);
  });
}
