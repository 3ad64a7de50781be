// Measures how soon a node that starts has the network map, and reaches a peer, for make bench-resume:
//
//   [PEERS=300] [REPEAT=10] ../tools/loopback node bench/resume.mjs
//
// In Chromium, where it takes the page's own timeline; natively it is a Go test that measures. It prints tables, and writes
// all samples to dist/bench-resume.json.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { launch } from '../browser.mjs';
import { answer, askAtOnce, inState, joined, keptOffline, openPeer, patience, saved } from '../page.mjs';
import { startTailnet } from '../tailnet.mjs';
import { update } from './docs.mjs';
import { nativeTable, resumeTable } from './report.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const { PEERS = '300', REPEAT = '10' } = process.env;
const peer = 'http://web/'; // a native peer of the embedded tailnet

// measureBrowser returns, by state of the control plane, the milliseconds from navigation to each step, one object a visit.
async function measureBrowser() {
  const { server, origin, ask } = await startTailnet('-churn', '0', '-peers', PEERS);
  const profile = await mkdtemp(join(tmpdir(), 'netmapcache-resume-'));
  // visit opens the page in a new browser process, and returns what use makes of it.
  const visit = async (use, prepare = () => {}) => {
    const browser = await launch({ userDataDir: profile });
    try {
      const page = await browser.newPage();
      await prepare(page);
      await page.goto(origin);
      return await use(page);
    } finally {
      await browser.close();
    }
  };
  try {
    await visit(async (page) => {
      await inState(page, 'live');
      await joined(page);
      const { state, note } = await openPeer(page, peer);
      assert.equal(state, 'answered', note);
      await saved(page);
      await keptOffline(page);
    });
    const visits = { 'control up': [], 'control down': [] };
    for (let i = 1; i <= Number(REPEAT); i++) {
      for (const [name, samples] of Object.entries(visits)) {
        const up = name === 'control up';
        await ask('control', { up });
        samples.push(await visit((page) => timeline(page, up), (page) => askAtOnce(page, peer)));
        console.log(`  ${name}, visit ${i} of ${REPEAT}: ${JSON.stringify(samples.at(-1))}`);
      }
    }
    return visits;
  } finally {
    server.kill('SIGINT');
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

// timeline returns the milliseconds from navigation to the steps, once the peer has answered, and control if it is up.
async function timeline(page, up) {
  const { state, note } = await answer(page);
  assert.equal(state, 'answered', note);
  for (const step of ['page:render', 'restored', 'peer answered', ...(up ? ['control live'] : [])]) {
    await page.waitForSelector(`#timeline [data-step="${step}"]`, patience);
  }
  return page.evaluate(() => ({
    asked: Math.round(performance.getEntriesByName('asked')[0].startTime),
    ...Object.fromEntries([...document.querySelectorAll('#timeline li')].map(({ dataset }) => [dataset.step, Number(dataset.ms)])),
  }));
}

// measureNative returns what the test of a native node logs of its times.
function measureNative() {
  const { status, stdout, stderr } = spawnSync('go', ['test', '-v', '-count=1', '-timeout=20m', '-run=^TestResume$', './internal/resume'], {
    cwd: path('../../client'),
    env: { ...process.env, TEST_RESUME: '1' },
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
  const times = [...stdout.matchAll(/offline, medians of (\d+): (.*): (.*) ms; upstream (.*) ms$/gm)];
  assert.notEqual(times.length, 0, stdout);
  return times.map(([, runs, step, ours, upstream]) => ({ step, runs, ours, upstream }));
}

const result = { peers: Number(PEERS), visits: await measureBrowser(), native: measureNative() };
await writeFile(path('../../dist/bench-resume.json'), JSON.stringify(result, undefined, 1));
const sections = { resume: resumeTable(result), 'resume-native': nativeTable(result.native) };
console.log(Object.values(sections).join('\n\n'));
await update(path('../../docs/performance.md'), sections);
