/// <reference lib="esnext.disposable" />

/**
 * Keeps the last good network map of a Tailscale-style network in the browser, in
 * IndexedDB, so that a page can show it, and a client start from it, while the
 * control plane can't be reached.
 *
 * The module reads what is stored by itself. To store a network map it runs the Go
 * package github.com/netmapcache/netmapcache as WebAssembly, which it loads when that is first asked for: only
 * for this does a Content-Security-Policy need `'wasm-unsafe-eval'` in `script-src`. It shares its databases with Go
 * programs that run in the same origin, and works in windows and in workers of every kind.
 *
 * ```js
 * import { openCache } from 'netmapcache';
 *
 * const cache = await openCache({ database: 'profile-1' });
 * const { SelfNode, DNS } = await cache.load({ peers: false });
 * const { total, peers } = await cache.peers({ limit: 50, search: 'linux' });
 * ```
 *
 * Every asynchronous function rejects with a {@link NetmapCacheError}, or, if its
 * `signal` is aborted, with the reason of the signal. Whether a change that was
 * aborted took effect is then unknown; it did as a whole or not at all.
 *
 * On the timeline (`performance.getEntriesByName`) are measures of how long the last time took,
 * each named `netmapcache:` and a stage: `open` (the database), `read` and `decode` (a snapshot); and of the
 * program `fetch` (until the answer begins), `compile` (with what is still to be received) and `start`.
 *
 * @module
 */

import type { FilterRule, Netmap, NetmapNode, UserProfile } from './netmap.js';

export * from './netmap.js';

/** Options of {@link openCache}. Others, and values of other types, are `'invalid-argument'`. */
export interface OpenOptions {
  /** Name of the IndexedDB database. Default: `'netmapcache'`. Each profile should have its own. */
  database?: string | undefined;

  /**
   * Whom snapshots belong to: a profile, or the URL of a control plane, as the
   * application likes. They are stored with it, and those with another owner are not
   * loaded (`'wrong-owner'`). Default: none, which loads any.
   */
  owner?: string | undefined;

  /**
   * Age in milliseconds from which snapshots are not loaded (`'expired'`), as are those that were confirmed more than a
   * day in the future. Default: no limit.
   */
  maxAge?: number | undefined;

  /**
   * Where `netmapcache.wasm` comes from, which is asked for when something is to be stored: its address, a response that
   * carries it, its bytes, or itself as compiled. Default: the file of that name beside this module.
   *
   * All caches of a window or worker share one run of it, save for `worker`: what counts is what
   * the first call that stores gave, until a start has failed or the program has crashed.
   */
  wasm?: WasmSource | PromiseLike<WasmSource> | undefined;

  /**
   * Where the program runs that stores. To read takes no worker: it is done here, in small pieces, and so is what a call
   * that stores does before the program has it.
   *
   * - `true`, the default: in a worker, which runs as long as caches use it. Where none can be made, the program runs here: if
   *   `worker.js` isn't beside this module, if the page is of another origin than this module, if a Content-Security-Policy
   *   doesn't allow it (`worker-src`), in a sandbox, and in workers that can make no others
   * - `false`: here. With thousands of peers that blocks a window for more than a second
   * - a dedicated worker that imports `'netmapcache/worker'`, beside whatever else it does. If it doesn't answer within ten
   *   seconds, the call that stores is rejected with `'worker'`
   */
  worker?: boolean | Worker | undefined;

  /** Ends the wait for the cache. */
  signal?: AbortSignal | undefined;
}

/** See {@link OpenOptions.wasm}. */
export type WasmSource = string | URL | Response | BufferSource | WebAssembly.Module;

/** Options of the methods of a {@link NetmapCache}. */
export interface CallOptions {
  /** Ends the call or the subscription. */
  signal?: AbortSignal | undefined;
}

/** Options of {@link NetmapCache.load}. */
export interface LoadOptions extends CallOptions {
  /** False leaves out `Peers`, which {@link NetmapCache.peers} gives. Default: true. */
  peers?: boolean | undefined;
}

/** Options of {@link NetmapCache.peers}. */
export interface PeersOptions extends CallOptions {
  /** Number of peers to skip. Default: 0. */
  offset?: number | undefined;

  /** Number of peers to return at most. Default: 100. */
  limit?: number | undefined;

  /**
   * Words, all of which have to occur in a peer's names, addresses, tags, operating system,
   * stable ID, relay or owners, in upper or lower case. Default: none, which finds all peers.
   */
  search?: string | undefined;
}

/** Bytes in a buffer of their own: `Uint8Array<ArrayBuffer>` where TypeScript (5.7 and later) has that. */
export type Bytes = ReturnType<Uint8Array['slice']>;

/** Some of the peers. */
export interface Peers {
  /** Number of peers that the search finds. */
  total: number;
  /** Those asked for. */
  peers: NetmapNode[];
}

/** A piece of a network map: see {@link NetmapCache.stream}. */
export interface Piece {
  /** In the first piece alone: the network map without what follows. */
  netmap?: Omit<Netmap, 'Peers' | 'UserProfiles'> | undefined;
  /** Number of peers in all pieces. */
  total: number;
  /** Some of the peers. */
  peers: NetmapNode[];
  /** Profiles of their users, by ID, that were in no piece before; in the first piece that of `SelfNode`, in the last all others. */
  users: Record<string, UserProfile>;
}

/** A change of the snapshot. */
export interface Change {
  /** True if a call on this object made it. */
  own: boolean;
}

/**
 * Opens the cache in a database of this origin, and makes the database if there is none.
 * Any number of caches may be open, also on one database.
 *
 * @throws {NetmapCacheError} `'unavailable'`, `'blocked'`,
 * `'format'`, `'quota'`, `'storage'` or `'invalid-argument'`. A later call tries again from the start.
 */
export function openCache(options?: OpenOptions): Promise<NetmapCache>;

/**
 * One snapshot of a network map, stored in a database. Calls may overlap. What is given to be stored must not be changed until the
 * call has ended: thousands of peers are read in small pieces.
 *
 * Its name keeps it apart from the DOM's Cache.
 */
export interface NetmapCache {
  /**
   * Loads the network map; its `Cached` is true. It is the caller's, to change as it likes.
   *
   * @throws {NetmapCacheError} `'not-available'`, `'corrupt'`, `'wrong-owner'`,
   * `'expired'` or `'format'` if there is no snapshot to use; see {@link ErrorCode}.
   */
  load(options: LoadOptions & { peers: false }): Promise<Omit<Netmap, 'Peers'>>;
  load(options?: LoadOptions): Promise<Netmap>;

  /**
   * Loads the network map piece by piece, so that a page can show the first before there are the
   * others: calls `callback` with the first 100 peers and what else there is, and then with some hundred further
   * peers at a time. All pieces are of the same snapshot, which has been checked as a whole before the first one.
   * Peers come in the order in which people look for them: by the first label of `Name`, or else the host name or
   * the stable ID, numbers by their value, upper and lower case of ASCII alike. If `callback` returns a promise, the next piece
   * waits for it.
   *
   * @throws {NetmapCacheError} as {@link NetmapCache.load} does, or what `callback` threw, which isn't called again then.
   */
  stream(callback: (piece: Piece) => void | PromiseLike<void>, options?: CallOptions): Promise<void>;

  /**
   * Returns some of the peers, in order of `ID`. What was read is kept for the next call, as long as the snapshot
   * doesn't change.
   *
   * @throws {NetmapCacheError} as {@link NetmapCache.load} does.
   */
  peers(options?: PeersOptions): Promise<Peers>;

  /**
   * Describes the snapshot without loading it, whoever its owner and whatever its age.
   *
   * @throws {NetmapCacheError} `'not-available'`, `'corrupt'` or `'format'`. Damage to
   * the network map itself is not found.
   */
  info(options?: CallOptions): Promise<Info>;

  /**
   * Stores a network map in place of what was stored. What is unchanged is not
   * written again. The result is true; false if nothing is stored because `Cached` is true: a map that came from a
   * cache would seem younger than it is.
   *
   * The first call that stores, updates or imports loads and starts the program.
   *
   * What {@link NetmapCache.load} gave can be stored and gives the same map again,
   * save for what `JSON.parse` changes within values that applications put into
   * capabilities: the precision of large numbers, and how a number is written.
   *
   * @throws {NetmapCacheError} `'invalid-argument'` if it isn't a network map,
   * or has no `SelfNode` with a `User`; `'quota'`; `'wasm'`, `'crashed'` or `'worker'`, after which a later call tries again.
   */
  store(netmap: Netmap, options?: CallOptions): Promise<boolean>;

  /**
   * Stores everything of a network map but its `Peers` and `UserProfiles`;
   * those that are stored remain. Otherwise as {@link NetmapCache.store}.
   */
  updateSelf(netmap: Netmap, options?: CallOptions): Promise<boolean>;

  /**
   * Adds peers, or replaces those with the same `StableID`, and removes those with
   * the stable IDs given. A peer that is in both is removed.
   *
   * @throws {NetmapCacheError} `'not-available'` or another reason why there is no
   * snapshot to change; otherwise as {@link NetmapCache.store} does.
   */
  updatePeers(upserts: readonly NetmapNode[], removedStableIDs?: readonly string[], options?: CallOptions): Promise<void>;

  /** Adds or replaces profiles, by user ID. Throws as {@link NetmapCache.updatePeers} does. */
  updateUserProfiles(profiles: Record<string, UserProfile>, options?: CallOptions): Promise<void>;

  /** Replaces the rules of the packet filter. Throws as {@link NetmapCache.updatePeers} does. */
  updatePacketFilter(rules: readonly FilterRule[], options?: CallOptions): Promise<void>;

  /**
   * Returns the snapshot in one piece, as it is stored, once it is known to be whole: for {@link NetmapCache.import}, here or in
   * another browser, and for the files of the command `netmapcache`. It is in the clear.
   *
   * @throws {NetmapCacheError} as {@link NetmapCache.load} does.
   */
  export(options?: CallOptions): Promise<Bytes>;

  /**
   * Makes a snapshot that was exported the stored one, with its owner and its times.
   *
   * @throws {NetmapCacheError} `'corrupt'` if it isn't a whole one, `'wrong-owner'`, `'format'`; otherwise as
   * {@link NetmapCache.store} does. Nothing was changed.
   */
  import(snapshot: BufferSource | Blob, options?: CallOptions): Promise<void>;

  /** Removes the snapshot, whoever owns it. Other caches hear of it if there was one. */
  clear(options?: CallOptions): Promise<void>;

  /**
   * Calls `callback` after each change of the snapshot: by this object, by another cache on the same
   * database, or by a client program, in this or any other tab or worker of the origin. Changes in
   * quick succession may be told as one. Without BroadcastChannel in the browser, only this object's
   * changes are told.
   *
   * @returns a function that ends the subscription, as the signal and {@link NetmapCache.close} do.
   */
  subscribe(callback: (change: Change) => void, options?: CallOptions): Unsubscribe;

  /**
   * Closes the cache. Calls under way, and later ones, reject with `'closed'`; what they were storing is stored as a whole or
   * not at all. Closing again is harmless.
   */
  close(): Promise<void>;

  /** The same, for `await using`; exists where the platform has `Symbol.asyncDispose`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Ends a subscription. Calling it again is harmless. */
export interface Unsubscribe {
  (): void;
  /** The same, for `using`; exists where the platform has `Symbol.dispose`. */
  [Symbol.dispose](): void;
}

/** What is known of a snapshot without loading it. */
export interface Info {
  /** When the network map was last changed. */
  savedAt: Date;
  /** When the network map was last known to be current. It may lag by ten minutes. */
  confirmedAt: Date;
  /** As given when it was stored; empty for none. */
  owner: string;
  /** Number of peers. */
  peers: number;
  /** Number of user profiles. */
  users: number;
  /** Number of columns, the parts that the snapshot is stored as. */
  columns: number;
  /** Size of all columns in bytes. */
  bytes: number;
  /** Counts the changes of the database, from 1. */
  generation: number;
  /**
   * True if a program that uses tailscale.com's own netmapcache package wrote the snapshot:
   * then nothing else is known of it, numbers are 0 and the dates are those of the year 1.
   */
  upstream: boolean;
}

/**
 * What went wrong. The codes are stable, messages are not.
 *
 * No usable snapshot:
 * - `'not-available'`: none is stored
 * - `'corrupt'`: it is damaged
 * - `'wrong-owner'`: it belongs to another owner
 * - `'expired'`: it is older than `maxAge`
 * - `'format'`: it, or the database, was written by a newer version
 *
 * Storage:
 * - `'unavailable'`: the browser has no IndexedDB, or denies it to this page
 * - `'blocked'`: another page or worker holds the database and doesn't let go of it, though it is to be
 *   deleted or upgraded
 * - `'quota'`: the browser grants no more space; nothing was changed
 * - `'storage'`: any other failure of IndexedDB
 *
 * This module:
 * - `'invalid-argument'`: an argument can't be used; nothing was changed
 * - `'closed'`: the cache was closed
 * - `'wasm'`: the WebAssembly program could not be fetched, compiled or started
 * - `'worker'`: the worker that was given failed, or doesn't answer: it has to import `'netmapcache/worker'`
 * - `'crashed'`: the WebAssembly program or its worker ended during the call; the next call starts it again
 */
export type ErrorCode =
  | 'not-available'
  | 'corrupt'
  | 'wrong-owner'
  | 'expired'
  | 'format'
  | 'unavailable'
  | 'blocked'
  | 'quota'
  | 'storage'
  | 'invalid-argument'
  | 'closed'
  | 'wasm'
  | 'worker'
  | 'crashed';

/** Every error of this module. `cause` is the exception behind it, if there was one. */
export class NetmapCacheError extends Error {
  constructor(code: ErrorCode, message: string, options?: ErrorOptions);
  readonly name: 'NetmapCacheError';
  readonly code: ErrorCode;
}
