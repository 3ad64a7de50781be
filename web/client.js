// Runs the client: the WebAssembly program of client/cmd/client, which says in its
// documentation what passes between the two.

import loadGo from './wasm_exec.mjs';

// startClient loads the program and runs it. It resolves to the running client:
//
//   netmap()  the network map so far, or null
//   retry()   try to reach control now
//   stop()    end it
//   ended     a promise: resolves when it was stopped, rejects if it failed
//
// onState is called with the state whenever it has changed.
export async function startClient({ database, controlURL, hostname, onState }) {
  let commands;
  let end;
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
      ready: (given) => resolve((commands = given)),
      // Go is running: what follows may call it only when it has come to rest.
      state: (state) => queueMicrotask(() => commands && onState(state)),
      ended: (message) => end(message),
    };
    run(host).then(() => end('the client ended'), (error) => end(error.message));
  });
  await Promise.race([ready, ended]);
  return {
    netmap: () => JSON.parse(commands?.netmap() ?? 'null'),
    retry: () => commands?.retry(),
    stop: () => commands?.stop(),
    ended,
  };
}

async function run(host) {
  const module = await WebAssembly.compileStreaming(fetch('client.wasm'));
  const Go = loadGo(privateGlobal({ netmapcacheHost: host }));
  const go = new Go();
  const instance = await WebAssembly.instantiate(module, go.importObject);
  await go.run(instance);
}

// privateGlobal returns a stand-in for the global object: what Go sets on it, and own, stay within it.
function privateGlobal(own) {
  return new Proxy({ fs: undefined, path: undefined, process: undefined, ...own }, {
    get(target, key) {
      if (Object.hasOwn(target, key)) return target[key];
      const value = globalThis[key];
      // The platform's plain functions, such as fetch, want the real global object.
      return typeof value === 'function' && !Object.hasOwn(value, 'prototype') ? value.bind(globalThis) : value;
    },
  });
}
