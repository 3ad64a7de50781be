// Tests caches that do their work in a worker: all that is tested of caches in the page, and what
// only a worker can do.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { browser, database, open, page, useWorker } from './module-pages.mjs';
import { netmap } from './netmap.mjs';
import { serve } from './serve.mjs';

useWorker();
await import('./module.test.mjs');
await import('./pieces.test.mjs');

test('the worker ends with the last cache', async () => {
  const seen = await page.evaluate(async (database) => {
    let terminated = 0;
    const { terminate } = Worker.prototype;
    Worker.prototype.terminate = function () {
      terminated++;
      terminate.call(this);
    };
    const first = await test.start({ database });
    const second = await test.start({ database });
    await first.close();
    const before = terminated;
    await second.close();
    const after = terminated;
    return [before, after, await test.attempt(test.start({ database }))];
  }, database);
  assert.deepEqual(seen, [0, 1, 'fulfilled']);
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
      await test.attempt(test.start({ database, worker: early, wasm: late })),
      await test.attempt(test.start({ database, worker: broken() })),
      await test.attempt(test.start({ database, wasm: '/exiting.wasm' })),
      await test.attempt(test.start({ database, wasm: new Uint8Array(1) })),
      await test.attempt(test.start({ database })),
    ];
  }, database);
  assert.deepEqual(seen, ['worker', 'worker', 'crashed', 'wasm', 'fulfilled']);
});

test('a worker that does not answer', async () => {
  const seen = await page.evaluate(async (database) => {
    const url = (source) => URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    const terminated = new Worker(url(''));
    terminated.terminate();
    const { port } = new SharedWorker(url(''));
    const workers = { terminated, stranger: new Worker(url('')), port };
    const results = await Promise.all(Object.entries(workers).map(async ([name, worker]) => {
      const cache = await test.openCache({ database: `${database} ${name}`, worker });
      const stored = await test.attempt(cache.store(test.map));
      return [name, stored, await test.attempt(cache.load()), await test.attempt(cache.close())];
    }));
    const late = new Worker(url(`setTimeout(() => import('${location.origin}/worker.js'), 600)`), { type: 'module' });
    return [...results, await test.attempt(test.start({ database, worker: late }))];
  }, database);
  const silent = (name) => [name, 'worker', 'not-available', 'fulfilled'];
  assert.deepEqual(seen, [silent('terminated'), silent('stranger'), silent('port'), 'fulfilled']);
});

test('a worker that is ended during calls', async () => {
  const seen = await page.evaluate(async (database) => {
    const worker = new Worker('/worker.js', { type: 'module' });
    const cache = await test.start({ database, worker });
    worker.terminate();
    const pending = await Promise.all([cache.updatePeers([], ['n1CNTRL']), cache.store({ ...test.map, Domain: 'other' })].map(test.attempt));
    return [pending, await test.attempt(cache.load()), await test.attempt(cache.close())];
  }, database);
  assert.deepEqual(seen, [['crashed', 'crashed'], 'fulfilled', 'fulfilled']);
});

test('where no worker can be made it works in place', async () => {
  const denied = await open(browser, '/no-worker');
  assert.equal(await denied.evaluate(async (database) => test.attempt(test.start({ database })), database), 'fulfilled');
  await denied.close();
  const seen = await page.evaluate(async (database) => {
    const results = [];
    const missing = class extends Worker { constructor(_, options) { super('/no-such-worker.js', options); } };
    for (const broken of [undefined, class { constructor() { throw new DOMException('of another origin', 'SecurityError'); } }, missing]) {
      globalThis.Worker = broken;
      const cache = await test.start({ database });
      results.push((await cache.load()).Domain);
      await cache.close();
    }
    return results;
  }, database);
  assert.deepEqual(seen, ['example.com', 'example.com', 'example.com']);
});

test('in workers that can make no others it works in place', async () => {
  const seen = await page.evaluate(async (database, map) => {
    const answer = (port) => new Promise((resolve) => (port.onmessage = ({ data }) => resolve(data)));
    const { port } = new SharedWorker('/shared-worker.js', { type: 'module' });
    const shared = answer(port);
    port.postMessage([`${database} shared`, map]);
    await navigator.serviceWorker.register('/service-worker.js', { type: 'module' });
    const { active } = await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    const service = answer(port1);
    active.postMessage([`${database} service`, map], [port2]);
    return [await shared, await service];
  }, database, netmap(2));
  assert.deepEqual(seen, ['example.com', 'example.com']);
});

test('under Trusted Types it works in place', async () => {
  const strict = await open(browser, '/trusted-types');
  const seen = await strict.evaluate(async (database) => {
    const refused = (() => {
      try {
        new Worker('/worker.js');
      } catch (err) {
        return err.name;
      }
    })();
    return [refused, await test.attempt(test.start({ database }))];
  }, database);
  await strict.close();
  assert.deepEqual(seen, ['TypeError', 'fulfilled']);
});

// elsewhere serves the module for all origins.
async function elsewhere(t) {
  const dist = fileURLToPath(new URL('../dist/', import.meta.url));
  const names = (await readdir(dist)).filter((name) => /\.(js|wasm)$/.test(name));
  const other = await serve(dist, Object.fromEntries(names.map((name) => [`/${name}`, async (_, response) => {
    response.writeHead(200, { 'Access-Control-Allow-Origin': '*', 'Content-Type': name.endsWith('.js') ? 'text/javascript' : 'application/wasm' });
    response.end(await readFile(dist + name));
  }])));
  t.after(() => other.close());
  return other.origin;
}

test('a module of another origin works in place', async (t) => {
  const seen = await page.evaluate(async (origin, database, map) => {
    const { openCache } = await import(`${origin}/netmapcache.js`);
    const cache = await openCache({ database });
    return [await cache.store(map), (await cache.load()).Domain];
  }, await elsewhere(t), database, netmap(2));
  assert.deepEqual(seen, [true, 'example.com']);
});

test('in a sandbox it says that there is no storage, or works in place', async (t) => {
  const seen = await page.evaluate(async (origin, database, map) => {
    const inFrame = (sandbox) => {
      const frame = Object.assign(document.createElement('iframe'), { sandbox, srcdoc: `<script type="module">
        import { openCache } from '${origin}/netmapcache.js';
        const stored = openCache({ database: '${database}' }).then((cache) => cache.store(${JSON.stringify(map)}));
        parent.postMessage(await stored.catch(({ code }) => code), '*');
      </script>` });
      document.body.append(frame);
      return new Promise((resolve) => addEventListener('message', ({ data, source }) => source === frame.contentWindow && resolve(data)));
    };
    return [await inFrame('allow-scripts'), await inFrame('allow-scripts allow-same-origin')];
  }, await elsewhere(t), database, netmap(2));
  assert.deepEqual(seen, ['unavailable', true]);
});
