// Measures the JavaScript module in Chromium, beside an earlier build of it, for make bench-module:
//
//   [PEERS=10,10000] [REPEAT=9] [CALLS=load,store] node bench/module.mjs BEFORE [AFTER]
//
// BEFORE and AFTER, dist/ by default, are folders that wasm/build.sh has made. Each sample is of a new page, from openCache to the
// result; those of the two take turns. It prints medians of milliseconds; for windows also of the processor time of their thread and of
// its longest task, which depends less on what else the machine does. By default the Go program runs in a worker, so the window's
// longest task matters there too.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { launch } from '../browser.mjs';
import { serve } from '../serve.mjs';
import { longestTask } from './tasks.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const [before, after = path('../../dist')] = process.argv.slice(2);
if (!before) throw new Error('which folder has the build before?');

// Each is given an open cache and the stored network map.
const calls = {
  'info': (cache) => cache.info(),
  'load': (cache) => cache.load(),
  'peers, 50': (cache) => cache.peers({ limit: 50 }),
  'peers, search': (cache) => cache.peers({ search: 'linux' }),
  'stream, first piece': (cache) => new Promise((resolve, reject) => cache.stream(() => {
    resolve();
    throw new Error('enough');
  }).catch(reject)),
  'stream, all': (cache) => cache.stream(() => {}),
  'export': (cache) => cache.export(),
  'store': (cache, map) => cache.store({ ...map, Domain: String(Math.random()) }),
  'updatePeers': (cache, map) => cache.updatePeers([{ ...map.Peers[0], Name: `${Math.random()}.example.` }]),
};

const { PEERS = '10,10000', REPEAT = '9', CALLS = Object.keys(calls).join(';') } = process.env;

const html = (_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>bench</title>');

// netmap returns the text of a network map as real ones are.
function netmap(peers) {
  const { stdout } = spawnSync('go', ['run', './e2e/reader', '-peers', String(peers)], { cwd: path('../..'), encoding: 'utf8', maxBuffer: 1 << 30 });
  return JSON.stringify({ ...JSON.parse(stdout).Netmap, Cached: false });
}

// sample returns what a call costs in a new page: { ms, cpu, longest }.
async function sample(browser, origin, call, database, worker) {
  const page = await browser.newPage();
  try {
    await page.goto(origin);
    await page.evaluate(async (database) => {
      globalThis.map = await (await fetch(`/${database}`)).json();
      globalThis.module = await import('/netmapcache.js');
    }, database);
    const session = await page.createCDPSession();
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    const busy = async () => (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
    let ms;
    let cpu;
    const longest = await longestTask(page, async () => {
      const start = await busy();
      ms = await page.evaluate(`(async (call) => {
        const begin = performance.now();
        await call(await module.openCache({ database: ${JSON.stringify(database)}, worker: ${worker} }), map);
        return performance.now() - begin;
      })(${call})`);
      cpu = (await busy()) - start;
    }, 1);
    return { ms, longest, cpu };
  } finally {
    await page.close();
  }
}

async function seed(browser, origin, database) {
  const page = await browser.newPage();
  await page.goto(origin);
  await page.evaluate(async (database) => {
    const { openCache } = await import('/netmapcache.js');
    const cache = await openCache({ database });
    await cache.store(await (await fetch(`/${database}`)).json());
    await cache.close();
  }, database);
  await page.close();
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

const sizes = PEERS.split(',').map(Number);
const routes = { '/': html };
for (const peers of sizes) {
  const text = netmap(peers);
  routes[`/${peers}`] = (_, response) => response.setHeader('Content-Type', 'application/json').end(text);
}
const servers = [await serve(before, routes), await serve(after, routes)];
const browser = await launch();
try {
  for (const peers of sizes) {
    const database = String(peers);
    for (const { origin } of servers) await seed(browser, origin, database);
    for (const worker of [false, true]) {
      for (const name of CALLS.split(';')) {
        const samples = [[], []];
        for (let i = 0; i < Number(REPEAT); i++) {
          for (const [j, { origin }] of servers.entries()) samples[j].push(await sample(browser, origin, calls[name], database, worker));
        }
        const of = (what) => samples.map((list) => median(list.map((sample) => sample[what])));
        const line = (what, [a, b]) => `${what} ${a.toFixed(1)} -> ${b.toFixed(1)} (${(a / b).toFixed(1)}x)`;
        const costs = [line('ms', of('ms'))];
        if (!worker) costs.push(line('cpu', of('cpu')));
        costs.push(line('longest task', of('longest')));
        console.log(`${peers} peers, ${worker ? 'worker' : 'window'}, ${name}: ${costs.join(', ')}`);
      }
    }
  }
} finally {
  await browser.close();
  for (const server of servers) await server.close();
}
