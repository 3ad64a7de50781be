/// <reference lib="esnext.disposable" />

/**
 * Keeps the last good network map of a Tailscale-style network in the browser, in
 * IndexedDB, so that a page can show it, and a client start from it, while the
 * control plane can't be reached.
 *
 * The module runs the Go package github.com/netmapcache/netmapcache as
 * WebAssembly, and shares its databases with Go programs that run in the same
 * origin. It works in windows and in workers of every kind. A Content-Security-Policy
 * needs `'wasm-unsafe-eval'` in `script-src`.
 *
 * ```js
 * import { openCache } from 'netmapcache';
 *
 * const cache = await openCache({ database: 'profile-1', worker: true });
 * const { SelfNode, DNS } = await cache.load({ peers: false });
 * const { total, peers } = await cache.peers({ limit: 50, search: 'linux' });
 * ```
 *
 * Every asynchronous function rejects with a {@link NetmapCacheError}, or, if its
 * `signal` is aborted, with the reason of the signal. Whether a change that was
 * aborted took effect is then unknown; it did as a whole or not at all.
 *
 * On the timeline (`performance.getEntriesByName`) are measures of how long the last time took,
 * each named `netmapcache:` and a stage: `fetch` (until the answer begins), `compile` (with what is
 * still to be received), `start`, `open` (the database), `read` and `decode` (a snapshot).
 *
 * @module
 */

/** Options of {@link openCache}. */
export interface OpenOptions {
  /** Name of the IndexedDB database. Default: `'netmapcache'`. Each profile should have its own. */
  database?: string;

  /**
   * Whom snapshots belong to: a profile, or the URL of a control plane, as the
   * application likes. They are stored with it, and those with another owner are not
   * loaded (`'wrong-owner'`). Default: none, which loads any.
   */
  owner?: string;

  /** Age in milliseconds from which snapshots are not loaded (`'expired'`). Default: no limit. */
  maxAge?: number;

  /**
   * Where `netmapcache.wasm` comes from: its address, a response that carries it, its
   * bytes, or itself as compiled. Default: the file of that name beside this module.
   *
   * All caches of a window or worker share one run of it, save for `worker`: what counts is what
   * the first call gave, until a start has failed or the program has crashed.
   */
  wasm?: WasmSource | PromiseLike<WasmSource>;

  /**
   * Where the work is done. Thousands of peers take it long enough to be noticed.
   *
   * - `false`, the default: here
   * - `true`: in a worker, which runs as long as caches use it. The page has to be of the
   *   same origin as this module, and a Content-Security-Policy to allow it (`worker-src`)
   * - a worker that imports `'netmapcache/worker'` when it starts, beside whatever else it does
   */
  worker?: boolean | Worker;

  /** Ends the wait for the cache. */
  signal?: AbortSignal;
}

/** See {@link OpenOptions.wasm}. */
export type WasmSource = string | URL | Response | BufferSource | WebAssembly.Module;

/** Options of the methods of a {@link Cache}. */
export interface CallOptions {
  /** Ends the call or the subscription. */
  signal?: AbortSignal;
}

/** Options of {@link Cache.load}. */
export interface LoadOptions extends CallOptions {
  /** False leaves out `Peers`, which {@link Cache.peers} gives. Default: true. */
  peers?: boolean;
}

/** Options of {@link Cache.peers}. */
export interface PeersOptions extends CallOptions {
  /** Number of peers to skip. Default: 0. */
  offset?: number;

  /** Number of peers to return at most. Default: 100. */
  limit?: number;

  /**
   * Words, all of which have to occur in a peer's names, addresses, tags, operating system,
   * stable ID or owner, in upper or lower case. Default: none, which finds all peers.
   */
  search?: string;
}

/** Some of the peers. */
export interface Peers {
  /** Number of peers that the search finds. */
  total: number;
  /** Those asked for. */
  peers: Node[];
}

/** A piece of a network map: see {@link Cache.stream}. */
export interface Piece {
  /** In the first piece alone: the network map without what follows. */
  netmap?: Omit<Netmap, 'Peers' | 'UserProfiles'>;
  /** Number of peers in all pieces. */
  total: number;
  /** Some of the peers. */
  peers: Node[];
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
 * @throws {NetmapCacheError} `'wasm'`, `'crashed'`, `'unavailable'`, `'blocked'`,
 * `'format'`, `'quota'`, `'storage'` or `'invalid-argument'`. A later call tries again from the start.
 */
export function openCache(options?: OpenOptions): Promise<Cache>;

/** One snapshot of a network map, stored in a database. Calls may overlap. */
export interface Cache {
  /**
   * Loads the network map; its `Cached` is true.
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
   * the stable ID, numbers by their value, upper and lower case of ASCII alike.
   *
   * @throws {NetmapCacheError} as {@link Cache.load} does, or what `callback` threw, which isn't called again then.
   */
  stream(callback: (piece: Piece) => void, options?: CallOptions): Promise<void>;

  /**
   * Returns some of the peers, in order of `ID`. What was loaded is kept for the next call, here and in
   * {@link Cache.load}, as long as the snapshot doesn't change.
   *
   * @throws {NetmapCacheError} as {@link Cache.load} does.
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
   * written again. Nothing is stored if `Cached` is true: a map that came from a
   * cache would seem younger than it is.
   *
   * What {@link Cache.load} gave can be stored and gives the same map again,
   * save for what `JSON.parse` changes within values that applications put into
   * capabilities: the precision of large numbers, and how a number is written.
   *
   * @throws {NetmapCacheError} `'invalid-argument'` if it isn't a network map,
   * or has no `SelfNode` with a `User`; `'quota'`.
   */
  store(netmap: Netmap, options?: CallOptions): Promise<void>;

  /**
   * Stores everything of a network map but its `Peers` and `UserProfiles`;
   * those that are stored remain. Otherwise as {@link Cache.store}.
   */
  updateSelf(netmap: Netmap, options?: CallOptions): Promise<void>;

  /**
   * Adds peers, or replaces those with the same `StableID`, and removes those with
   * the stable IDs given. A peer that is in both is removed.
   *
   * @throws {NetmapCacheError} `'not-available'` or another reason why there is no
   * snapshot to change; `'invalid-argument'`; `'quota'`.
   */
  updatePeers(upserts: readonly Node[], removedStableIDs?: readonly string[], options?: CallOptions): Promise<void>;

  /** Adds or replaces profiles, by user ID. Throws as {@link Cache.updatePeers} does. */
  updateUserProfiles(profiles: Record<string, UserProfile>, options?: CallOptions): Promise<void>;

  /** Replaces the rules of the packet filter. Throws as {@link Cache.updatePeers} does. */
  updatePacketFilter(rules: readonly FilterRule[], options?: CallOptions): Promise<void>;

  /**
   * Returns the snapshot in one piece, as it is stored, once it is known to be whole: for {@link Cache.import}, here or in
   * another browser, and for the files of the command `netmapcache`. It is in the clear.
   *
   * @throws {NetmapCacheError} as {@link Cache.load} does.
   */
  export(options?: CallOptions): Promise<Uint8Array<ArrayBuffer>>;

  /**
   * Makes a snapshot that was exported the stored one, with its owner and its times.
   *
   * @throws {NetmapCacheError} `'corrupt'` if it isn't a whole one, `'wrong-owner'`, `'format'`, `'invalid-argument'`,
   * `'quota'`; nothing was changed.
   */
  import(snapshot: BufferSource | Blob, options?: CallOptions): Promise<void>;

  /** Removes the snapshot, whoever owns it. */
  clear(options?: CallOptions): Promise<void>;

  /**
   * Calls `callback` after each change of the snapshot: by this object, by another cache on the same
   * database, or by a client program, in this or any other tab or worker of the origin. Changes in
   * quick succession may be told as one. Without BroadcastChannel in the browser, only this object's
   * changes are told.
   *
   * @returns a function that ends the subscription, as the signal and {@link Cache.close} do.
   */
  subscribe(callback: (change: Change) => void, options?: CallOptions): Unsubscribe;

  /**
   * Closes the cache. Calls under way, and later ones, reject with `'closed'`.
   * Closing again is harmless.
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
 * - `'blocked'`: another page or worker holds the database and doesn't let go of it
 * - `'quota'`: the browser grants no more space; nothing was changed
 * - `'storage'`: any other failure of IndexedDB
 *
 * This module:
 * - `'invalid-argument'`: an argument can't be used; nothing was changed
 * - `'closed'`: the cache was closed
 * - `'wasm'`: the WebAssembly program could not be fetched, compiled or started
 * - `'crashed'`: the WebAssembly program ended; all its caches are lost, new ones can be opened
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
  | 'crashed';

/** Every error of this module. `cause` is the exception behind it, if there was one. */
export class NetmapCacheError extends Error {
  constructor(code: ErrorCode, message: string, options?: ErrorOptions);
  readonly name: 'NetmapCacheError';
  readonly code: ErrorCode;
}

/**
 * A network map: netmap.NetworkMap of tailscale.com, less the fields that follow from others
 * (NodeKey, AllCaps, PacketFilter). It and its parts have the field names of
 * tailscale.com/tailcfg; those that pages are likely to read are declared here, and
 * all are present. Fields that tailcfg leaves out of JSON when they are zero are undefined,
 * and so is TKAHead.
 *
 * Times are strings as of RFC 3339, keys are strings with a prefix ("nodekey:"), addresses and
 * prefixes are strings ("100.64.0.1/32").
 */
export interface Netmap {
  /** True if it came from a cache, false or absent if from the control plane. */
  Cached?: boolean;
  SelfNode: Node;
  MachineKey?: string;
  /** In order of `ID`. */
  Peers?: Node[] | null;
  DNS?: DNSConfig;
  PacketFilterRules?: FilterRule[] | null;
  SSHPolicy?: Record<string, unknown> | null;
  CollectServices?: boolean;
  DERPMap?: DERPMap | null;
  DisplayMessages?: Record<string, DisplayMessage> | null;
  TKAEnabled?: boolean;
  TKAHead?: string;
  Domain?: string;
  DomainAuditLogID?: string;
  /** By user ID. */
  UserProfiles?: Record<string, UserProfile> | null;
}

/**
 * The ID of a node or user: a number, or, above Number.MAX_SAFE_INTEGER, which Tailscale's
 * control plane exceeded before March 2023, a string of decimal digits.
 */
export type ID = number | string;

/** tailcfg.Node: this node or a peer. */
export interface Node {
  ID: ID;
  StableID: string;
  /** Fully qualified, with a trailing dot. */
  Name: string;
  User: ID;
  Sharer?: ID;
  Key: string;
  KeyExpiry?: string;
  Machine?: string;
  DiscoKey?: string;
  Addresses: string[] | null;
  AllowedIPs?: string[] | null;
  Endpoints?: string[];
  /** Region of the relay where the node is at home. */
  HomeDERP?: number;
  Hostinfo?: Hostinfo | null;
  Created?: string;
  Cap?: number;
  Tags?: string[];
  PrimaryRoutes?: string[];
  LastSeen?: string;
  Online?: boolean;
  MachineAuthorized?: boolean;
  CapMap?: Record<string, unknown[] | null>;
  ComputedName?: string;
  Expired?: boolean;
  [field: string]: unknown;
}

/** tailcfg.Hostinfo. */
export interface Hostinfo {
  OS?: string;
  OSVersion?: string;
  Hostname?: string;
  [field: string]: unknown;
}

/** tailcfg.UserProfile. */
export interface UserProfile {
  ID: ID;
  LoginName: string;
  DisplayName: string;
  ProfilePicURL?: string;
  [field: string]: unknown;
}

/** tailcfg.DNSConfig. */
export interface DNSConfig {
  Resolvers?: Resolver[];
  Routes?: Record<string, Resolver[] | null>;
  FallbackResolvers?: Resolver[];
  Domains?: string[];
  Proxied?: boolean;
  CertDomains?: string[];
  ExtraRecords?: { Name: string; Type?: string; Value: string }[];
  [field: string]: unknown;
}

/** dnstype.Resolver. */
export interface Resolver {
  Addr?: string;
  [field: string]: unknown;
}

/** tailcfg.DERPMap: the relays. */
export interface DERPMap {
  Regions: Record<string, DERPRegion | null> | null;
  [field: string]: unknown;
}

/** tailcfg.DERPRegion. */
export interface DERPRegion {
  RegionID: number;
  RegionCode: string;
  RegionName: string;
  Nodes: { Name: string; RegionID: number; HostName: string; [field: string]: unknown }[] | null;
  [field: string]: unknown;
}

/** tailcfg.FilterRule. */
export interface FilterRule {
  SrcIPs: string[] | null;
  DstPorts?: { IP: string; Ports: { First: number; Last: number }; [field: string]: unknown }[];
  IPProto?: number[];
  CapGrant?: Record<string, unknown>[];
  [field: string]: unknown;
}

/** tailcfg.DisplayMessage: a warning of the control plane. */
export interface DisplayMessage {
  Title: string;
  Text: string;
  Severity: string;
  ImpactsConnectivity?: boolean;
  PrimaryAction?: { URL: string; Label: string };
}
