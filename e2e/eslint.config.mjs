// Run at the root of the repository, with --config.

import { readFileSync } from 'node:fs';

import js from '@eslint/js';
import globals from 'globals';

// offered returns what a package of web/ offers to applications, as the page imports it.
function offered(name) {
  const { exports } = JSON.parse(readFileSync(new URL(`../web/${name}/package.json`, import.meta.url), 'utf8'));
  return Object.values(exports).map((file) => `../${name}${(file.default ?? file).slice(1)}`);
}

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
    files: ['web/app/**'],
    rules: {
      'no-restricted-imports': ['error', {
        patterns: [{ group: ['../cache/**', '../client/**', '../go.js', ...['cache', 'client'].flatMap(offered).map((path) => `!${path}`)], message: 'The page uses what the packages offer to all.' }],
      }],
    },
  },
  {
    // What tests give to the pages they open.
    files: ['e2e/**'],
    languageOptions: { globals: { Go: 'readonly', clear: 'readonly', client: 'readonly', connections: 'readonly', lab: 'readonly', limit: 'readonly', options: 'readonly', report: 'readonly', shifts: 'readonly', startClient: 'readonly', states: 'readonly', test: 'readonly', until: 'readonly' } },
  },
];
