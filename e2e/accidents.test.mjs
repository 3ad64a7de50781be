// What can happen to a page and its storage in Chromium, while the cache is at work.

import assert from 'node:assert/strict';
import { after as afterAll, before, beforeEach, test } from 'node:test';

import { launch } from './browser.mjs';
import { after } from './history.mjs';
import { openPage, startServer } from './lab.mjs';

const torture = Boolean(process.env.TORTURE);

let server;
let browser;
let origin;
let database; // another one for each test
let tests = 0;

before(async () => {
  server = await startServer();
  origin = server.origin;
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

beforeEach(() => {
  database = `test ${++tests}`;
});

// expectWorking has a page store and load, and checks that nothing else remains.
async function expectWorking(page) {
  const result = await page.evaluate(async (database) => {
    const cache = await lab.openCache({ database });
    const stored = await lab.attempt(lab.perform(cache, 'afterwards', 0));
    return { stored, loaded: await lab.loaded(cache), orphans: await lab.orphans(cache, database) };
  }, database);
  assert.deepEqual(result, { stored: 'fulfilled', loaded: after('afterwards', 0), orphans: 0 });
}

test('site data is cleared during commits', async (t) => {
  const page = await openPage(browser, origin);
  const session = await page.createCDPSession();
  const times = torture ? 100 : 10;
  let cleared = 0;
  let clearing = Promise.resolve();
  await page.exposeFunction('clear', () => {
    clearing = session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' }).then(() => cleared++);
  });
  // After each clearing there is nothing that an update could change.
  const results = await page.evaluate(
    async (database, calls) => {
      const cache = await lab.openCache({ database });
      const results = [];
      for (let k = 0; k < calls; k++) {
        if (k % 10 === 3) clear();
        results.push([k % 5 === 0 ? 'store' : 'update', await lab.attempt(lab.perform(cache, 'writer', k))]);
      }
      return results;
    },
    database,
    10 * times,
  );
  await clearing;
  const allowed = { store: ['fulfilled'], update: ['fulfilled', 'not-available'] };
  assert.deepEqual(
    results.filter(([kind, result]) => !allowed[kind].includes(result)),
    [],
  );
  assert.equal(cleared, times);
  const lost = results.filter(([, result]) => result === 'not-available').length;
  assert.ok(lost > 0, 'updates found the data gone');
  await expectWorking(page);
  t.diagnostic(`${cleared} times cleared in ${results.length} calls, ${lost} updates found nothing to update`);
  await page.close();
});

test('the connection is dropped during each kind of call', async () => {
  const page = await openPage(browser, origin, () => {
    const { open } = IDBFactory.prototype;
    globalThis.connections = [];
    IDBFactory.prototype.open = function (...args) {
      const request = open.apply(this, args);
      request.addEventListener('success', () => connections.push(request.result));
      return request;
    };
  });
  const results = await page.evaluate(async (database) => {
    const cache = await lab.openCache({ database });
    // As Safari does in the background, without an event or with one.
    const drop = (event) => {
      for (const db of connections.splice(0)) {
        db.close();
        if (event) db.dispatchEvent(new Event('close'));
      }
    };
    const results = [];
    for (let k = 0; k < 40; k++) {
      if (k % 2) drop(k % 4 === 1);
      const call = lab.attempt(lab.perform(cache, 'writer', k));
      if (k % 2 === 0) {
        await new Promise((resolve) => setTimeout(resolve, (k * 7) % 13));
        drop(true);
      }
      results.push(await call, await lab.loaded(cache));
    }
    return results;
  }, database);
  assert.deepEqual(
    results,
    Array.from({ length: 40 }, (_, k) => ['fulfilled', after('writer', k)]).flat(),
  );
  await expectWorking(page);
  await page.close();
});

test('another tab has a newer version of the database, then an older one', async () => {
  const page = await openPage(browser, origin);
  const other = await openPage(browser, origin);
  await page.evaluate(async (database) => {
    lab.cache = await lab.openCache({ database });
    await lab.perform(lab.cache, 'writer', 0);
  }, database);

  // The cache lets go of its connection, whatever it is doing.
  const storing = page.evaluate(async () => {
    const results = [];
    while (results.at(-1) !== 'format') results.push(await lab.attempt(lab.perform(lab.cache, 'writer', 5 * results.length)));
    return [results.slice(0, -1), await lab.attempt(lab.cache.load()), await lab.attempt(lab.cache.info())];
  });
  await other.evaluate(async (database) => {
    lab.db = await lab.request(indexedDB.open(database, 2));
  }, database);
  const [stored, load, info] = await storing;
  assert.deepEqual([new Set([...stored, 'fulfilled']), load, info], [new Set(['fulfilled']), 'format', 'format']);

  // The newer version is deleted, and the cache makes the older one.
  await other.evaluate(async (database) => {
    lab.db.close();
    await lab.request(indexedDB.deleteDatabase(database));
  }, database);
  assert.deepEqual(await page.evaluate(() => lab.loaded(lab.cache)), 'not-available');
  await expectWorking(page);
  await page.close();
  await other.close();
});

test('another tab keeps the database and blocks an upgrade', async () => {
  const [holder, upgrader, page] = await Promise.all(Array.from({ length: 3 }, () => openPage(browser, origin)));
  await expectWorking(page);
  await holder.evaluate(async (database) => {
    lab.db = await lab.request(indexedDB.open(database)); // and doesn't react to "versionchange"
  }, database);
  await upgrader.evaluate(async (database) => {
    lab.opening = indexedDB.open(database, 2);
    await new Promise((resolve) => (lab.opening.onblocked = resolve));
  }, database);

  // Behind an upgrade the browser doesn't answer. The cache has to find out why.
  assert.equal(await page.evaluate(async (database) => lab.attempt(lab.openCache({ database })), database), 'blocked');

  // One that still waits hears of the outcome when the database becomes free.
  const waiting = page.evaluate(async (database) => lab.attempt(lab.openCache({ database })), database);
  await holder.evaluate(() => lab.db.close());
  assert.equal(await waiting, 'format');
  await upgrader.evaluate(async (database) => {
    lab.opening.result.close();
    await lab.request(indexedDB.deleteDatabase(database));
  }, database);
  await expectWorking(page);
  await Promise.all([holder, upgrader, page].map((page) => page.close()));
});

test('the quota is reached, and raised again', async () => {
  const context = await browser.createBrowserContext();
  const page = await openPage(context, origin);
  const session = await page.createCDPSession();
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_000_000 });
  const full = await page.evaluate(async (database) => {
    lab.cache = await lab.openCache({ database });
    const first = await lab.attempt(lab.perform(lab.cache, 'writer', 0));
    // Random text, which can't be compressed, in one column.
    const big = lab.big(1_000_000);
    const codes = [];
    for (const call of [() => lab.cache.store(big), () => lab.cache.updateSelf(big), () => lab.cache.updatePeers([big.SelfNode], [])]) {
      codes.push(await lab.attempt(call()), await lab.loaded(lab.cache), await lab.orphans(lab.cache, database));
    }
    // The browser counts what was given up until it has cleaned up, and tells nobody when it has.
    let small;
    for (const start = performance.now(); small !== 'fulfilled' && performance.now() - start < 10_000;) {
      small = await lab.attempt(lab.perform(lab.cache, 'writer', 1));
    }
    return { first, codes, small, loaded: await lab.loaded(lab.cache) };
  }, database);
  const rejected = ['quota', after('writer', 0), 0];
  assert.deepEqual(full, { first: 'fulfilled', codes: [rejected, rejected, rejected].flat(), small: 'fulfilled', loaded: after('writer', 1) });
  await session.send('Storage.overrideQuotaForOrigin', { origin });
  await expectWorking(page);
  await context.close();
});

test('other data of the site takes up the quota, until it is deleted', async () => {
  const context = await browser.createBrowserContext();
  const page = await openPage(context, origin);
  const session = await page.createCDPSession();
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_000_000 });
  const results = await page.evaluate(async (database) => {
    const cache = await lab.openCache({ database });
    const results = [await lab.attempt(lab.perform(cache, 'writer', 0))];
    const others = indexedDB.open('others');
    others.onupgradeneeded = () => others.result.createObjectStore('entries', { autoIncrement: true });
    const db = await lab.request(others);
    for (let size = 65536; size >= 1024; ) {
      const tx = db.transaction('entries', 'readwrite');
      tx.objectStore('entries').add(crypto.getRandomValues(new Uint8Array(size)));
      if (!(await new Promise((resolve) => Object.assign(tx, { oncomplete: () => resolve(true), onabort: () => resolve(false) })))) size /= 2;
    }
    results.push(await lab.attempt(lab.perform(cache, 'writer', 5)), await lab.loaded(cache));
    db.close();
    await lab.request(indexedDB.deleteDatabase('others'));
    return results;
  }, database);
  assert.deepEqual(results, ['fulfilled', 'quota', after('writer', 0)]);
  await expectWorking(page);
  await context.close();
});

test('in private mode it keeps maps until the last private window closes', async () => {
  const open = (context) => openPage(context, origin);
  const load = (page) => page.evaluate(async (database) => lab.loaded(await lab.openCache({ database })), database);
  const context = await browser.createBrowserContext();
  const page = await open(context);
  await expectWorking(page);
  const second = await open(context);
  assert.deepEqual(await load(second), after('afterwards', 0));
  await context.close();

  for (const context of [await browser.createBrowserContext(), browser]) {
    const page = await open(context);
    assert.equal(await load(page), 'not-available');
    await page.close();
  }
});

for (const [name, sabotage] of Object.entries({
  'is absent': () => delete Object.getPrototypeOf(window).indexedDB && delete window.indexedDB,
  'is null': () => Object.defineProperty(window, 'indexedDB', { value: null }),
  'is something else': () => Object.defineProperty(window, 'indexedDB', { value: {} }),
  'may not be looked at': () =>
    Object.defineProperty(window, 'indexedDB', {
      get() {
        throw new DOMException('denied', 'SecurityError');
      },
    }),
  'throws': () => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('denied', 'SecurityError');
    };
  },
  'fails': () => {
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function (...args) {
      const request = open.apply(this, args);
      request.addEventListener('upgradeneeded', () => request.transaction.abort());
      return request;
    };
  },
  'begins no transaction': () => {
    IDBDatabase.prototype.transaction = () => {
      throw new DOMException('broken', 'UnknownError');
    };
  },
  'aborts every transaction': () => {
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...args) {
      const tx = transaction.apply(this, args);
      queueMicrotask(() => tx.abort());
      return tx;
    };
  },
  'answers with no request': () => {
    IDBFactory.prototype.open = () => new EventTarget();
  },
})) {
  test(`IndexedDB ${name}`, async () => {
    const page = await openPage(browser, origin, sabotage);
    const code = await page.evaluate(
      async (database) => lab.attempt(lab.openCache({ database }).then((cache) => lab.perform(cache, 'writer', 0))),
      database,
    );
    assert.equal(code, 'unavailable');
    await page.close();
  });
}

// commits has a page make calls, and returns functions that wait until it has made some more,
// and that end it and return what came of them.
async function commits(page) {
  await page.evaluate((database) => {
    lab.commits = (async () => {
      const cache = await lab.openCache({ database });
      const results = new Set();
      let calls = 0;
      while (!lab.stopping) {
        results.add(await lab.attempt(lab.perform(cache, 'writer', calls++)));
        lab.onCall?.();
      }
      return { results: [...results], calls, last: await lab.loaded(cache) };
    })();
  }, database);
  return {
    more: () => page.evaluate((calls) => new Promise((resolve) => (lab.onCall = () => --calls || resolve())), 5),
    stop: () => page.evaluate(() => ((lab.stopping = true), lab.commits)),
  };
}

test('a page is frozen during commits, and resumed', async (t) => {
  const page = await openPage(browser, origin);
  const other = await openPage(browser, origin);
  const session = await page.createCDPSession();
  const { more, stop } = await commits(page);
  const meanwhile = { fulfilled: 0, unavailable: 0 };
  for (let i = 0; i < (torture ? 20 : 1); i++) {
    await more();
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    // A transaction that is frozen keeps others waiting; the cache does for 20 seconds.
    const result = await other.evaluate(
      async (database) => lab.attempt(lab.perform(await lab.openCache({ database }), 'meanwhile', 0)),
      database,
    );
    assert.ok(result in meanwhile, result);
    meanwhile[result]++;
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await more();
  }
  const { results, calls, last } = await stop();
  // A call that was frozen for longer than that may give up as it resumes. Whether it
  // took effect is then unknown; later ones succeed.
  assert.ok(results.every((result) => result in meanwhile), results);
  if (results.length === 1) {
    assert.deepEqual([results, last], [['fulfilled'], after('writer', calls - 1)]);
  }
  await expectWorking(other);
  t.diagnostic(`calls of another tab meanwhile: ${JSON.stringify(meanwhile)}`);
  await page.close();
  await other.close();
});

test('a page is hidden during commits', async () => {
  const page = await openPage(browser, origin);
  const { more, stop } = await commits(page);
  await more();
  const other = await openPage(browser, origin);
  await other.bringToFront();
  await page.waitForFunction(() => document.hidden, { polling: 50 });
  await more();
  await page.bringToFront();
  await page.waitForFunction(() => !document.hidden, { polling: 50 });
  const { results, calls, last } = await stop();
  assert.deepEqual([results, last], [['fulfilled'], after('writer', calls - 1)]);
  await page.close();
  await other.close();
});
