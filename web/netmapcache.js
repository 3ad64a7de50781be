// The cache for JavaScript: see netmapcache.d.ts, which documents what is exported here.

import loadGo from './wasm_exec.mjs';

export class NetmapCacheError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.name = 'NetmapCacheError';
    this.code = code;
  }
}

export async function openCache({
  database = 'netmapcache',
  owner,
  maxAge,
  wasm = new URL('./netmapcache.wasm', import.meta.url),
  signal,
} = {}) {
  signal?.throwIfAborted();
  check(typeof database === 'string' && database !== '', 'database must be a string that is not empty');
  check(owner === undefined || typeof owner === 'string', 'owner must be a string');
  check(maxAge === undefined || maxAge > 0, 'maxAge must be a positive number of milliseconds');

  const program = await abortable(startProgram(wasm), signal);
  return Cache.open(program, { database, owner, maxAge: Number.isFinite(maxAge) ? maxAge : 0 }, signal);
}

function check(ok, message) {
  if (!ok) throw new NetmapCacheError('invalid-argument', message);
}

// abortable settles as promise does, or as signal says if that is aborted first.
function abortable(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

class Cache {
  #program;
  #id;
  #callbacks = new Set();
  #closed;

  static async open(program, options, signal) {
    const cache = new Cache();
    cache.#program = program;
    cache.#id = await program.open(options, () => cache.#changed(), signal);
    return cache;
  }

  async load({ signal } = {}) {
    return JSON.parse(await this.#call('load', undefined, signal));
  }

  async info({ signal } = {}) {
    const info = await this.#call('info', undefined, signal);
    info.savedAt = new Date(info.savedAt);
    info.confirmedAt = new Date(info.confirmedAt);
    return info;
  }

  async store(netmap, { signal } = {}) {
    await this.#call('store', netmap, signal);
  }

  async updateSelf(netmap, { signal } = {}) {
    await this.#call('updateSelf', { ...netmap, Peers: null, UserProfiles: null }, signal);
  }

  async updatePeers(upserts, removedStableIDs, { signal } = {}) {
    await this.#call('updatePeers', { Update: upserts, Remove: removedStableIDs }, signal);
  }

  async updateUserProfiles(profiles, { signal } = {}) {
    await this.#call('updateUserProfiles', profiles, signal);
  }

  async updatePacketFilter(rules, { signal } = {}) {
    await this.#call('updatePacketFilter', rules, signal);
  }

  async clear({ signal } = {}) {
    await this.#call('clear', undefined, signal);
  }

  subscribe(callback) {
    check(typeof callback === 'function', 'callback must be a function');
    const subscription = () => callback();
    this.#callbacks.add(subscription);
    return () => void this.#callbacks.delete(subscription);
  }

  close() {
    this.#closed ??= this.#program.close(this.#id);
    this.#callbacks.clear();
    return this.#closed;
  }

  async #call(method, argument, signal) {
    if (this.#closed) throw closedError();
    return this.#program.call(this.#id, method, argument, signal);
  }

  // The Go program is running while it reports a change: callbacks wait until it
  // has come to rest, and what one of them throws harms neither it nor the others.
  #changed() {
    for (const callback of this.#callbacks) {
      queueMicrotask(() => this.#callbacks.has(callback) && callback());
    }
  }
}

if (Symbol.asyncDispose) {
  Cache.prototype[Symbol.asyncDispose] = Cache.prototype.close;
}

function closedError() {
  return new NetmapCacheError('closed', 'the cache is closed');
}

// The one Go program that all caches share, or undefined: a Promise of it.
let running;

function startProgram(wasm) {
  if (!running) {
    const program = new Program();
    const started = program.start(wasm).then(() => program);
    running = started;
    const forget = () => {
      if (running === started) running = undefined;
    };
    program.ended.then(forget);
    started.catch(forget);
  }
  return running;
}

// A Program is a run of the Go program. The messages that go to and fro are
// described in wasm/main.go.
class Program {
  #calls = new Map(); // those under way: id -> { cache, resolve, reject }
  #caches = new Map(); // those open: id -> callback for changes
  #lastID = 0;
  #end; // the error with which all calls fail once the program has ended
  #setEnded;
  #go;
  #callGo;
  #cancelGo;

  // ended is fulfilled when the program has ended, for whatever reason.
  ended = new Promise((resolve) => (this.#setEnded = resolve));

  async start(wasm) {
    const module = await compile(wasm);
    try {
      await this.#run(module);
    } catch (cause) {
      if (this.#end) throw this.#end;
      throw new NetmapCacheError('wasm', `start WebAssembly: ${cause.message}`, { cause });
    }
  }

  async #run(module) {
    const ready = new Promise((resolve, reject) => {
      this.ended.then(() => reject(this.#end));
      this.#go = this.#newGo({
        ready: (call, cancel) => {
          this.#callGo = call;
          this.#cancelGo = cancel;
          resolve();
        },
        resolve: (id, result) => this.#calls.get(id)?.resolve(result),
        reject: (id, code, message, cause) =>
          this.#calls.get(id)?.reject(new NetmapCacheError(code, message, cause && { cause })),
        changed: (cache) => this.#caches.get(cache)?.(),
      });
    });
    const instance = await WebAssembly.instantiate(module, this.#go.importObject);
    this.#go.run(instance).then(
      () => this.#crash('the WebAssembly program ended'),
      (cause) => this.#crash(`the WebAssembly program failed: ${cause.message}`, cause),
    );
    await ready;
  }

  #newGo(host) {
    const Go = loadGo(privateGlobal({ netmapcacheHost: host }));
    const go = new Go();
    go.exit = (code) => this.#crash(`the WebAssembly program ended with code ${code}; the console may tell why`);

    // All events reach Go through _resume. An exception there means that the
    // program is in no state to go on, and afterwards events may still arrive,
    // from IndexedDB for example, which nobody waits for.
    const resume = go._resume;
    go._resume = () => {
      if (this.#end) return;
      try {
        resume.call(go);
      } catch (cause) {
        this.#crash(`the WebAssembly program failed: ${cause.message}`, cause);
      }
    };
    return go;
  }

  // crash rejects all calls, those to come as well.
  #crash(message, cause) {
    if (this.#end) return;
    this.#end = new NetmapCacheError('crashed', message, cause && { cause });
    for (const timeout of this.#go._scheduledTimeouts.values()) clearTimeout(timeout);
    this.#go._scheduledTimeouts.clear();
    for (const { reject } of this.#calls.values()) reject(this.#end);
    this.#caches.clear();
    this.#setEnded();
  }

  // open returns the id of a new cache, whose changes are told to changed.
  async open(options, changed, signal) {
    const cache = ++this.#lastID;
    await this.call(cache, 'open', options, signal);
    this.#caches.set(cache, changed);
    return cache;
  }

  async close(cache) {
    this.#caches.delete(cache);
    for (const [id, { cache: owner, reject }] of this.#calls) {
      if (owner !== cache) continue;
      reject(closedError());
      this.#cancelGo(id);
    }
    try {
      await this.call(cache, 'close');
    } catch (err) {
      if (err !== this.#end) throw err;
    }
  }

  call(cache, method, argument, signal) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#end) throw this.#end;
      const text = toJSON(argument);
      const id = ++this.#lastID;
      const abort = () => {
        settle(reject)(signal.reason);
        this.#cancelGo(id); // Go answers at once, when nobody listens any more
      };
      const settle = (how) => (value) => {
        this.#calls.delete(id);
        signal?.removeEventListener('abort', abort);
        how(value);
      };
      signal?.addEventListener('abort', abort);
      this.#calls.set(id, { cache, resolve: settle(resolve), reject: settle(reject) });
      this.#callGo(id, cache, method, text);
    });
  }
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
  try {
    let source = await wasm;
    if (typeof source === 'string' || source instanceof URL) {
      source = await fetch(source);
    }
    if (source instanceof Response) {
      if (!source.ok) throw new Error(`${source.url}: HTTP status ${source.status}`);
      // Under another type a browser refuses to compile while it receives.
      if (WebAssembly.compileStreaming && source.headers.get('Content-Type') === 'application/wasm') {
        return await WebAssembly.compileStreaming(source);
      }
      source = await source.arrayBuffer();
    }
    if (source instanceof WebAssembly.Module) return source;
    return await WebAssembly.compile(source);
  } catch (cause) {
    throw new NetmapCacheError('wasm', `load WebAssembly: ${cause.message}`, { cause });
  }
}

// privateGlobal returns a stand-in for the global object, through which Go's
// support code and Go itself see the real one. What they set, and the names by
// which they would find another program's stand-ins for parts of Node.js, stays within it.
function privateGlobal(own) {
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
