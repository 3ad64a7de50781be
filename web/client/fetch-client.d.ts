// The types of fetch-client.js, whose documentation says what they mean.

export interface Program {
  module: WebAssembly.Module;
  fetched: number;
  compiled: number;
}

export function fetchClient(onProgress?: (progress: { received: number; total: number }) => void, url?: string): Promise<Program>;
