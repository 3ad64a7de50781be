// The program of the package netmapcache-client in Node.js: what is left of a client that has ended.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { exitingWasm } from './exiting-wasm.mjs';

test('a client that ends leaves no timer', async (t) => {
  t.mock.method(globalThis, 'fetch', async () => new Response(exitingWasm, { headers: { 'Content-Type': 'application/wasm' } }));
  // Go's support code calls a program that doesn't notice its timer again and again, and complains each time.
  t.mock.method(console, 'warn', (complaint) => assert.fail(complaint));
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const set = t.mock.method(globalThis, 'setTimeout');
  globalThis.WebSocket ??= class {}; // which Node.js 20 lacks
  const { startProgram } = await import('../dist/client/program.js');
  await assert.rejects(startProgram({ controlURL: 'http://127.0.0.1', keepKeys: true, onState: assert.fail }), { message: 'the client ended' });
  assert.equal(set.mock.callCount(), 1, 'the program set a timer');
  t.mock.timers.runAll();
});
