// How the module comes to the code that runs the Go program: it is loaded when there is something to write, or registered
// before, by import 'netmapcache/program', where the platform loads nothing later, as in service workers.

import { NetmapCacheError } from './error.js';

let registered;

export function register(programAt) {
  registered = programAt;
}

// programAt returns the program that runs where it is said: see program.js.
export async function programAt(where, wasm) {
  if (!registered) {
    try {
      await import('./program.js');
    } catch (cause) {
      throw new NetmapCacheError('wasm', `load the code that runs WebAssembly: ${cause.message} (in a service worker, import 'netmapcache/program')`, { cause });
    }
  }
  return registered(where, wasm);
}
