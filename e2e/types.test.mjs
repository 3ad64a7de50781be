// Checks the module's types with a program that uses all of them.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

test('usage.ts compiles', () => {
  const { status, stdout } = spawnSync(process.execPath, [tsc, '--project', fileURLToPath(new URL('.', import.meta.url))], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout);
});
