// The types of run.js, whose documentation says what they mean.

import type { Pong, State, Step } from '../app/types';
import type { Program } from './fetch-client.js';

export interface Reader {
  read(): Promise<Uint8Array | null>;
  close(): void;
}

export interface Stream extends Reader {
  write(bytes: Uint8Array): Promise<void>;
  closeWrite(): Promise<void>;
}

export interface Request {
  method: string;
  url: string;
  headers: [string, string][];
  read?: () => Promise<Uint8Array | null>;
  size?: number;
  follow: boolean;
}

export interface Response extends Reader {
  status: number;
  statusText: string;
  url: string;
  headers: [string, string][];
}

export interface Client {
  news(whole: boolean): string | null;
  retry(): void;
  login(): void;
  logout(): Promise<void>;
  request(request: Request, options?: { signal?: AbortSignal }): Promise<Response>;
  connect(address: string, options?: { signal?: AbortSignal }): Promise<Stream>;
  ping(host: string, options?: { signal?: AbortSignal }): Promise<Pong>;
  stop(): void;
  ended: Promise<void>;
}

export function startClient(options: {
  database: string;
  controlURL: string;
  hostname: string;
  maxAge?: number;
  keepKeys?: boolean;
  program?: PromiseLike<Program>;
  onState: (state: State) => void;
  onEvent?: (event: Step) => void;
  verbose?: boolean;
}): Promise<Client>;

export function keysKept(database: string): Promise<boolean>;
export function removeKeys(database: string): Promise<void>;
