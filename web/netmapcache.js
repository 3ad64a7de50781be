// The cache for JavaScript: see netmapcache.d.ts, which documents what is exported here.

import { NetmapCacheError } from './error.js';
import { closedError, programAt } from './program.js';

export { NetmapCacheError };

export async function openCache({
  database = 'netmapcache',
  owner,
  maxAge,
  wasm = new URL('./netmapcache.wasm', import.meta.url),
  worker = false,
  signal,
} = {}) {
  signal?.throwIfAborted();
  check(typeof database === 'string' && database !== '', 'database must be a string that is not empty');
  check(owner === undefined || typeof owner === 'string', 'owner must be a string');
  check(maxAge === undefined || maxAge > 0, 'maxAge must be a positive number of milliseconds');
  check(typeof worker === 'boolean' || worker instanceof EventTarget, 'worker must be a boolean or a Worker');

  const program = programAt(worker, wasm);
  program.retain();
  try {
    await abortable(program.started, signal);
    return await Cache.open(program, { database, owner, maxAge: Number.isFinite(maxAge) ? maxAge : 0 }, signal);
  } catch (err) {
    program.release();
    throw err;
  }
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
  #subscriptions = new Map(); // callback -> function that ends it
  #closed;

  static async open(program, options, signal) {
    const cache = new Cache();
    cache.#program = program;
    cache.#id = await program.open(options, (own) => cache.#changed({ own }), signal);
    return cache;
  }

  async load({ peers = true, signal } = {}) {
    const parts = [];
    const part = (text) => parts.push(JSON.parse(text));
    const netmap = JSON.parse(await this.#call('load', { Peers: Boolean(peers) }, signal, part));
    if (!peers) delete netmap.Peers;
    else if (netmap.Peers) netmap.Peers = parts.flat();
    return netmap;
  }

  async stream(callback, { signal } = {}) {
    check(typeof callback === 'function', 'callback must be a function');
    let thrown; // by callback: { err }. The Go program, which is running meanwhile, must not see it.
    const part = (text) => {
      if (thrown) return;
      const piece = JSON.parse(text);
      if (piece.netmap) for (const field of ['Peers', 'UserProfiles']) delete piece.netmap[field];
      try {
        callback(piece);
      } catch (err) {
        thrown = { err };
      }
    };
    await this.#call('stream', undefined, signal, part);
    if (thrown) throw thrown.err;
  }

  async peers({ offset = 0, limit = 100, search = '', signal } = {}) {
    check(Number.isSafeInteger(offset) && offset >= 0, 'offset must be a whole number');
    check(Number.isSafeInteger(limit) && limit >= 0, 'limit must be a whole number');
    check(typeof search === 'string', 'search must be a string');
    return JSON.parse(await this.#call('peers', { Offset: offset, Limit: limit, Search: search }, signal));
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

  async export({ signal } = {}) {
    return this.#call('export', undefined, signal);
  }

  async import(snapshot, { signal } = {}) {
    const bytes = snapshot instanceof Blob ? await snapshot.arrayBuffer() : snapshot;
    check(bytes instanceof ArrayBuffer || ArrayBuffer.isView(bytes), 'snapshot must be bytes or a Blob');
    const { buffer = bytes, byteOffset, byteLength } = bytes;
    await this.#call('import', new Uint8Array(buffer, byteOffset, byteLength), signal);
  }

  async clear({ signal } = {}) {
    await this.#call('clear', undefined, signal);
  }

  subscribe(callback, { signal } = {}) {
    check(typeof callback === 'function', 'callback must be a function');
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
    this.#closed ??= this.#program.close(this.#id);
    for (const stop of this.#subscriptions.values()) stop();
    return this.#closed;
  }

  async #call(method, argument, signal, part) {
    if (this.#closed) throw closedError();
    return this.#program.call(this.#id, method, argument, { signal, part });
  }

  // The Go program is running while it reports a change: callbacks wait until it
  // has come to rest, and what one of them throws harms neither it nor the others.
  #changed(change) {
    for (const subscription of this.#subscriptions.keys()) {
      queueMicrotask(() => this.#subscriptions.has(subscription) && subscription(change));
    }
  }
}

if (Symbol.asyncDispose) {
  Cache.prototype[Symbol.asyncDispose] = Cache.prototype.close;
}
