/**
 * The program without what {@link https://www.npmjs.com/package/netmapcache-client netmapcache-client} makes of it: for applications that
 * have a worker of their own, follow the network map by its changes, or show more of what the program says of itself.
 * It runs where it is started, in a window or a worker, and knows nothing of other tabs: two programs must never run on one database.
 *
 * ```js
 * import { fetchProgram, startProgram } from 'netmapcache-client/program';
 *
 * const program = await startProgram({
 *   database: 'my-network', controlURL: 'https://control.example.com', hostname: 'browser', program: fetchProgram(),
 *   onState: ({ phase, error }) => console.log(phase, error),
 * });
 * console.log(JSON.parse(program.news(true) ?? 'null'));
 * ```
 *
 * @module
 */
import type { Pong } from './client.js';

export { ClientError, type ErrorCode, type Pong } from './client.js';

/** The program, fetched and compiled, and when that was done, in milliseconds since 1970. */
export interface FetchedProgram {
  module: WebAssembly.Module;
  fetched: number;
  compiled: number;
}

/**
 * Fetches and compiles the program: most of a client's start, which may begin before the rest is known.
 *
 * @param options.url Where it is. Default: client.wasm beside the module.
 * @param options.onProgress Is told how much has come, in bytes; total is 0 if it isn't known. With it, a browser doesn't look
 * among the programs that it has compiled before, and keeps: give it where the program comes from afar.
 * @throws {Error} if the server's answer isn't the program
 */
export function fetchProgram(options?: {
  url?: string | URL | undefined;
  onProgress?: ((progress: { received: number; total: number }) => void) | undefined;
}): Promise<FetchedProgram>;

/** What the program says of itself. Times are in milliseconds since 1970, 0 for none; texts are empty if there are none. */
export interface ProgramState {
  /** `waiting`: control is asked, again and again, for a node that is known already. */
  phase: 'connecting' | 'login' | 'approval' | 'live' | 'waiting';
  since: number;
  loginURL: string;
  /** Why control can't be reached, or refuses this node. */
  error: string;
  /** Control doesn't let this node in, for the reason in `error`. */
  refused: boolean;
  /** Why the option `exitNode` can't be used. */
  exitNodeError: string;
  /** The state of Tailscale's backend, in its own words. */
  backend: string;
  nodeKey: string;
  keyExpired: number;
  /** How many network maps have come from control since the start, and how many changes. */
  fullMaps: number;
  deltas: number;
  saved: boolean;
  savedAt: number;
  saveError: string;
  cacheError: string;
}

/** A step of the start, told once, and when, in milliseconds since 1970. */
export interface Step {
  /**
   * - `fetched`, `compiled`: the program
   * - `started`: the node runs
   * - `restored`: it has the saved network map
   * - `engine up`: it knows routes to peers
   * - `relay up`: its home relay has answered
   * - `peer answered`: a peer has answered for the first time
   * - `control live`: control has sent its network map
   */
  name: string;
  at: number;
}

/** What comes in, piece by piece: null at its end. Each read waits for the one before. `close` gives the rest up. */
export interface RawReader {
  read(): Promise<Uint8Array | null>;
  close(): void;
}

export interface RawConnection extends RawReader {
  write(bytes: Uint8Array): Promise<void>;
  closeWrite(): Promise<void>;
}

/** The body of a request. Each attempt to send it reads it from the beginning; there is more than one only if `size` is known. */
export interface RawBody {
  /** In bytes. */
  size?: number | undefined;
  /** Returns some bytes, or null at the end. The next call comes once it has settled. */
  read(attempt: number): Promise<Uint8Array | null>;
  /** Gives an attempt up: nothing more of it is read. */
  cancel(attempt?: number): void;
}

export interface RawRequest {
  method: string;
  /** Of a peer, by its name or its address. */
  url: string;
  headers: [string, string][];
  body?: RawBody | undefined;
  /** Follow redirects on the same host. */
  follow: boolean;
}

export interface RawResponse extends RawReader {
  status: number;
  statusText: string;
  url: string;
  headers: [string, string][];
}

/** All that is asked rejects with a {@link ClientError}, or with the reason of a signal; `closed` once the program has ended. */
export interface Program {
  /**
   * What has changed of the network map since the last call, or all of it: JSON text, for whoever follows it to parse. Null while
   * there is none. `whole`: what was told before is void; `live`: it came from control, and wasn't saved; `netmap`: all but peers and
   * users, if any of that differs; `peers`: those that are new or differ; `gone`: IDs of those that are no more; `users`: by ID,
   * those that are new or differ, null for those that are no more. What is empty is left out.
   */
  news(whole: boolean): string | null;
  /** Tries to reach control now. */
  retry(): void;
  /** Asks control to let this node in, again if its key has expired. */
  login(): void;
  /** Tells control that this node is no more. Rejects if control couldn't be told. */
  logout(): Promise<void>;
  /** Sends an HTTP request to a peer. Resolves once the headers are there. Peers are to be trusted no more than other sites: show what they send in a sandbox only. */
  request(request: RawRequest, options?: { signal?: AbortSignal | undefined }): Promise<RawResponse>;
  /** Connects to a TCP port of a peer, host:port. */
  connect(address: string, options?: { signal?: AbortSignal | undefined }): Promise<RawConnection>;
  /** Asks a peer, by name or address, for a sign of life. */
  ping(host: string, options?: { signal?: AbortSignal | undefined }): Promise<Pong>;
  /** Ends the program; returns `ended`. */
  stop(): Promise<void>;
  /** Resolves when the program was stopped, rejects with `failed` if it ended by itself. */
  readonly ended: Promise<void>;
}

/** Options as those of startClient, where they have the same names. */
export interface ProgramOptions {
  database: string;
  controlURL: string;
  hostname: string;
  /** In milliseconds. Default: 0, any. */
  maxAge?: number | undefined;
  /**
   * Keep the node's keys in the browser. Else they are in memory, those that were kept before are removed, and each start makes a
   * new node: for origins that another program can become, which are all without TLS. Default: whether the page has TLS.
   */
  keepKeys?: boolean | undefined;
  authKey?: string | undefined;
  acceptRoutes?: boolean | undefined;
  acceptDNS?: boolean | undefined;
  exitNode?: string | undefined;
  /** The program, from {@link fetchProgram}. Default: it is fetched now. */
  program?: PromiseLike<FetchedProgram> | FetchedProgram | undefined;
  /** Is called with the state whenever that has changed. */
  onState?: ((state: ProgramState) => void) | undefined;
  /** Is called with each step of the start. */
  onEvent?: ((step: Step) => void) | undefined;
  /** Log to the console. */
  verbose?: boolean | undefined;
}

/** Starts the program. Resolves when it runs, whatever the state of the network. @throws {ClientError} `failed` if it can't run */
export function startProgram(options: ProgramOptions): Promise<Program>;

/** Whether keys of a node are kept for a database. */
export function keysKept(database: string): Promise<boolean>;

/** Removes a node's keys, which no program may use any more. */
export function removeKeys(database: string): Promise<void>;
