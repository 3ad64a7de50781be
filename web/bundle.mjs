// What the builds of the packages and of the page have in common.

import { join } from 'node:path';

// options returns options of esbuild for what uses Go's support code, which wasm/build.sh has put into a folder.
export const options = (dist) => ({
  bundle: true,
  format: 'esm',
  target: ['chrome109', 'firefox114', 'safari16.4'],
  logLevel: 'warning',
  plugins: [{
    name: 'support',
    setup({ onResolve }) {
      onResolve({ filter: /\/wasm_exec\.mjs$/ }, () => ({ path: join(dist, 'wasm_exec.mjs') }));
    },
  }],
});
