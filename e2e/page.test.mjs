// Drives the page of the reference client in Chromium, with a real control server behind
// it. Needs what `make run` needs: the page's files and programs in dist/.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch } from './browser.mjs';
import { counted, device, forget, inMode, inState, keptOffline, overview, patience, peers, saved, setControl, text } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

const flags = ['-churn', '200ms', '-peers', '300'];
let server;
let origin;
let ask;
let profile;
let browser;
let page;
const requests = new Set(); // origins that pages asked for anything
const complaints = []; // errors in the page that nobody expects

before(async () => {
  profile = await mkdtemp(join(tmpdir(), 'netmapcache-page-'));
  ({ server, origin, ask } = await startTailnet(...flags));
  await openBrowser();
});

after(async () => {
  await browser?.close();
  server?.kill('SIGINT');
  if (profile) await rm(profile, { recursive: true, force: true, maxRetries: 5 });
});

async function openBrowser() {
  browser = await launch({ userDataDir: profile });
  page = await openPage();
}

async function openPage() {
  const page = await browser.newPage();
  await page.setViewport({ width: 1200, height: 900 });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:') requests.add(url.origin);
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // The browser itself tells of requests that fail while the control plane is down, or the server gone.
    const expected = /503|ERR_CONNECTION_REFUSED|^WebSocket connection/.test(message.text());
    if (message.type() === 'error' && !expected) complaints.push(message.text());
  });
  const session = await page.createCDPSession();
  await session.send('Network.enable');
  session.on('Network.webSocketCreated', ({ url }) => requests.add(new URL(url).origin.replace(/^ws/, 'http')));
  return page;
}

let firstDevice;
let lastPeers;
let lastDevice;
let lastOverview;

test('goes live', async () => {
  await page.goto(origin);
  await inState(page, 'live');
  firstDevice = await device(page);
  assert.match(firstDevice['Node key'], /^\[.{5}\]$/);
  assert.ok(Object.keys(await peers(page)).length >= 299, 'all peers are shown');
});

test('saves deltas', async () => {
  const { deltas, generation } = await page.evaluate(() => ({ ...document.body.dataset }));
  await page.waitForFunction(
    (deltas, generation) => Number(document.body.dataset.deltas) > deltas && Number(document.body.dataset.generation) > generation,
    patience,
    Number(deltas),
    Number(generation),
  );
});

test('falls back to the cache when the control plane goes down', async () => {
  await setControl(page, false);
  await inState(page, 'cached');
  await inMode(page, 'offline');
  assert.match(await text(page, 'age'), /^saved (just now|\d+ (s|min) ago)$/);
  assert.match(await text(page, 'detail'), /^The control plane was lost/);
  await saved(page);
  lastPeers = await peers(page);
  lastDevice = await device(page);
  lastOverview = await overview(page);
  assert.equal(lastDevice['Node key'], firstDevice['Node key']);
});

test('resumes from the cache on reload', async () => {
  await page.reload();
  await inState(page, 'cached');
  assert.match(await text(page, 'age'), /^saved (just now|\d+ (s|min) ago)$/);
  assert.deepEqual(await device(page), lastDevice);
  assert.deepEqual(await peers(page), lastPeers, 'what came change by change is what is saved');
  assert.deepEqual(await overview(page), lastOverview);
  await page.waitForFunction(() => document.querySelector('#detail').textContent.includes("can't be reached"), patience);
});

test('finds peers', async () => {
  const [name] = Object.values(lastPeers)[0];
  await page.type('#search', name);
  await counted(page, 'match');
  const found = Object.values(await peers(page));
  assert.ok(found.length > 0 && found.every((row) => row.join().includes(name)), `all of ${found} have ${name}`);
  await page.click('#reset');
  await page.waitForFunction(() => !document.querySelector('#peers-count').textContent.includes('match'), patience);
});

test('a new browser process resumes from the same profile', async () => {
  await browser.close();
  await openBrowser();
  await page.goto(origin);
  await inState(page, 'cached');
  assert.deepEqual(await device(page), lastDevice);
  assert.deepEqual(await peers(page), lastPeers);
});

test('keeps the page: with the server gone, reload and a new browser process show the network', async () => {
  await keptOffline(page);
  const { port } = new URL(origin);
  server.kill('SIGKILL');
  await once(server, 'exit');
  await page.reload();
  await inMode(page, 'offline');
  assert.deepEqual(await peers(page), lastPeers);
  await browser.close();
  await openBrowser();
  await page.goto(origin);
  await inMode(page, 'offline');
  assert.deepEqual(await device(page), lastDevice);
  assert.deepEqual(await peers(page), lastPeers);
  // At the same address, since that is what a browser knows a page by.
  ({ server, ask } = await startTailnet(...flags, '-addr', `127.0.0.1:${port}`, '-control-down'));
});

test('goes live by itself, as the same node, when the control plane returns', async () => {
  // Not by the page's own button, which makes the client try at once.
  assert.equal((await ask('control', { up: true })).up, true);
  await inState(page, 'live');
  assert.equal((await device(page))['Node key'], firstDevice['Node key']);
  assert.equal((await device(page)).Name, firstDevice.Name);
});

test('a second tab shows what the first one saves', async () => {
  const second = await openPage();
  await second.goto(origin);
  await inState(second, 'cached');
  const generation = Number(await second.evaluate(() => document.body.dataset.generation));
  await second.waitForFunction((before) => Number(document.body.dataset.generation) > before, patience, generation);
  await page.close();
  page = second;
  await inState(page, 'live'); // it takes over
});

test('forgets', async () => {
  await forget(page);
  assert.equal(await page.$eval('#network', (network) => network.hidden), true);
  assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name).filter((name) => name.includes('keys'))), []);

  await page.reload();
  await inMode(page, 'forgotten'); // it doesn't join again by itself
  await page.click('#connect');
  await inState(page, 'live');
  assert.notEqual((await device(page))['Node key'], firstDevice['Node key'], 'it joins as a new device');
});

test('asks nobody but the server, and nothing goes wrong', () => {
  assert.deepEqual([...requests], [origin]);
  assert.deepEqual(complaints, []);
});
