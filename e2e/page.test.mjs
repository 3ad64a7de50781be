// Drives the page of the reference client in Chromium, with a real control server behind
// it. Needs what `make run` needs: the page's files and programs in dist/.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch } from './browser.mjs';
import { startTailnet } from './tailnet.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const screenshots = join(root, 'dist', 'screenshots');
const patience = { timeout: 150_000 };

let server;
let origin;
let profile;
let browser;
let page;
const requests = new Set(); // origins that pages asked for anything
const complaints = []; // errors in the page that nobody expects

before(async () => {
  await mkdir(screenshots, { recursive: true });
  profile = await mkdtemp(join(tmpdir(), 'netmapcache-page-'));
  ({ server, origin } = await startTailnet('-churn', '200ms', '-peers', '300'));
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
    // The browser itself tells of requests that fail while the control plane is down.
    const expected = message.text().includes('503') || message.text().startsWith('WebSocket connection');
    if (message.type() === 'error' && !expected) complaints.push(message.text());
  });
  const session = await page.createCDPSession();
  await session.send('Network.enable');
  session.on('Network.webSocketCreated', ({ url }) => requests.add(new URL(url).origin.replace(/^ws/, 'http')));
  return page;
}

const inState = (page, state) => page.waitForFunction((state) => document.body.dataset.state === state, patience, state);

const text = (page, id) => page.$eval(`#${id}`, (element) => element.textContent);

// device returns what the page says of this device, by term.
const device = (page) =>
  page.$eval('#self', (list) => Object.fromEntries([...list.querySelectorAll('dt')].map((dt) => [dt.textContent, dt.nextSibling.textContent])));

// peers returns the peers that the page has, as lists of text by stable ID. Ages in them change by themselves.
async function peers(page) {
  for (;;) {
    const more = await page.$('#more:not([hidden])');
    if (!more) break;
    await more.click();
  }
  assert.equal(await page.$eval('#network', (network) => network.hidden), false);
  return page.$$eval('#peers tr', (rows) =>
    Object.fromEntries(rows.map((row) => [row.dataset.id, [...row.cells].map((cell) => cell.textContent.replace(/, seen .*/, ''))])),
  );
}

async function setControl(page, up) {
  await page.click('#control');
  await page.waitForFunction((state) => document.body.dataset.control === state, patience, up ? 'up' : 'down');
}

// screenshot keeps a picture for people to look at.
async function screenshot(page, name) {
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

let firstDevice;
let lastPeers;
let lastDevice;

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
  await screenshot(page, 'live');
});

test('falls back to the cache when the control plane goes down', async () => {
  await setControl(page, false);
  await inState(page, 'cached');
  assert.match(await text(page, 'age'), /^Saved .* - the control plane was lost/);
  await page.waitForFunction(() => document.body.dataset.saved === 'true', patience);
  lastPeers = await peers(page);
  lastDevice = await device(page);
  assert.equal(lastDevice['Node key'], firstDevice['Node key']);
});

test('resumes from the cache on reload', async () => {
  await page.reload();
  await inState(page, 'cached');
  assert.match(await text(page, 'age'), /^Saved (just now|\d+ (s|min) ago) - control plane not reached yet/);
  assert.deepEqual(await device(page), lastDevice);
  assert.deepEqual(await peers(page), lastPeers);
  await page.waitForFunction(() => document.querySelector('#detail').textContent.includes("can't be reached"), patience);
  await screenshot(page, 'resumed');
});

test('finds peers', async () => {
  const [name] = Object.values(lastPeers)[0];
  await page.type('#search', name);
  await page.waitForFunction((all) => document.querySelectorAll('#peers tr').length < all, patience, Object.keys(lastPeers).length);
  const found = await page.$$eval('#peers tr', (rows) => rows.map((row) => row.textContent));
  assert.ok(found.length > 0 && found.every((row) => row.includes(name)), `all of ${found} have ${name}`);
  await page.$eval('#search', (search) => {
    search.value = '';
    search.dispatchEvent(new Event('input'));
  });
});

test('a new browser process resumes from the same profile', async () => {
  await browser.close();
  await openBrowser();
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  await page.goto(origin);
  await inState(page, 'cached');
  assert.deepEqual(await device(page), lastDevice);
  assert.deepEqual(await peers(page), lastPeers);
  await screenshot(page, 'dark');
});

test('goes live by itself, as the same node, when the control plane returns', async () => {
  // Not by the page's own button, which makes the client try at once.
  const response = await fetch(`${origin}/-/control`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"up": true}' });
  assert.deepEqual(await response.json(), { up: true });
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
  await page.click('#forget');
  await page.waitForSelector('#forget-dialog[open]', patience);
  await page.click('#forget-dialog .danger');
  await inState(page, 'empty');
  assert.equal(await page.$eval('#network', (network) => network.hidden), true);
  assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name).filter((name) => name.includes('keys'))), []);

  await setControl(page, false);
  await page.reload();
  await page.waitForFunction(() => document.querySelector('#detail').textContent.includes("can't be reached"), patience);
  assert.equal(await page.$eval('body', (body) => body.dataset.state), 'empty');
  await setControl(page, true);
  await inState(page, 'live');
  assert.notEqual((await device(page))['Node key'], firstDevice['Node key'], 'it joins as a new device');
});

test('asks nobody but the server, and nothing goes wrong', () => {
  assert.deepEqual([...requests], [origin]);
  assert.deepEqual(complaints, []);
});
