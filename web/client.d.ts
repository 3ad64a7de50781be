// The types of client.js, whose documentation says what they mean.

import type { Answer, State, Step } from './app/types';
import type { Program } from './fetch-client.js';

export interface Client {
  news(whole: boolean): string | null;
  retry(): void;
  login(): void;
  logout(): Promise<void>;
  fetch(url: string, options?: { signal?: AbortSignal }): Promise<Answer>;
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
