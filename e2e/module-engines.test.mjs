// Runs the JavaScript module in Firefox and WebKitGTK, where they are installed: in the page and in a worker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { engines, startFor } from './engines.mjs';
import { netmap } from './netmap.mjs';
import { report } from './report.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

const script = `
  import { openCache } from './netmapcache.js';

  const map = ${JSON.stringify(netmap(700))};
  const use = async (worker) => {
    const cache = await openCache({ database: String(worker), worker });
    const told = new Promise((resolve) => cache.subscribe(({ own }) => resolve(own)));
    await cache.store(map);
    const { peers } = await cache.info();
    const { Domain, Peers } = await cache.load();
    const found = await cache.peers({ search: 'host-7', limit: 2 });
    const lean = await cache.load({ peers: false });
    await cache.clear();
    const code = await cache.load().catch((err) => err.code);
    await cache.close();
    return [Domain, peers, Peers.length, found.total, found.peers.length, 'Peers' in lean, await told, code];
  };
  const results = Promise.all([use(false), use(true)]).catch((err) => String(err));
  await fetch('/result', { method: 'POST', body: JSON.stringify(await results) });
`;

for (const name of Object.keys(engines)) {
  test(name, async (t) => {
    const browser = await startFor(t, name);
    if (!browser) return;
    const expected = ['example.com', 700, 700, 12, 2, false, true, 'not-available'];
    assert.deepEqual(await report(browser, dist, script), [expected, expected]);
  });
}
