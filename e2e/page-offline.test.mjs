// How the page goes over from one version to the next, and what it says when something is wrong, in Chromium. The server serves a
// copy of the page, which the tests change.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch } from './browser.mjs';
import { netmap } from './netmap.mjs';
import { counted, downloads, inMode, inState, keptOffline, patience, saved, text } from './page.mjs';
import { faults, holdDatabase, keepUpgrading, startCopy, tooOld } from './page-copy.mjs';

const command = fileURLToPath(new URL('../dist/netmapcache', import.meta.url));

let copy; // of the page
let origin;
let browser;
let context; // a profile for each test
let page;

before(async () => {
  copy = await startCopy('-peers', '20', '-native=false');
  ({ origin } = copy);
  browser = await launch();
});

beforeEach(async () => {
  await copy.restore();
  await copy.control(true);
  context = await browser.createBrowserContext();
  page = await context.newPage();
});

afterEach(() => context.close());

after(async () => {
  await browser?.close();
  await copy?.stop();
});

const digest = (content) => `sha256-${createHash('sha256').update(content).digest('base64')}`;

// release makes a new version of the page, of which the style sheet says which. With a wrong digest it can't be installed.
async function release(version, { broken = false } = {}) {
  const path = copy.path('page.css');
  const old = digest(await readFile(path));
  await appendFile(path, `:root { --version: ${version} }\n`);
  const worker = await readFile(copy.path('sw.js'), 'utf8');
  const changed = worker.replace(old, digest(broken ? 'something else' : await readFile(path))).replace(/"[0-9a-f]{16}"/, `"${version}${'0'.repeat(16 - version.length)}"`);
  assert.notEqual(changed, worker);
  await copy.replace('sw.js', changed);
}

const version = (page) => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--version'));
const caches = (page) => page.evaluate(async () => (await globalThis.caches.keys()).length);

test('a new version is taken over by all tabs, and the old one is dropped', async () => {
  await page.goto(origin);
  await inState(page, 'live');
  await keptOffline(page);
  await page.reload();
  const second = await context.newPage();
  await second.goto(origin);
  await second.waitForFunction(() => document.body.dataset.offline === 'ready', patience);

  await release('2');
  await page.bringToFront();
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await page.waitForSelector('#update:not([hidden])', patience);
  await page.reload();
  await page.waitForSelector('#update:not([hidden])', patience);
  assert.equal(await version(page), '', 'nothing of the new version is used before');
  await page.click('#update-now');
  for (const tab of [page, second]) {
    await tab.bringToFront(); // others aren't drawn, which the wait counts on
    await tab.waitForFunction(() => getComputedStyle(document.documentElement).getPropertyValue('--version').trim() === '2', patience);
  }
  assert.equal(await caches(page), 1);
});

test('a version that arrives damaged is not installed, and the old one goes on', async () => {
  await page.goto(origin);
  await inState(page, 'live');
  await keptOffline(page);
  await release('3', { broken: true });
  const states = await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update().catch(() => {});
    const { installing } = registration;
    if (installing) await new Promise((resolve) => installing.addEventListener('statechange', () => installing.state === 'redundant' && resolve()));
    return [Boolean(registration.waiting), registration.active.state];
  });
  assert.deepEqual(states, [false, 'activated']);
  await page.reload();
  await inState(page, 'live');
  assert.equal(await version(page), '');
  assert.equal(await caches(page), 1);
});

test('it can be installed as an app', async () => {
  await page.goto(origin);
  const session = await page.createCDPSession();
  const { errors, manifest } = await session.send('Page.getAppManifest');
  assert.deepEqual(errors, []);
  assert.equal(manifest.name, 'Network map');
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  assert.deepEqual(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito'), []);
});

test('what changed since it was saved', async () => {
  await page.goto(origin);
  await inState(page, 'live');
  await saved(page);
  await copy.control(false);
  await inMode(page, 'offline');
  await page.evaluate(async (node) => {
    const { openCache } = await import('/netmapcache.js');
    const cache = await openCache({ database: 'network', owner: location.origin });
    const { Peers } = await cache.load();
    await cache.updatePeers([{ ...Peers[0], Name: 'renamed.example.' }, node], [Peers[1].StableID]);
    await cache.close();
  }, netmap(1).Peers[0]);
  await page.reload();
  await inState(page, 'cached');
  await copy.control(true);
  await inState(page, 'live');
  await page.waitForSelector('#changes:not([hidden])', patience);
  assert.match(await text(page, 'changes-summary'), /^Since it was saved .*: 1 added, 1 removed, 1 changed$/);
  assert.match(await text(page, 'changes-list'), /Changed.*: name/);
  const said = await text(page, 'changes-summary');
  await page.waitForFunction((said) => document.querySelector('#changes-summary').textContent !== said, patience, said); // its age goes on
});

const says = (page, pattern) => page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector('#problems').textContent), patience, pattern);

test("another account's snapshot", async () => {
  await copy.stored(page, { owner: 'somebody else' });
  await page.reload();
  await says(page, 'belongs to another account.*Forget it');
  await page.click('#problems .problem > p > button');
  await page.waitForSelector('#forget-dialog[open]', patience);
});

test('a snapshot that is too old', async () => {
  await copy.stored(page, {}, tooOld);
  await page.reload();
  await says(page, 'older than half a year.*Connect');
});

test('a damaged snapshot', async () => {
  await copy.stored(page, {});
  await page.evaluate(async () => {
    const db = await new Promise((resolve) => (indexedDB.open('network').onsuccess = ({ target }) => resolve(target.result)));
    const store = db.transaction(db.objectStoreNames[0], 'readwrite').objectStore(db.objectStoreNames[0]);
    await new Promise((resolve) => {
      store.openCursor(IDBKeyRange.lowerBound('peers-')).onsuccess = ({ target: { result: cursor } }) => {
        const value = cursor.value;
        value[value.length - 1] ^= 1;
        cursor.update(value).onsuccess = resolve;
      };
    });
    db.close();
  });
  await page.reload();
  await says(page, 'is damaged.*takes its place');
  await copy.control(true);
  await inState(page, 'live');
  await page.waitForFunction(() => document.querySelector('#problems').textContent === '', patience);
});

test('no storage', async () => {
  await copy.prefix(faults.unavailable);
  await page.goto(origin);
  await says(page, "doesn't let the page keep anything.*allow this site to store data");
});

test('storage that is full', async () => {
  await copy.prefix(faults.quota);
  await page.goto(origin);
  await inMode(page, 'refused');
  await says(page, 'storage .* is full.*Free space');
  assert.equal(await text(page, 'headline'), 'Live, but not saved');
});

test('a program that breaks off on its way is asked for again', async () => {
  await copy.prefix(faults.brokenOff);
  await page.goto(origin);
  await inState(page, 'live');
});

test('a tab with an older version that holds the database', async () => {
  const older = await context.newPage();
  await holdDatabase(older, origin);
  await copy.prefix(faults.newer);
  await page.bringToFront();
  await page.goto(origin);
  await says(page, 'Another tab holds the saved network.*older version.*Close that tab');
  await older.close();
  await page.reload();
  await inState(page, 'live');
  await saved(page);
  assert.equal(await text(page, 'problems'), '');
});

test('a tab that changes the database for long', async () => {
  const other = await context.newPage();
  await keepUpgrading(other, origin);
  await page.bringToFront();
  await page.goto(origin);
  await says(page, 'Another tab holds the saved network.*Close that tab');
  assert.doesNotMatch(await text(page, 'problems'), /private browsing/);
  assert.equal(await page.$$eval('#problems .problem', (all) => all.length), 1, 'the client, which can have no storage either, adds nothing');
  await other.close();
  await page.reload();
  await inState(page, 'live');
  assert.equal(await text(page, 'problems'), '');
});

test('forgets also while a network map is on its way to the page', async (t) => {
  t.after(() => copy.ask('network', { peers: 20 }));
  await copy.prefix(`const { set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage');
    Object.defineProperty(MessagePort.prototype, 'onmessage', {
      set(take) {
        set.call(this, (event) => setTimeout(take, 2000, event));
      },
    });`, 'model-worker.js');
  await page.goto(origin);
  await inState(page, 'live');
  await saved(page);
  await copy.ask('network', { peers: 30 });
  await page.waitForFunction(() => document.body.dataset.saved === 'false', patience); // there is news
  await page.evaluate(() => document.querySelector('#forget').click());
  await page.evaluate(() => document.querySelector('#forget-dialog .danger').click());
  await inMode(page, 'forgotten');
});

test('the snapshot as files, of which the command netmapcache reads one', async (t) => {
  await page.goto(origin);
  await inState(page, 'live');
  await saved(page);
  const download = await downloads(t, page);
  const json = await download('#export-json');
  assert.match(basename(json), /^network-map-\d{4}-\d\d-\d\d\.json$/);
  const map = JSON.parse(await readFile(json, 'utf8'));
  assert.equal(map.Peers.length, 20);

  const netmap = await download('#export-netmap');
  assert.match(basename(netmap), /^network-map-\d{4}-\d\d-\d\d\.netmap$/);
  const tool = (...args) => execFileSync(command, [...args, netmap], { encoding: 'utf8' });
  tool('verify');
  assert.deepEqual(JSON.parse(tool('peers', '--json')).map(({ StableID }) => StableID).sort(), map.Peers.map(({ StableID }) => StableID).sort());
});

test('network size and pace', async () => {
  await page.goto(origin);
  await inState(page, 'live');
  await page.waitForSelector('#lab-link:not([hidden])', patience);
  await page.select('#lab-size', '30');
  await counted(page, '^30 peers');
  await page.select('#lab-churn', '200');
  await page.waitForFunction(() => Number(document.body.dataset.deltas) > 2, patience);
  await page.select('#lab-churn', '0');
  await page.select('#lab-size', '0');
  await counted(page, '^0 peers');
});
