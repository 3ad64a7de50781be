// The types of client.js, whose documentation says what they mean.

import type { Answer, Pong, State, Step } from './app/types';

export interface Client {
  news(whole: boolean): string | null;
  retry(): void;
  login(): void;
  logout(): Promise<void>;
  fetch(url: string, options?: { signal?: AbortSignal }): Promise<Answer>;
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
  onState: (state: State) => void;
  onEvent?: (event: Step) => void;
  onProgress?: (progress: { received: number; total: number }) => void;
  verbose?: boolean;
}): Promise<Client>;

export function keysKept(database: string): Promise<boolean>;
export function removeKeys(database: string): Promise<void>;
