import type { Netmap } from 'netmapcache';

/** What a client does, and what it can do. Peers may be reached in `saved` and `live`. */
export type StateName =
  | 'starting' // the program is on its way
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
  readonly loginURL: string | undefined;
}

export interface ClientOptions {
  /** The name of the database of the network map, which netmapcache reads. Databases for keys begin with it. */
  database: string;
  /** The control server. It has to accept WebSockets from this page's origin. */
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
  /** How old a saved network map may be that the client starts from, in milliseconds. Default: 0, any. */
  maxAge?: number | undefined;
  /** Run the program in a worker of its own, so that the window stays responsive. Default: false, for callers in a worker. */
  worker?: boolean | undefined;
  /** Where the program is. Default: client.wasm beside the module. */
  wasm?: string | URL | undefined;
  /** Gives the start up. */
  signal?: AbortSignal | undefined;
  /** Is told how much of the program has come, in bytes; total is 0 if it isn't known. */
  onProgress?: ((progress: { received: number; total: number }) => void) | undefined;
  /** Log to the console. */
  verbose?: boolean | undefined;
}

/**
 * - `invalid-argument`: a call is wrong; the message says how
 * - `in-use`: another client has the database
 * - `needs-login`: the node isn't signed in
 * - `no-peer`: no peer has the name or the address
 * - `refused`, `reset`, `timeout`, `unreachable`: what became of a connection
 * - `redirect`: a redirect that isn't followed
 * - `closed`: the client, or the connection, has ended
 * - `aborted`: given up
 * - `worker`: the worker couldn't be loaded, or failed
 * - `network`, `failed`: anything else
 */
export type ErrorCode =
  | 'invalid-argument' | 'in-use' | 'needs-login' | 'no-peer' | 'refused' | 'reset' | 'timeout' | 'unreachable' | 'redirect' | 'closed'
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
  /** Milliseconds from the ping to the answer. */
  readonly latency: number;
  /** The ID of the relay that was passed; 0 if none was. */
  readonly relay: number;
  /** The address of another peer that passes packets on; empty if none does. */
  readonly peerRelay: string;
  /** The address of the peer, if nobody is between; else empty. */
  readonly endpoint: string;
}

export interface ClientEvents {
  statechange: Event;
  netmapchange: Event;
  /** A person has to open `url` to sign in. */
  login: Event & { readonly url: string };
}

export class Client extends EventTarget {
  private constructor();
  readonly state: State;
  /** The network map as netmapcache's load gives it; undefined while there is none. */
  readonly netmap: Netmap | undefined;

  /**
   * As the platform's fetch, through the network: to a peer, by its name or its address. Redirects to another host reject with
   * `redirect`, since a peer could lead to others by them; with `redirect: 'manual'` the redirect itself is the response. There are no
   * cookies, no cache and no CORS. Peers are to be trusted no more than other sites.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Connects to a TCP port of a peer. */
  connect(to: { host: string; port: number; signal?: AbortSignal | undefined }): Promise<Connection>;
  /** Asks a peer, by its name or its address, for a sign of life: Tailscale's own client there answers, whatever may be reached of the peer. */
  ping(host: string, options?: { signal?: AbortSignal | undefined }): Promise<Pong>;
  /** Asks control to let this node in, again if its key has expired. The event `login` tells where a person has to go. */
  login(): void;
  /** Tries to reach control now, if the client waits to do that. */
  retry(): void;
  /** Tells control that this node is no more. Rejects if control couldn't be told. */
  logout(): Promise<void>;
  /** Ends the client. What it has is kept for the next. */
  close(): Promise<void>;
  /** The same, for `await using`; exists where the platform has `Symbol.asyncDispose`. */
  [Symbol.asyncDispose](): Promise<void>;

  addEventListener<K extends keyof ClientEvents>(type: K, listener: (this: Client, event: ClientEvents[K]) => void, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof ClientEvents>(type: K, listener: (this: Client, event: ClientEvents[K]) => void, options?: boolean | EventListenerOptions): void;
}

/**
 * Starts a client. It resolves when the program runs, whatever the state of the network: the client comes up with the network map that
 * was saved, and tells by its events what changes. One client runs on a database, in all tabs of an origin.
 */
export function startClient(options: ClientOptions): Promise<Client>;
