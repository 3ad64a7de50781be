// The Go program as the caches that share it see it, be it in this window or worker or in another worker.

import { Connection } from './connect.js';
import { closedError, NetmapCacheError } from './error.js';
import { runGo } from '../go.js';
import { measure } from './measure.js';
import { register } from './programs.js';

const patience = 5_000; // milliseconds to wait for the last answer

const programs = new Map(); // those that start or run: where -> Program

// programAt returns the program that runs where it is said: false for here, true for a worker
// of the module's own, or a Worker. If there is none, it is started.
function programAt(where, wasm) {
  if (!programs.has(where)) programs.set(where, new Program(where, wasm));
  return programs.get(where);
}

register(programAt);

class Program {
  #where;
  #users = 0;
  #calls = new Map(); // those under way: id -> { cache, resolve, reject }
  #caches = new Map(); // those open: id -> callback for changes
  #lastID = 0;
  #go; // the functions call and cancel of the program
  #stopWorker;
  #end; // the error with which all calls fail once the program has ended
  #rejectEnded;

  // ended is rejected when the program has ended.
  ended = new Promise((_, reject) => (this.#rejectEnded = reject));

  // started is fulfilled when the program is ready for calls.
  started;

  constructor(where, wasm) {
    this.#where = where;
    this.ended.catch(() => {});
    this.started = Promise.race([this.#start(wasm), this.ended]);
    this.started.catch((err) => this.#finish(err));
  }

  async #start(wasm) {
    const connection = this.#where === false ? undefined : new Connection(this.#where);
    this.#stopWorker = () => connection?.stop();
    const module = await compile(wasm);
    if (this.#end) return;
    const begin = performance.now();
    try {
      this.#go = await (await this.#usable(connection) ? connection.start(module, this.#host()) : runGo(module, this.#host()));
    } catch (cause) {
      if (cause instanceof NetmapCacheError) throw cause;
      throw new NetmapCacheError('wasm', `start WebAssembly: ${cause.message}`, { cause });
    }
    measure('start', begin);
  }

  // usable reports whether there is a worker to run in. If none of the module's own can be made, as on a page of another
  // origin or in a sandbox, the program runs here.
  async #usable(connection) {
    try {
      await connection?.ready;
      return Boolean(connection);
    } catch (err) {
      if (this.#where !== true || this.#end) throw err;
      connection.stop();
      return false;
    }
  }

  // host returns what the program calls.
  #host() {
    return {
      resolve: (id, result) => this.#calls.get(id)?.resolve(result),
      reject: (id, code, message, cause) =>
        this.#calls.get(id)?.reject(new NetmapCacheError(code, message, cause && { cause })),
      changed: (cache) => this.#caches.get(cache)?.(),
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
  async open(options, changed) {
    const cache = ++this.#lastID;
    await this.call(cache, 'open', JSON.stringify(options));
    this.#caches.set(cache, changed);
    return cache;
  }

  // close ends the calls of a cache, and forgets it. It doesn't wait for a worker that no longer answers.
  async close(cache) {
    this.#caches.delete(cache);
    for (const [id, { cache: owner, reject }] of this.#calls) {
      if (owner !== cache) continue;
      reject(closedError());
      this.#go.cancel(id);
    }
    let timer;
    const limit = new Promise((resolve) => (timer = setTimeout(resolve, patience)));
    await Promise.race([this.call(cache, 'close').catch(() => {}), limit]);
    clearTimeout(timer);
    this.release();
  }

  // call returns the result of a call, whose argument is text or bytes.
  call(cache, method, argument, signal) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#end) throw this.#end;
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
      this.#calls.set(id, { cache, resolve: settle(resolve), reject: settle(reject) });
      this.#go.call(id, cache, method, argument);
    });
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
      const type = source.headers.get('Content-Type');
      if (!source.ok) throw new Error(`${source.url}: HTTP status ${source.status}`);
      if (type?.startsWith('text/html')) throw new Error(`${source.url}: the server sends ${type} in place of the program`);
      // Under another type a browser refuses to compile while it receives.
      if (WebAssembly.compileStreaming && type === 'application/wasm') {
        fetched();
        return compiled(await WebAssembly.compileStreaming(source));
      }
      source = await source.arrayBuffer();
    }
    fetched();
    if (source instanceof WebAssembly.Module) return source;
    return compiled(await WebAssembly.compile(source));
  } catch (cause) {
    const hint = /unsafe-eval|Content Security Policy/i.test(cause.message) ? " (script-src of the page's Content-Security-Policy needs 'wasm-unsafe-eval' to write)" : '';
    throw new NetmapCacheError('wasm', `load WebAssembly: ${cause.message}${hint}`, { cause });
  }
}
