// Run at the root of the repository, with --config.

import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['**/node_modules/', '**/dist/', '**/wasm_exec.js', 'web/cache/reader/structs.js'] }, // the last is generated
  js.configs.recommended,
  {
    // Tests hold functions for the browser beside those for Node.js.
    languageOptions: { globals: { ...globals.browser, ...globals.serviceworker, ...globals.node } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  {
    // What tests give to the pages they open.
    files: ['e2e/**'],
    languageOptions: { globals: { Go: 'readonly', clear: 'readonly', client: 'readonly', connections: 'readonly', lab: 'readonly', report: 'readonly', shifts: 'readonly', startClient: 'readonly', test: 'readonly', until: 'readonly' } },
  },
];
