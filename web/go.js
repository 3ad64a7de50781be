// Runs the Go program in this window or worker.

import loadGo from './wasm_exec.mjs';

// runGo starts the Go program, and returns its functions when it is ready for calls. The
// messages that go to and fro are described in wasm/main.go. Beyond those, host.end is
// called when the program has ended, for whatever reason, with a message
// and the exception that ended it, if there was one.
// The program has no BroadcastChannel: the module tells other caches of changes, so that it doesn't hear of its own.
export async function runGo(module, host) {
  let ready;
  const functions = new Promise((resolve) => (ready = (call, cancel) => resolve({ call, cancel })));
  const Go = loadGo(privateGlobal({ netmapcacheHost: { ...host, ready }, BroadcastChannel: undefined }));
  const go = new Go();

  let ended = false;
  const end = (message, cause) => {
    if (ended) return;
    ended = true;
    dropTimers(go);
    host.end(message, cause);
  };
  const crash = (cause) => end(`the WebAssembly program failed: ${cause.message}`, cause);
  go.exit = (code) => end(`the WebAssembly program ended with code ${code}; the console may tell why`);

  // All events reach Go through _resume. An exception there means that the
  // program is in no state to go on, and afterwards events may still arrive,
  // from IndexedDB for example, which nobody waits for.
  const resume = go._resume;
  go._resume = () => {
    if (ended) return;
    try {
      resume.call(go);
    } catch (cause) {
      crash(cause);
    }
  };

  const instance = await WebAssembly.instantiate(module, go.importObject);
  go.run(instance).then(() => end('the WebAssembly program ended'), crash);
  return functions;
}

// dropTimers drops the timers of a program that has ended. One that fired would call _resume for as long as
// the program doesn't take notice of it: forever, where _resume does nothing.
export function dropTimers(go) {
  for (const timeout of go._scheduledTimeouts.values()) clearTimeout(timeout);
  go._scheduledTimeouts.clear();
}

// privateGlobal returns a stand-in for the global object, through which Go's
// support code and Go itself see the real one. What they set, and the names by
// which they would find another program's stand-ins for parts of Node.js, stays within it.
export function privateGlobal(own) {
  return new Proxy({ fs: undefined, path: undefined, process: undefined, ...own }, {
    get(target, key) {
      if (Object.hasOwn(target, key)) return target[key];
      const value = globalThis[key];
      // Functions of the platform that are not constructors insist on
      // being called as methods of the real global object.
      const isMethod = typeof value === 'function' && !Object.hasOwn(value, 'prototype');
      return isMethod ? value.bind(globalThis) : value;
    },
  });
}
