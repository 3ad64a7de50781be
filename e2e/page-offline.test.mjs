// How the page goes over from one version to the next, and what it says when something is wrong, in Chromium. The server serves a
// copy of the page, which the tests change.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch } from './browser.mjs';
import { netmap } from './netmap.mjs';
import { inMode, inState, keptOffline, patience, saved, text } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

let copy; // of the page
let server;
let origin;
let browser;
let context; // a profile for each test
let page;

before(async () => {
  copy = await mkdtemp(join(tmpdir(), 'netmapcache-page-'));
  ({ server, origin } = await startTailnet('-peers', '20', '-native=false', '-churn', '0', '-web', copy, '-web', dist));
  browser = await launch();
});

beforeEach(async () => {
  await rm(copy, { recursive: true });
  await cp(join(dist, 'page'), copy, { recursive: true });
  await control(true);
  context = await browser.createBrowserContext();
  page = await context.newPage();
});

afterEach(() => context.close());

after(async () => {
  await browser?.close();
  server?.kill('SIGINT');
  if (copy) await rm(copy, { recursive: true, force: true });
});

const ask = (what, wanted) => fetch(`${origin}/-/${what}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(wanted) });
const control = (up) => ask('control', { up });

const digest = (content) => `sha256-${createHash('sha256').update(content).digest('base64')}`;

// release makes a new version of the page, of which the style sheet says which. With a wrong digest it can't be installed.
async function release(version, { broken = false } = {}) {
  const path = join(copy, 'page.css');
  const old = digest(await readFile(path));
  await appendFile(path, `:root { --version: ${version} }\n`);
  const worker = await readFile(join(copy, 'sw.js'), 'utf8');
  const changed = worker.replace(old, digest(broken ? 'something else' : await readFile(path))).replace(/"[0-9a-f]{16}"/, `"${version}${'0'.repeat(16 - version.length)}"`);
  assert.notEqual(changed, worker);
  await writeFile(join(copy, 'sw.js'), changed);
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
  await control(false);
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
  await control(true);
  await inState(page, 'live');
  await page.waitForSelector('#changes:not([hidden])', patience);
  assert.match(await text(page, 'changes-summary'), /^Since it was saved .*: 1 added, 1 removed, 1 changed$/);
  assert.match(await text(page, 'changes-list'), /Changed.*: name/);
});

// stored puts a network map into the page's database, with the options that an application would give. Then the page is opened anew.
async function stored(options, prepare = () => {}) {
  await control(false);
  await page.goto(origin);
  await inMode(page, 'empty');
  await page.evaluate(prepare);
  await page.evaluate(async (netmap, options) => {
    const { openCache } = await import('/netmapcache.js');
    const cache = await openCache({ database: 'network', owner: location.origin, ...options });
    await cache.store(netmap);
    await cache.close();
  }, netmap(3), options);
}

// prefix makes a worker, by default that which uses the storage, begin with something else.
async function prefix(code, worker = 'network-worker.js') {
  const path = join(copy, worker);
  await writeFile(path, `${code}\n${await readFile(path)}`);
}

const says = (page, pattern) => page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector('#problems').textContent), patience, pattern);

test("another account's snapshot", async () => {
  await stored({ owner: 'somebody else' });
  await page.reload();
  await says(page, 'belongs to another account.*Forget it');
  assert.equal(await page.$eval('#forget', (button) => button.disabled), false);
});

test('a snapshot that is too old', async () => {
  await stored({}, () => {
    const { now } = Date;
    globalThis.Date = class extends Date {
      constructor(...args) {
        super(...(args.length > 0 ? args : [now() - 200 * 24 * 3600_000]));
      }
    };
  });
  await page.reload();
  await says(page, 'older than half a year.*Connect');
});

test('a damaged snapshot', async () => {
  await stored({});
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
  await control(true);
  await inState(page, 'live');
  await page.waitForFunction(() => document.querySelector('#problems').textContent === '', patience);
});

test('no storage', async () => {
  await prefix("Object.defineProperty(globalThis, 'indexedDB', { value: undefined });");
  await page.goto(origin);
  await says(page, "doesn't let the page keep anything.*allow this site to store data");
});

test('storage that is full', async () => {
  await prefix(`const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (...args) {
      if (this.transaction.db.name === 'network') throw new DOMException('no space', 'QuotaExceededError');
      return put.apply(this, args);
    };`);
  await page.goto(origin);
  await inMode(page, 'refused');
  await says(page, 'storage .* is full.*Free space');
  assert.equal(await text(page, 'headline'), 'Live, but not saved');
});

test('a program that does not load', async () => {
  await writeFile(join(copy, 'netmapcache.wasm'), 'nothing of the kind');
  await page.goto(origin);
  await says(page, 'couldn.t be loaded.*then reload');
});

test('forgets also while a network map is on its way to the page', async () => {
  await prefix(`const { set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage');
    Object.defineProperty(MessagePort.prototype, 'onmessage', {
      set(take) {
        set.call(this, (event) => setTimeout(take, 2000, event));
      },
    });`, 'model-worker.js');
  await page.goto(origin);
  await inState(page, 'live');
  await saved(page);
  await ask('network', { peers: 30 });
  await page.waitForFunction(() => document.body.dataset.saved === 'false', patience); // there is news
  await page.evaluate(() => document.querySelector('#forget').click());
  await page.evaluate(() => document.querySelector('#forget-dialog .danger').click());
  await inMode(page, 'forgotten');
});

test('the snapshot as a file', async () => {
  await page.goto(origin);
  await inState(page, 'live');
  await saved(page);
  const session = await page.createCDPSession();
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-download-'));
  await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder, eventsEnabled: true, browserContextId: context.id });
  const done = new Promise((resolve) => session.on('Browser.downloadProgress', ({ state }) => state === 'completed' && resolve()));
  const named = new Promise((resolve) => session.on('Browser.downloadWillBegin', ({ suggestedFilename }) => resolve(suggestedFilename)));
  await page.click('#export');
  const name = await named;
  await done;
  assert.match(name, /^network-map-\d{4}-\d\d-\d\d\.json$/);
  assert.equal(JSON.parse(await readFile(join(folder, name), 'utf8')).Peers.length, 20);
  await rm(folder, { recursive: true });
});

test('network size and pace', async () => {
  await page.goto(origin);
  await inState(page, 'live');
  await page.waitForSelector('#lab:not([hidden])', patience);
  await page.select('#lab-size', '30');
  await page.waitForFunction(() => document.querySelector('#peers-count').textContent.startsWith('30 peers'), patience);
  await page.select('#lab-churn', '200');
  await page.waitForFunction(() => Number(document.body.dataset.deltas) > 2, patience);
  await page.select('#lab-churn', '0');
  await page.select('#lab-size', '0');
  await page.waitForFunction(() => document.querySelector('#peers-count').textContent.startsWith('0 peers'), patience);
});
