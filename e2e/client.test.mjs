// web/client/program.js in Node.js: what is left of a client that has ended.

import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { exitingWasm } from './exiting-wasm.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

test('a client that ends leaves no timer', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-client-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const name of ['client', 'go.js', 'package.json']) await cp(join(root, 'web', name), join(folder, name), { recursive: true });
  for (const place of ['.', 'client']) await cp(join(root, 'dist/wasm_exec.mjs'), join(folder, place, 'wasm_exec.mjs'));
  t.mock.method(globalThis, 'fetch', async () => new Response(exitingWasm, { headers: { 'Content-Type': 'application/wasm' } }));
  // Go's support code calls a program that doesn't notice its timer again and again, and complains each time.
  t.mock.method(console, 'warn', (complaint) => assert.fail(complaint));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const set = t.mock.method(globalThis, 'setTimeout');
  globalThis.WebSocket ??= class {}; // which Node.js 20 lacks
  const { startProgram } = await import(pathToFileURL(join(folder, 'client/program.js')));
  await assert.rejects(startProgram({ keepKeys: true, onState: assert.fail }), { message: 'the client ended' });
  assert.equal(set.mock.callCount(), 1, 'the program set a timer');
  t.mock.timers.runAll();
});
