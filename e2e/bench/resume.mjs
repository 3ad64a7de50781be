// Measures how soon the page can be used, for make bench-resume:
//
//   [PEERS=300] [REPEAT=10] node bench/resume.mjs
//
// From navigation in a new browser process, with the control plane up and down: to the cached network map on the
// screen, to the client that has it, and to the first byte of an answer of a peer, which is asked for at once.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { launch } from '../browser.mjs';
import { inMode, inState, keptOffline, patience, saved } from '../page.mjs';
import { startTailnet } from '../tailnet.mjs';
import { update } from './docs.mjs';
import { resumeTable } from './report.mjs';

const { PEERS = '300', REPEAT = '10' } = process.env;
const peer = 'http://web/'; // the native peer of the embedded tailnet
const path = (name) => fileURLToPath(new URL(name, import.meta.url));

const { server, origin } = await startTailnet('-churn', '0', '-peers', PEERS);
const profile = await mkdtemp(join(tmpdir(), 'netmapcache-resume-'));

// visit opens the page in a new browser process, and returns what use makes of it.
async function visit(use) {
  const browser = await launch({ userDataDir: profile });
  try {
    const page = await browser.newPage();
    await page.goto(origin);
    return await use(page);
  } finally {
    await browser.close();
  }
}

// sample returns the milliseconds from navigation to each step on the timeline, once the peer has answered.
async function sample(page) {
  await page.$eval('#reach-url', (input, url) => (input.value = url), peer);
  await page.click('#reach-form button');
  await page.waitForSelector('#timeline [data-step="peer answered"]', patience);
  await page.waitForSelector('#timeline [data-step="page:render"]', patience);
  return page.$$eval('#timeline li', (items) => Object.fromEntries(items.map(({ dataset }) => [dataset.step, Number(dataset.ms)])));
}

async function samples(name) {
  const all = [];
  for (let i = 1; i <= Number(REPEAT); i++) {
    all.push(await visit(sample));
    console.log(`  control ${name}, visit ${i} of ${REPEAT}:`, JSON.stringify(all.at(-1)));
  }
  return all;
}

try {
  await visit(async (page) => {
    await inState(page, 'live');
    await saved(page);
    await keptOffline(page);
    await page.waitForSelector('#timeline [data-step="control live"]', patience);
    await sample(page);
  });
  const up = await samples('up');
  await visit(async (page) => {
    await inState(page, 'live');
    await page.click('#control');
    await inMode(page, 'offline');
    await saved(page);
  });
  const down = await samples('down');
  const result = { peers: Number(PEERS), visits: { up, down } };
  await writeFile(path('../../dist/bench-resume.json'), JSON.stringify(result, undefined, 1));
  const text = resumeTable(result);
  console.log(text);
  await update(path('../../docs/performance.md'), { resume: text });
} finally {
  server.kill('SIGINT');
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}
