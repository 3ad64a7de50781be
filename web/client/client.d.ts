/**
 * A node of a Tailscale-style network in the browser. `netmapcache-client/program` is the program without what is made of it here.
 *
 * Clients on one database, in all tabs of an origin, are one node. The first one leads: it runs the program. The others follow it:
 * they have its state and its network map, and what they ask goes through it. When the leader has ended, or its tab is gone, the
 * follower that has waited longest leads. That takes Web Locks and BroadcastChannel, which browsers offer to pages with TLS and to those of this
 * machine; elsewhere an application has to see to it that only one client runs.
 *
 * @module
 */
import type { Netmap, NetmapNode } from 'netmapcache';

/** What a client does, and what it can do. Peers may be reached in `saved` and `live`. */
export type StateName =
  | 'starting' // the program is on its way, here or in another tab
  | 'connecting' // control is asked, and there is no network map yet
  | 'saved' // there is a network map from before; control is asked, again and again if it can't be reached
  | 'live' // the network map is followed as control tells it
  | 'needs-login' // a person has to sign in, at `loginURL` once control has told it
  | 'needs-approval' // an administrator has to let this device in
  | 'expired' // the node's key has expired: a person has to sign in again
  | 'stopped'; // the client has ended, by itself if there is an `error`

export interface State {
  readonly name: StateName;
  readonly since: Date;
  /** Why control can't be reached, or refuses this node, if that is so. */
  readonly error: string | undefined;
  /**
   * `login-refused`: control doesn't let this node in, for the reason in `error`. `exit-node`: the option `exitNode` names no peer
   * that leads out. Undefined if there is no error, or control can't be reached.
   */
  readonly code: 'login-refused' | 'exit-node' | undefined;
  readonly loginURL: string | undefined;
  /** Another client, maybe in another tab, runs the program, and this one uses it. */
  readonly following: boolean;
}

export interface ClientOptions {
  /** The name of the database of the network map, which netmapcache reads. Databases for keys begin with it. */
  database: string;
  /**
   * The control server, with its port, and its path if it has one. It has to accept WebSockets from this page's origin, and to let it
   * read `/key`. A proxy that has it under a path takes that off. A database is for one control server: with another the client
   * doesn't start (`other-control`), until it has logged out.
   */
  controlURL: string;
  /** What the node calls itself. */
  hostname: string;
  /** Lets a new node in without a person. A node that is known already doesn't use it. Tags are those of the key. */
  authKey?: string | undefined;
  /**
   * Keep the node's keys in memory alone: each start makes a new node, which control soon forgets. By default true where the
   * page has no TLS: another program can become such an origin, and read its keys.
   */
  ephemeral?: boolean | undefined;
  /** Reach subnets behind peers. Default: true. */
  acceptRoutes?: boolean | undefined;
  /** Look up names as control says. Default: true. */
  acceptDNS?: boolean | undefined;
  /**
   * The peer through which addresses outside of the network are reached: its name, an address or its stable ID. While it can't be
   * used, such addresses are refused (`exit-node`), and the state says why. Names outside of the network aren't looked up.
   */
  exitNode?: string | undefined;
  /** How old a saved network map may be that the client starts from, in milliseconds. Default: 0, any. */
  maxAge?: number | undefined;
  /** Run the program in a worker of its own, so that the window stays responsive. Default: false, for callers in a worker. */
  worker?: boolean | undefined;
  /** Where the program is. Default: client.wasm beside the module. */
  wasm?: string | URL | undefined;
  /** Gives the start up, and ends the client if it is aborted before that has resolved. */
  signal?: AbortSignal | undefined;
  /** Is told how much of the program has come, in bytes; total is 0 if it isn't known. */
  onProgress?: ((progress: { received: number; total: number }) => void) | undefined;
  /** Log to the console. */
  verbose?: boolean | undefined;
}

/**
 * - `invalid-argument`: a call is wrong; the message says how
 * - `version`: the program isn't of the version of the JavaScript; the message names both
 * - `other-control`: the database is that of another control server's node; the message names it
 * - `in-use`: another client has the database, with another control server
 * - `needs-login`: the node isn't signed in
 * - `no-peer`: no peer has the name or the address
 * - `refused`, `reset`, `timeout`, `unreachable`: what became of a connection
 * - `exit-node`: the address is outside of the network, and the exit node can't be used
 * - `redirect`: a redirect that isn't followed
 * - `closed`: the client, or the connection, has ended; or the client that this one followed
 * - `aborted`: given up
 * - `worker`: the worker couldn't be loaded, or failed
 * - `network`, `failed`: anything else
 */
export type ErrorCode =
  | 'invalid-argument' | 'version' | 'other-control' | 'in-use' | 'needs-login' | 'no-peer' | 'refused' | 'reset' | 'timeout' | 'unreachable' | 'exit-node' | 'redirect' | 'closed'
  | 'aborted' | 'worker' | 'network' | 'failed';

export class ClientError extends Error {
  readonly name: 'ClientError';
  readonly code: ErrorCode;
}

/** A TCP connection. Each side waits for the other: what isn't read isn't sent, and what isn't sent isn't taken. */
export interface Connection {
  readonly readable: ReadableStream<Uint8Array>;
  /** Closing it tells the peer that nothing more comes, and leaves `readable` open. */
  readonly writable: WritableStream<BufferSource>;
  /**
   * Settles when both directions have ended; rejects if the connection broke. A peer that vanishes without a word isn't noticed by who
   * only reads: give up then, by `writable.abort()`.
   */
  readonly closed: Promise<void>;
}

/** A peer's answer to a ping, and the way that it took. */
export interface Pong {
  /** Milliseconds from the ping to the answer, by the browser's clock: Firefox's has steps of one, so 0 may be told. */
  readonly latency: number;
  /** The ID of the relay that was passed; 0 if none was. */
  readonly relay: number;
  /** The address of another peer that passes packets on; empty if none does. */
  readonly peerRelay: string;
  /** The address of the peer, if nobody is between; else empty. */
  readonly endpoint: string;
}

/** Options of {@link Client.peers}. */
export interface PeersOptions {
  /** Words, all of which have to occur in a peer's names, addresses, tags, operating system, stable ID, relay or owners, in upper or lower case. */
  search?: string | undefined;
  /** `name` is the order of people: numbers by their value, no regard to case. Default: `ID`. */
  sort?: 'ID' | 'name' | undefined;
  /** Number of peers to skip. Default: 0. */
  offset?: number | undefined;
  /** Number of peers to return at most. Default: 100. */
  limit?: number | undefined;
}

export interface ClientEvents {
  statechange: Event;
  netmapchange: Event;
  /** A person has to open `url` to sign in. All clients on the database are told. */
  login: Event & { readonly url: string };
}

/**
 * Any number of calls may be under way at once. What is asked while no program runs, because a leader was lost or the program is on its way,
 * waits for it. What was under way through a leader that was lost rejects with `closed`, streams too: it may or may not have reached the peer.
 */
export class Client extends EventTarget {
  private constructor();
  readonly state: State;
  /** The network map as netmapcache's load gives it; undefined while there is none. It stays the same object until the next `netmapchange`, and must not be changed. */
  readonly netmap: Netmap | undefined;
  /**
   * Some of the peers of `netmap` as it is now, as netmapcache's peers gives them, and how many the search finds.
   *
   * @throws {ClientError} `invalid-argument` for another order
   */
  peers(options?: PeersOptions): { total: number; peers: NetmapNode[] };

  /**
   * As the platform's fetch, through the network: to a peer, by its name or its address. Redirects to another host reject with
   * `redirect`, since a peer could lead to others by them; with `redirect: 'manual'` the redirect itself is the response. There are no
   * cookies, no cache and no CORS. Peers are to be trusted no more than other sites.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Connects to a TCP port of a peer. Through a leader, bytes are copied twice more on their way. */
  connect(to: { host: string; port: number; signal?: AbortSignal | undefined }): Promise<Connection>;
  /** Asks a peer, by its name or its address, for a sign of life: Tailscale's own client there answers, whatever may be reached of the peer. */
  ping(host: string, options?: { signal?: AbortSignal | undefined }): Promise<Pong>;
  /** Asks control to let this node in, again if its key has expired. The event `login` tells where a person has to go. */
  login(): void;
  /** Tries to reach control now, if the client waits to do that. */
  retry(): void;
  /** Tells control that this node is no more. Rejects if control couldn't be told. */
  logout(): Promise<void>;
  /** Ends the client. What it has is kept for the next. If it leads, a follower takes over; if it follows, the leader goes on. */
  close(): Promise<void>;
  /** The same, for `await using`; exists where the platform has `Symbol.asyncDispose`. */
  [Symbol.asyncDispose](): Promise<void>;

  addEventListener<K extends keyof ClientEvents>(type: K, listener: (this: Client, event: ClientEvents[K]) => void, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof ClientEvents>(type: K, listener: (this: Client, event: ClientEvents[K]) => void, options?: boolean | EventListenerOptions): void;
}

/**
 * Starts a client. It resolves when the program runs, whatever the state of the network: the client comes up with the network map that
 * was saved, and tells by its events what changes. If another client has the database, it resolves when that one's program runs, and follows it;
 * options other than `database` and `controlURL` then hold from when it leads.
 *
 * @throws {ClientError} `invalid-argument`, `in-use`, `worker`, `failed`, or what `signal` was aborted with
 */
export function startClient(options: ClientOptions): Promise<Client>;
