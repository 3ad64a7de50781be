// Tests caches that do their work in a worker: all that is tested of caches in the page, and what
// only a worker can do.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { database, page, useWorker } from './module-pages.mjs';
import { netmap } from './netmap.mjs';

useWorker();
await import('./module.test.mjs');
await import('./pieces.test.mjs');

test('at 10,000 peers the page has only small pieces of work', async () => {
  await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    await cache.store(map);
    await cache.close();
  }, database, netmap(10_000));
  const [peers, longest, instances] = await page.evaluate(async (database) => {
    let instances = 0;
    const { instantiate } = WebAssembly;
    WebAssembly.instantiate = (...args) => (instances++, instantiate(...args));
    let longest = 0;
    const { parse } = JSON;
    JSON.parse = (text) => ((longest = Math.max(longest, text.length)), parse(text));

    const cache = await test.openCache({ database });
    await cache.load({ peers: false });
    await cache.peers({ search: 'host-9', offset: 100, limit: 100 });
    const { Peers } = await cache.load();
    return [Peers.length, longest, instances];
  }, database);
  assert.equal(peers, 10_000);
  assert.ok(longest < 500_000, `${longest} characters of JSON at once`); // parsed in some milliseconds
  assert.equal(instances, 0);
});

test('the worker ends with the last cache', async () => {
  const seen = await page.evaluate(async (database) => {
    let terminated = 0;
    const { terminate } = Worker.prototype;
    Worker.prototype.terminate = function () {
      terminated++;
      terminate.call(this);
    };
    const first = await test.openCache({ database });
    const second = await test.openCache({ database });
    await first.close();
    const before = terminated;
    await second.close();
    const after = terminated;
    const aborted = test.attempt(test.openCache({ database, signal: AbortSignal.timeout(0) }));
    return [before, after, await aborted, await test.attempt((await test.openCache({ database })).load())];
  }, database);
  assert.deepEqual(seen, [0, 1, 'TimeoutError: signal timed out', 'not-available']);
});

test('a worker of the application', async () => {
  const seen = await page.evaluate(async (database, map) => {
    const source = `import '${location.origin}/worker.js'; onmessage = ({ data }) => data === 'ping' && postMessage('pong');`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })), { type: 'module' });
    const cache = await test.openCache({ database, worker });
    await cache.store(map);
    const { Domain } = await cache.load();
    await cache.close();
    const answer = new Promise((resolve) => (worker.onmessage = ({ data }) => resolve(data)));
    worker.postMessage('ping');
    const again = await test.openCache({ database, worker });
    return [Domain, await answer, (await again.peers()).total];
  }, database, netmap(2));
  assert.deepEqual(seen, ['example.com', 'pong', 2]);
});

test('a worker that cannot be started', async () => {
  const seen = await page.evaluate(async (database) => {
    const broken = () => new Worker('/no-such-worker.js', { type: 'module' });
    const early = broken(); // fails before there is a program to start
    const late = new Promise((resolve) => (early.onerror = resolve)).then(() => fetch('/netmapcache.wasm'));
    return [
      await test.attempt(test.openCache({ database, worker: early, wasm: late })),
      await test.attempt(test.openCache({ database, worker: broken() })),
      await test.attempt(test.openCache({ database, wasm: '/exiting.wasm' })),
      await test.attempt(test.openCache({ database, wasm: new Uint8Array(1) })),
      await test.attempt(test.openCache({ database })),
    ];
  }, database);
  assert.deepEqual(seen, ['wasm', 'wasm', 'crashed', 'wasm', 'fulfilled']);
});
