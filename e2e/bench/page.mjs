// Measures the page in Chromium: from navigation to the first frame with the cached network map, and to
// all of it on the screen, with the control plane down, and beside it the page hello.mjs.

import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { launch } from '../browser.mjs';
import { keptOffline } from '../page.mjs';
import { startTailnet } from '../tailnet.mjs';

// measurePage returns samples by kind of visit:
//
//   cold  a new browser process that has never seen the page, but has the snapshot
//   warm  a reload, once the service worker keeps the page
export async function measurePage(sizes, repetitions) {
  const { server, origin } = await startTailnet('-control-down', '-peers', '1');
  const visits = {};
  try {
    for (const peers of sizes) {
      const profile = await mkdtemp(join(tmpdir(), 'netmapcache-bench-'));
      try {
        await save(profile, origin, peers);
        const name = (visit) => `${peers.toLocaleString('en')} peers, ${visit}`;
        visits[name('cold')] = await cold(profile, origin, repetitions);
        visits[name('warm')] = await warm(profile, origin, repetitions);
      } finally {
        await rm(profile, { recursive: true, force: true, maxRetries: 5 });
      }
    }
  } finally {
    server.kill('SIGINT');
  }
  return visits;
}

// save has a profile keep a network map where the page looks for it.
async function save(profile, origin, peers) {
  const browser = await launch({ userDataDir: profile });
  try {
    const page = await browser.newPage();
    await page.goto(`${origin}/icon.svg`);
    await page.evaluate(async (peers) => {
      const { default: loadGo } = await import('/wasm_exec.mjs');
      const ready = new Promise((resolve) => (globalThis.ready = resolve));
      const Go = loadGo(globalThis);
      const go = new Go();
      const { instance } = await WebAssembly.instantiateStreaming(fetch('/bench-web/bench.wasm'), go.importObject);
      go.run(instance);
      const bench = await ready;
      await bench.prepare(peers);
      await bench.open('ours', 'network', location.origin);
      await bench.store();
      await bench.close();
    }, peers);
  } finally {
    await browser.close();
  }
}

async function cold(profile, origin, repetitions) {
  const samples = [];
  for (let i = 0; i < repetitions; i++) {
    const hello = await inCopy(profile, (page) => visitHello(page, origin));
    samples.push({ ...(await inCopy(profile, (page) => visit(page, origin))), hello });
  }
  return samples;
}

async function warm(profile, origin, repetitions) {
  return inCopy(profile, async (page) => {
    const samples = [];
    for (let i = -2; i < repetitions; i++) {
      const hello = await visitHello(page, origin);
      const sample = await visit(page, origin);
      if (i < 0) await keptOffline(page);
      else samples.push({ ...sample, hello });
    }
    return samples;
  });
}

// inCopy calls use with a page of a new browser process on a copy of the profile.
async function inCopy(profile, use) {
  const copy = await mkdtemp(join(tmpdir(), 'netmapcache-bench-'));
  await cp(profile, copy, { recursive: true });
  const browser = await launch({ userDataDir: copy });
  try {
    return await use(await browser.newPage());
  } finally {
    await browser.close();
    await rm(copy, { recursive: true, force: true, maxRetries: 5 });
  }
}

// visit returns how long the stages took until the map was on the screen: before there was a
// worker that opens the database, those that the module measures, and from then to the first frame with its first peers; and
// until it was complete.
async function visit(page, origin) {
  await page.goto(origin);
  const first = await marked(page, 'page:render');
  const complete = await marked(page, 'page:complete');
  const zero = await page.evaluate(() => performance.timeOrigin);
  const worker = page.workers().find((worker) => worker.url().includes('network-worker'));
  const measures = await worker.evaluate(() =>
    performance.getEntriesByType('measure').map(({ name, startTime, duration }) => [name, performance.timeOrigin + startTime, duration]));
  const of = (stage) => measures.find(([name]) => name === `netmapcache:${stage}`);
  const sample = { first, complete, before: of('open')[1] - zero, render: zero + first - of('decode')[1] - of('decode')[2] };
  for (const stage of ['open', 'read', 'decode']) sample[stage] = of(stage)[2];
  return sample;
}

async function visitHello(page, origin) {
  await page.goto(`${origin}/bench-web/hello.html`);
  return marked(page, 'page:render');
}

const marked = async (page, mark) => {
  await page.waitForFunction((mark) => performance.getEntriesByName(mark).length > 0, { timeout: 60_000 }, mark);
  return page.evaluate((mark) => performance.getEntriesByName(mark)[0].startTime, mark);
};
