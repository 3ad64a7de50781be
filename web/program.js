// The Go program as the caches that share it see it, be it in this window or worker or in another worker.

import { NetmapCacheError } from './error.js';
import { runGo } from './go.js';

const programs = new Map(); // those that start or run: where -> Program

// programAt returns the program that runs where it is said: false for here, true for a worker
// of the module's own, or a Worker. If there is none, it is started.
export function programAt(where, wasm) {
  if (!programs.has(where)) programs.set(where, new Program(where, wasm));
  return programs.get(where);
}

class Program {
  #where;
  #users = 0;
  #calls = new Map(); // those under way: id -> { cache, resolve, reject, part }
  #caches = new Map(); // those open: id -> callback for changes
  #lastID = 0;
  #go; // the functions call and cancel of the program
  #stopWorker;
  #end; // the error with which all calls fail once the program has ended
  #rejectEnded;
  #ended = new Promise((_, reject) => (this.#rejectEnded = reject));

  // started is fulfilled when the program is ready for calls.
  started;

  constructor(where, wasm) {
    this.#where = where;
    this.#ended.catch(() => {});
    this.started = Promise.race([this.#start(wasm), this.#ended]);
    this.started.catch((err) => this.#finish(err));
  }

  async #start(wasm) {
    const startInWorker = this.#where === false ? undefined : this.#connect();
    const module = await compile(wasm);
    if (this.#end) return;
    const begin = performance.now();
    try {
      this.#go = await (startInWorker ? startInWorker(module) : runGo(module, this.#host()));
    } catch (cause) {
      throw new NetmapCacheError('wasm', `start WebAssembly: ${cause.message}`, { cause });
    }
    measure('start', begin);
  }

  // connect connects to the worker, and returns a function that starts the program there and returns its
  // functions. A worker that fails tells so once, which may be long before there is a module to start.
  #connect() {
    let start;
    const functions = new Promise((resolve, reject) => {
      const own = this.#where === true;
      const worker = own ? new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }) : this.#where;
      const { port1: port, port2 } = new MessageChannel();
      const failed = (event) => reject(new Error(event.message || 'the worker could not be loaded'));
      worker.addEventListener('error', failed);
      this.#stopWorker = () => {
        worker.removeEventListener('error', failed);
        port.close();
        if (own) worker.terminate();
      };
      const send = (name) => (...args) => port.postMessage([name, ...args]);
      const host = {
        ...this.#host(),
        ready: () => {
          worker.removeEventListener('error', failed);
          resolve({ call: send('call'), cancel: send('cancel') });
        },
        failed: (message, cause) => reject(new Error(message, { cause })),
      };
      port.onmessage = ({ data: [name, ...args] }) => host[name](...args);
      start = (module) => worker.postMessage({ netmapcache: module }, [port2]);
    });
    functions.catch(() => {}); // startInWorker tells
    return (module) => {
      start?.(module);
      return functions;
    };
  }

  // host returns what the program calls.
  #host() {
    return {
      part: (id, part) => this.#calls.get(id)?.part(part),
      resolve: (id, result) => this.#calls.get(id)?.resolve(result),
      reject: (id, code, message, cause) =>
        this.#calls.get(id)?.reject(new NetmapCacheError(code, message, cause && { cause })),
      changed: (cache, own) => this.#caches.get(cache)?.(own),
      loaded: (read, decode, at = performance.timeOrigin + performance.now()) => {
        const end = at - performance.timeOrigin;
        measure('read', end - decode - read, end - decode);
        measure('decode', end - decode, end);
      },
      end: (message, cause) => this.#finish(new NetmapCacheError('crashed', message, cause && { cause })),
    };
  }

  // finish rejects all calls with err, those to come as well.
  #finish(err) {
    if (this.#end) return;
    this.#end = err;
    if (programs.get(this.#where) === this) programs.delete(this.#where);
    this.#stopWorker?.();
    this.#rejectEnded(err);
    for (const { reject } of this.#calls.values()) reject(err);
    this.#caches.clear();
  }

  // retain keeps the program, until release was called as often. A program in a worker
  // then ends, one that runs here stays for caches to come.
  retain() {
    this.#users++;
  }

  release() {
    if (--this.#users === 0 && this.#where !== false) this.#finish(closedError());
  }

  // open returns the id of a new cache, whose changes are told to changed.
  async open(options, changed, signal) {
    const cache = ++this.#lastID;
    const begin = performance.now();
    await this.call(cache, 'open', options, { signal });
    measure('open', begin);
    this.#caches.set(cache, changed);
    return cache;
  }

  async close(cache) {
    this.#caches.delete(cache);
    for (const [id, { cache: owner, reject }] of this.#calls) {
      if (owner !== cache) continue;
      reject(closedError());
      this.#go.cancel(id);
    }
    try {
      await this.call(cache, 'close');
    } catch (err) {
      if (err !== this.#end) throw err;
    } finally {
      this.release();
    }
  }

  // call returns the result of a call, whose argument is bytes or something to be written as JSON. What
  // comes before as parts of the result is given to part.
  call(cache, method, argument, { signal, part } = {}) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#end) throw this.#end;
      const data = argument instanceof Uint8Array ? argument : toJSON(argument);
      const id = ++this.#lastID;
      const abort = () => {
        settle(reject)(signal.reason);
        this.#go.cancel(id); // it answers at once, when nobody listens any more
      };
      const settle = (how) => (value) => {
        this.#calls.delete(id);
        signal?.removeEventListener('abort', abort);
        how(value);
      };
      signal?.addEventListener('abort', abort);
      this.#calls.set(id, { cache, resolve: settle(resolve), reject: settle(reject), part });
      this.#go.call(id, cache, method, data);
    });
  }
}

export function closedError() {
  return new NetmapCacheError('closed', 'the cache is closed');
}

function toJSON(argument) {
  try {
    return JSON.stringify(argument) ?? 'null';
  } catch (cause) {
    throw new NetmapCacheError('invalid-argument', `argument can't be written as JSON: ${cause.message}`, { cause });
  }
}

// compile returns the WebAssembly.Module that wasm is, holds or leads to.
async function compile(wasm) {
  let begin = performance.now();
  const fetched = () => {
    measure('fetch', begin);
    begin = performance.now();
  };
  const compiled = (module) => {
    measure('compile', begin);
    return module;
  };
  try {
    let source = await wasm;
    if (typeof source === 'string' || source instanceof URL) {
      source = await fetch(source);
    }
    if (source instanceof Response) {
      if (!source.ok) throw new Error(`${source.url}: HTTP status ${source.status}`);
      // Under another type a browser refuses to compile while it receives.
      if (WebAssembly.compileStreaming && source.headers.get('Content-Type') === 'application/wasm') {
        fetched();
        return compiled(await WebAssembly.compileStreaming(source));
      }
      source = await source.arrayBuffer();
    }
    fetched();
    if (source instanceof WebAssembly.Module) return source;
    return compiled(await WebAssembly.compile(source));
  } catch (cause) {
    throw new NetmapCacheError('wasm', `load WebAssembly: ${cause.message}`, { cause });
  }
}

// measure puts a stage on the timeline, in place of what it took last: a page may
// run for weeks, and the timeline forgets nothing by itself.
function measure(stage, start, end = performance.now()) {
  const name = `netmapcache:${stage}`;
  performance.clearMeasures(name);
  performance.measure(name, { start: Math.max(start, 0), end: Math.max(end, 0) });
}
