// The database that snapshots are kept in, as package store/idbstore of Go has it: an object store of bytes by key. The two use
// it side by side.

import { openDB, unwrap, wrap } from 'idb';

import { NetmapCacheError } from '../error.js';
import { sameBytes } from './digest.js';
import { isColumnKey, isUpstreamKey, rootKey } from './root.js';

const version = 1;
const entries = 'entries';

const pauses = [0, 20, 100, 500]; // milliseconds before an operation is tried again on a new connection
const silence = 20_000; // how long the browser may take to answer
const patience = 2_000; // how long others may take to close a connection when they are asked to
const doubt = 5_000; // how long the browser may take for this database once it has answered about all

const lost = new DOMException('the browser closed the connection', 'AbortError');

// A Database reopens its connection by itself when the browser has closed it, and gives it up when another page
// wants to upgrade or delete the database.
export class Database {
  #name;
  #connection; // a promise of { db, lost }, where lost is rejected when the browser closes the connection
  #closed = false;

  constructor(name) {
    this.#name = name;
  }

  // open opens the database, and makes it if there is none.
  async open() {
    await this.#use(() => {});
  }

  close() {
    this.#closed = true;
    this.#retire(this.#connection);
  }

  // read returns the value of the root, and those of the keys that keysOf returns for it, all of one moment.
  async read(keysOf) {
    return this.#use(async (db) => {
      const tx = begin(db, 'readonly');
      const root = await tx.store.get(rootKey);
      const keys = root instanceof Uint8Array ? keysOf(root) : [];
      // Without a promise for each, and listeners, which took a tenth of the time of peers() at 10,000 peers (make bench-module).
      const store = unwrap(tx.store);
      const requests = keys.map((key) => store.get(key));
      try {
        if (requests.length > 0) await wrap(requests.at(-1)); // they are answered in their order
      } catch (err) {
        throw tx.error ?? err; // that of the first that failed
      }
      return { root, values: requests.map(({ result }) => result) };
    });
  }

  // clear removes root, if that is what is stored, with all columns and, if there may be any, what is tailscale.com's own
  // package's. It tells whether there was anything, or returns undefined if something else is stored.
  async clear(root, upstream) {
    return this.#use(async (db) => {
      const tx = begin(db, 'readwrite');
      const [stored, keys] = await Promise.all([tx.store.get(rootKey), tx.store.getAllKeys()]);
      if (!sameValue(stored, root)) return undefined;
      const gone = keys.filter((key) => key === rootKey || (typeof key === 'string' && (isColumnKey(key) || (upstream && isUpstreamKey(key)))));
      await Promise.all(gone.map((key) => tx.store.delete(key)));
      await tx.done;
      return gone.length > 0;
    });
  }

  // use calls fn with a connection, and again with a new one when the connection fails.
  async #use(fn) {
    for (let attempt = 0; ; attempt++) {
      const connection = (this.#connection ??= this.#connect());
      let connected;
      try {
        const { db, lost } = (connected = await connection);
        return await withinTime(Promise.race([fn(db), lost]), silence, silent);
      } catch (err) {
        if (this.#closed) throw new NetmapCacheError('closed', 'the cache is closed');
        if (!connected || connectionFailed(err) || silences.has(err)) this.#retire(connection);
        if (!connectionFailed(err) || attempt === pauses.length) throw explained(err);
        await new Promise((resolve) => setTimeout(resolve, pauses[attempt]));
      }
    }
  }

  // retire closes a connection, so that the next operation opens another.
  #retire(connection) {
    if (this.#connection === connection) this.#connection = undefined;
    connection?.then(({ db }) => db.close(), () => {});
  }

  async #connect() {
    let factory;
    try {
      factory = globalThis.indexedDB;
    } catch (cause) {
      throw unavailable('the browser denies IndexedDB to this page', cause);
    }
    if (typeof factory?.open !== 'function') throw unavailable('the browser has no IndexedDB');
    let lose;
    const lostLater = new Promise((_, reject) => (lose = () => reject(lost)));
    lostLater.catch(() => {});
    let connection; // this one, once it is known
    let block;
    const blocked = new Promise((_, reject) => (block = () => setTimeout(reject, patience, blockedError())));
    const forget = () => this.#retire(connection);
    let opening;
    try {
      opening = openDB(this.#name, version, {
        upgrade: (db) => db.objectStoreNames.contains(entries) || db.createObjectStore(entries),
        blocked: block,
        blocking: forget,
        terminated() {
          lose();
          forget();
        },
      });
      const db = await withinTime(Promise.race([opening, blocked, behind(factory)]), silence, silent);
      if (!db.objectStoreNames.contains(entries)) throw new NetmapCacheError('format', 'the database is not one of this package');
      if (this.#closed) db.close();
      connection = this.#connection;
      return { db, lost: lostLater };
    } catch (err) {
      opening?.then((db) => db.close(), () => {}); // however late it comes
      throw openError(err);
    }
  }
}

// behind rejects when opening takes so long, though the browser answers, that another upgrade or deletion must be waited for,
// which is blocked itself.
async function behind(factory) {
  await new Promise((resolve) => setTimeout(resolve, patience));
  try {
    await factory.databases();
  } catch {
    return new Promise(() => {}); // it can't tell
  }
  await new Promise((resolve) => setTimeout(resolve, doubt));
  throw blockedError();
}

function begin(db, mode) {
  const tx = db.transaction(entries, mode, { durability: 'strict' });
  tx.done.catch(() => {}); // who needs to know waits for it
  return tx;
}

// sameValue compares values of the root's key. All that aren't bytes are damaged alike.
function sameValue(a, b) {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return sameBytes(a, b);
  return (a === undefined) === (b === undefined) && !(a instanceof Uint8Array) && !(b instanceof Uint8Array);
}

// withinTime settles as promise does, or rejects with what late returns after so many milliseconds.
function withinTime(promise, milliseconds, late) {
  let timer;
  const limit = new Promise((_, reject) => (timer = setTimeout(() => reject(late()), milliseconds)));
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

const silences = new WeakSet();

function silent() {
  const err = unavailable('the browser gave no answer in time');
  silences.add(err);
  return err;
}

// connectionFailed reports whether err may be cured by a new connection.
const connectionFailed = (err) => ['InvalidStateError', 'AbortError', 'UnknownError'].includes(err?.name);

const unavailable = (message, cause) => new NetmapCacheError('unavailable', message, cause && { cause });
const blockedError = () => new NetmapCacheError('blocked', 'the database is held by another page or worker');

// openError says what a failure to open a database means.
function openError(cause) {
  if (cause instanceof NetmapCacheError || (connectionFailed(cause) && cause.name !== 'InvalidStateError')) return cause;
  if (cause?.name === 'VersionError') return new NetmapCacheError('format', 'a newer version of this package made the database', { cause });
  if (cause?.name === 'QuotaExceededError') return cause;
  return unavailable(`the browser can't open the database: ${cause?.message}`, cause);
}

// explained says what the failure of an operation means.
function explained(cause) {
  if (cause instanceof NetmapCacheError) return cause;
  if (cause?.name === 'QuotaExceededError') return new NetmapCacheError('quota', 'the browser grants no more space', { cause });
  if (connectionFailed(cause)) return unavailable(`the database can't be used: ${cause.message}`, cause);
  return new NetmapCacheError('storage', `the database can't be used: ${cause?.message}`, { cause });
}
