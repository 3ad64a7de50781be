// The cache for JavaScript: see netmapcache.d.ts, which documents what is exported here. It reads by itself. To write it has
// the Go program, which is loaded when it is needed.

import { check, checkNetmap, checkOptions, checkPeers, isBoolean, isObject, isSignal, isString, isWholeNumber } from './check.js';
import { closedError, NetmapCacheError } from './error.js';
import { toJSON } from './json.js';
import { measure } from './measure.js';
import { programAt } from './programs.js';
import { Changes } from './reader/changes.js';
import { Database } from './reader/database.js';
import { readExported, writeExported } from './reader/exported.js';
import { pieces } from './reader/pieces.js';
import { Reader } from './reader/reader.js';

export { NetmapCacheError };

const defaultDatabase = 'netmapcache';

export async function openCache(options = {}) {
  checkOptions(options, {
    database: (value) => isString(value) && value !== '',
    owner: isString,
    maxAge: (value) => typeof value === 'number' && value > 0,
    wasm: () => true,
    worker: (value) => isBoolean(value) || (typeof value?.postMessage === 'function' && typeof value.addEventListener === 'function'),
    signal: isSignal,
  });
  const { database = defaultDatabase, owner = '', maxAge = Infinity, wasm = new URL('./netmapcache.wasm', import.meta.url), worker = true, signal } = options;
  signal?.throwIfAborted();
  Promise.resolve(wasm).catch(() => {}); // who needs it is told
  const begin = performance.now();
  const opened = new Database(database);
  try {
    await abortable(opened.open(), signal);
  } catch (err) {
    opened.close();
    throw err;
  }
  measure('open', begin);
  return new Cache(opened, { database, owner, maxAge: Number.isFinite(maxAge) ? maxAge : 0 }, { worker, wasm });
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
  #database;
  #options;
  #reader;
  #changes;
  #where; // the program runs: { worker, wasm }
  #writer; // a promise of the program and the cache's ID there
  #calls = new Set(); // of functions that end calls under way, with an error
  #subscriptions = new Map(); // callback -> function that ends it
  #closed;

  constructor(database, options, where) {
    this.#database = database;
    this.#options = options;
    this.#where = where;
    this.#reader = new Reader(database, options);
    this.#changes = new Changes(options.database, () => this.#tell({ own: false }));
  }

  async load(options = {}) {
    checkOptions(options, { peers: isBoolean, signal: isSignal });
    return this.#call(options.signal, async (check) => {
      const snapshot = await this.#snapshot(check);
      if (options.peers === false) {
        const { netmap, users } = await snapshot.withoutPeers(check);
        return { ...netmap, UserProfiles: users };
      }
      const { netmap, peers, users } = await snapshot.decode(check);
      return { ...netmap, Peers: peers, UserProfiles: users };
    });
  }

  async stream(callback, options = {}) {
    check(typeof callback === 'function', 'callback must be a function');
    checkOptions(options, { signal: isSignal });
    return this.#call(options.signal, async (check) => {
      for await (const piece of pieces(await this.#snapshot(check), check)) {
        check();
        await callback(piece);
      }
    });
  }

  async peers(options = {}) {
    checkOptions(options, { offset: isWholeNumber, limit: isWholeNumber, search: isString, signal: isSignal });
    const { offset = 0, limit = 100, search = '', signal } = options;
    return this.#call(signal, async (check) => {
      const snapshot = await this.#snapshot(check);
      return snapshot.peers({ offset, limit, search }, check);
    });
  }

  async info(options = {}) {
    checkOptions(options, { signal: isSignal });
    return this.#call(options.signal, () => this.#reader.info());
  }

  async store(netmap, options = {}) {
    checkOptions(options, { signal: isSignal });
    checkNetmap(netmap);
    if (netmap.Cached) return false;
    await this.#write('store', netmap, options.signal);
    return true;
  }

  async updateSelf(netmap, options = {}) {
    checkOptions(options, { signal: isSignal });
    checkNetmap(netmap);
    if (netmap.Cached) return false;
    await this.#write('updateSelf', { ...netmap, Peers: null, UserProfiles: null }, options.signal);
    return true;
  }

  async updatePeers(upserts, removedStableIDs = [], options = {}) {
    checkOptions(options, { signal: isSignal });
    checkPeers(upserts);
    check(Array.isArray(removedStableIDs) && removedStableIDs.every(isString), 'removedStableIDs must be an array of strings');
    await this.#write('updatePeers', { Update: upserts, Remove: removedStableIDs }, options.signal);
  }

  async updateUserProfiles(profiles, options = {}) {
    checkOptions(options, { signal: isSignal });
    check(isObject(profiles) && Object.values(profiles).every(isObject), 'profiles must be an object of user profiles');
    await this.#write('updateUserProfiles', profiles, options.signal);
  }

  async updatePacketFilter(rules, options = {}) {
    checkOptions(options, { signal: isSignal });
    check(Array.isArray(rules) && rules.every(isObject), 'rules must be an array of filter rules');
    await this.#write('updatePacketFilter', rules, options.signal);
  }

  async export(options = {}) {
    checkOptions(options, { signal: isSignal });
    return this.#call(options.signal, async (check) => {
      const snapshot = await this.#snapshot(check);
      await snapshot.check(check); // what can't be decoded is damaged
      return writeExported(snapshot.values());
    });
  }

  async import(snapshot, options = {}) {
    checkOptions(options, { signal: isSignal });
    const bytes = snapshot instanceof Blob ? await snapshot.arrayBuffer() : snapshot;
    check(bytes instanceof ArrayBuffer || ArrayBuffer.isView(bytes), 'snapshot must be bytes or a Blob');
    const { buffer = bytes, byteOffset, byteLength } = bytes;
    await this.#write('import', new Uint8Array(buffer, byteOffset, byteLength), options.signal);
  }

  async clear(options = {}) {
    checkOptions(options, { signal: isSignal });
    await this.#call(options.signal, async (check) => {
      if (await this.#reader.clear(check)) this.#changed();
    });
  }

  subscribe(callback, options = {}) {
    check(typeof callback === 'function', 'callback must be a function');
    checkOptions(options, { signal: isSignal });
    const { signal } = options;
    const subscription = (change) => callback(change);
    const stop = () => {
      this.#subscriptions.delete(subscription);
      signal?.removeEventListener('abort', stop);
    };
    if (Symbol.dispose) stop[Symbol.dispose] = stop;
    if (this.#closed || signal?.aborted) return stop;
    signal?.addEventListener('abort', stop);
    this.#subscriptions.set(subscription, stop);
    return stop;
  }

  close() {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end() {
    for (const end of this.#calls) end(closedError());
    for (const stop of this.#subscriptions.values()) stop();
    this.#changes.close();
    this.#database.close();
    const writer = await this.#writer?.catch(() => {});
    await writer?.program.close(writer.id);
  }

  // call returns what run returns, unless the signal or close comes first. Run is given a function that throws then.
  #call(signal, run) {
    if (this.#closed) throw closedError();
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      let ended; // { reason }
      const end = (reason) => {
        ended ??= { reason };
        reject(reason);
      };
      const abort = () => end(signal.reason);
      const goOn = () => {
        if (ended) throw ended.reason;
      };
      this.#calls.add(end);
      signal?.addEventListener('abort', abort);
      run(goOn).then(resolve, reject).finally(() => {
        this.#calls.delete(end);
        signal?.removeEventListener('abort', abort);
      });
    });
  }

  // snapshot returns the stored snapshot. One of tailscale.com's own package is made one of this package by Go.
  async #snapshot(check) {
    return (await this.#reader.snapshot(check)) ?? readExported(await this.#program('export', undefined));
  }

  // write has the program do something.
  #write(method, argument, signal) {
    return this.#call(signal, async (check) => {
      const data = argument instanceof Uint8Array ? argument.slice() : await toJSON(argument, check);
      return this.#program(method, data, signal);
    });
  }

  async #program(method, data, signal) {
    this.#writer ??= this.#start().catch((err) => {
      this.#writer = undefined;
      throw err;
    });
    const { program, id } = await this.#writer;
    return program.call(id, method, data, signal);
  }

  // start starts the program, unless others have. It is tried again by the next call if that fails, or if the program ends.
  async #start() {
    const { worker, wasm } = this.#where;
    const program = await programAt(worker, wasm);
    program.retain();
    program.ended.catch(() => (this.#writer = undefined));
    try {
      await program.started;
      const id = await program.open(this.#options, () => this.#changed());
      if (this.#closed) await program.close(id);
      return { program, id };
    } catch (err) {
      program.release();
      throw err;
    }
  }

  // changed tells of a change by this cache.
  #changed() {
    this.#changes.post();
    this.#tell({ own: true });
  }

  // tell calls the callbacks once the Go program, which may be running, has come to rest. What one of them throws harms
  // neither it nor the others.
  #tell(change) {
    for (const subscription of this.#subscriptions.keys()) {
      queueMicrotask(() => this.#subscriptions.has(subscription) && subscription(change));
    }
  }
}

if (Symbol.asyncDispose) {
  Cache.prototype[Symbol.asyncDispose] = Cache.prototype.close;
}
