// Tests the caches that the JavaScript module opens.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { launch } from './browser.mjs';
import { browser, database, open, page, prepare } from './module-pages.mjs';
import { netmap, node } from './netmap.mjs';

// subset picks from actual, recursively, the fields that expected has.
function subset(actual, expected) {
  if (Array.isArray(expected) && Array.isArray(actual)) return actual.map((v, i) => subset(v, expected[i]));
  if (expected === null || typeof expected !== 'object' || !actual) return actual;
  return Object.fromEntries(Object.keys(expected).map((key) => [key, subset(actual[key], expected[key])]));
}

test('a netmap comes back as it was stored', async () => {
  const map = netmap(300);
  const [first, second, cached] = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    await cache.store(map);
    const first = await cache.load();
    await cache.clear();
    await cache.store({ ...first, Cached: false });
    const second = await cache.load();
    await cache.clear();
    await cache.store(second); // it is Cached
    return [first, second, await test.attempt(cache.load())];
  }, database, map);
  assert.equal(first.Cached, true);
  assert.deepEqual(subset(first, map), map);
  assert.deepEqual(second, first);
  assert.equal(cached, 'not-available');
});

test('it outlives a reload', async () => {
  await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    await cache.store(map);
  }, database, netmap(3));
  await page.reload();
  await prepare(page);
  const map = await page.evaluate(async (database) => (await test.openCache({ database })).load(), database);
  assert.equal(map.Peers.length, 3);
});

test('it outlives the browser', async (t) => {
  const userDataDir = await mkdtemp(join(tmpdir(), 'netmapcache-'));
  t.after(() => rm(userDataDir, { recursive: true, maxRetries: 5 }));
  const inBrowser = async (fn, ...args) => {
    const browser = await launch({ userDataDir });
    try {
      const page = await open(browser);
      return await page.evaluate(fn, ...args);
    } finally {
      await browser.close();
    }
  };
  await inBrowser(async (map) => (await test.openCache()).store(map), netmap(3));
  const map = await inBrowser(async () => (await test.openCache()).load());
  assert.equal(map.Peers.length, 3);
});

test('info', async () => {
  const before = Date.now();
  const info = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database, owner: 'alice' });
    await cache.store(map);
    const info = await cache.info();
    return { ...info, savedAt: info.savedAt.getTime(), confirmedAt: info.confirmedAt.getTime() };
  }, database, netmap(40));
  assert.ok(before <= info.savedAt && info.savedAt <= Date.now(), `savedAt ${info.savedAt}`);
  assert.equal(info.confirmedAt, info.savedAt);
  assert.ok(info.bytes > 40 * 100, `bytes ${info.bytes}`);
  assert.ok(info.columns >= 7, `columns ${info.columns}`);
  assert.deepEqual(
    { owner: info.owner, peers: info.peers, users: info.users, generation: info.generation, upstream: info.upstream },
    { owner: 'alice', peers: 40, users: 2, generation: 1, upstream: false },
  );
});

test('updates change what they name', async () => {
  const map = netmap(5);
  const changed = { ...node(2), Name: 'renamed.' };
  const profile = { ID: 101, LoginName: 'carol@example.com', DisplayName: 'Carol' };
  const rules = [{ SrcIPs: ['100.64.0.7/32'], DstPorts: null }];
  const loaded = await page.evaluate(
    async (database, map, changed, added, profile, rules) => {
      const cache = await test.openCache({ database });
      const none = await test.attempt(cache.updatePeers([added], []));
      await cache.store(map);
      await cache.updatePeers([changed, added], ['n4CNTRL']);
      await cache.updatePeers([], ['n5CNTRL']);
      await cache.updateUserProfiles({ 101: profile });
      await cache.updatePacketFilter(rules);
      await cache.updateSelf({ ...map, Domain: 'other.example.com', Peers: [], UserProfiles: {} });
      return { none, map: await cache.load() };
    },
    database, map, changed, node(9), profile, rules,
  );
  assert.equal(loaded.none, 'not-available');
  assert.deepEqual(loaded.map.Peers.map((p) => p.Name), [
    'host-1.tail1234.ts.net.',
    'renamed.',
    'host-5.tail1234.ts.net.',
    'host-9.tail1234.ts.net.',
  ]);
  assert.deepEqual(Object.keys(loaded.map.UserProfiles).sort(), ['100', '101', '9007199254740993']);
  assert.equal(loaded.map.Domain, 'other.example.com');
  assert.deepEqual(subset(loaded.map.PacketFilterRules, map.PacketFilterRules), map.PacketFilterRules);
});

test('updatePacketFilter', async () => {
  const rules = [{ SrcIPs: ['100.64.0.7/32'], DstPorts: [{ IP: '*', Ports: { First: 22, Last: 22 } }] }];
  const loaded = await page.evaluate(async (database, map, rules) => {
    const cache = await test.openCache({ database });
    await cache.store(map);
    await cache.updatePacketFilter(rules);
    return cache.load();
  }, database, netmap(1), rules);
  assert.deepEqual(subset(loaded.PacketFilterRules, rules), rules);
});

test('codes of errors that tell why there is no snapshot', async () => {
  const codes = await page.evaluate(async (database, map) => {
    const codes = {};
    const attempt = async (name, options) => {
      const cache = await test.openCache({ database, ...options });
      codes[name] = await test.attempt(cache.load());
      await cache.close();
    };
    const change = async (choose, edit) => {
      const db = await request(indexedDB.open(database));
      const tx = db.transaction(db.objectStoreNames[0], 'readwrite');
      const entries = tx.objectStore(db.objectStoreNames[0]);
      const key = (await request(entries.getAllKeys())).find(choose);
      const value = await request(entries.get(key));
      await request(entries.put(edit(value), key));
      db.close();
    };
    const request = (req) =>
      new Promise((resolve, reject) => {
        req.onsuccess = () => resolve(req.result);
        req.onerror = () => reject(req.error);
      });
    const flip = (value) => {
      value[value.length >> 1] ^= 1;
      return value;
    };

    await attempt('empty', {});
    const cache = await test.openCache({ database, owner: 'alice' });
    await cache.store(map);
    await attempt('nobody', {});
    await attempt('alice', { owner: 'alice' });
    await attempt('bob', { owner: 'bob' });
    await attempt('young', { owner: 'alice', maxAge: 60_000 });
    await attempt('unlimited', { owner: 'alice', maxAge: Infinity });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await attempt('old', { owner: 'alice', maxAge: 1 });

    await change((key) => key.startsWith('peers-'), flip);
    await attempt('peers', { owner: 'alice' });
    await cache.clear();
    await cache.store(map);
    await attempt('repaired', { owner: 'alice' });
    let root;
    await change((key) => key === 'self', (value) => {
      root = value.slice();
      return flip(value);
    });
    await attempt('root', { owner: 'alice' });

    // The root is [{1: major version, ...}, first half of the SHA-256 of all before].
    const newer = root.slice();
    newer[newer.indexOf(1, 2) + 1]++;
    const digest = await crypto.subtle.digest('SHA-256', newer.slice(0, -16));
    newer.set(new Uint8Array(digest, 0, 16), newer.length - 16);
    await change((key) => key === 'self', () => newer);
    await attempt('newer', { owner: 'alice' });
    return codes;
  }, database, netmap(10));
  assert.deepEqual(codes, {
    empty: 'not-available',
    nobody: 'fulfilled',
    alice: 'fulfilled',
    bob: 'wrong-owner',
    young: 'fulfilled',
    unlimited: 'fulfilled',
    old: 'expired',
    peers: 'corrupt',
    repaired: 'fulfilled',
    root: 'corrupt',
    newer: 'format',
  });
});

test('without IndexedDB', async () => {
  const code = await page.evaluate(async (database) => {
    Object.defineProperty(window, 'indexedDB', { value: undefined });
    return test.attempt(test.openCache({ database }));
  }, database);
  assert.equal(code, 'unavailable');
});

test('errors are errors', async () => {
  const seen = await page.evaluate(async (database) => {
    const cache = await test.openCache({ database });
    const err = await cache.load().catch((err) => err);
    return {
      isError: err instanceof Error,
      isOurs: err instanceof test.NetmapCacheError,
      name: err.name,
      code: err.code,
      hasMessage: err.message !== '',
      text: String(err).startsWith('NetmapCacheError: '),
    };
  }, database);
  assert.deepEqual(seen, {
    isError: true,
    isOurs: true,
    name: 'NetmapCacheError',
    code: 'not-available',
    hasMessage: true,
    text: true,
  });
});

test('arguments that make no sense', async () => {
  const codes = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    const cyclic = { ...map };
    cyclic.Peers = [cyclic];
    const codes = {};
    for (const [name, attempt] of Object.entries({
      undefined: () => cache.store(),
      string: () => cache.store('netmap'),
      noSelf: () => cache.store({ ...map, SelfNode: null }),
      noUser: () => cache.store({ ...map, SelfNode: { ...map.SelfNode, User: 0 } }),
      nullPeer: () => cache.store({ ...map, Peers: [null] }),
      nullProfile: () => cache.store({ ...map, UserProfiles: { 1: null } }),
      badKey: () => cache.store({ ...map, MachineKey: 'mkey:xyz' }),
      badID: () => cache.store({ ...map, SelfNode: { ...map.SelfNode, ID: '12x' } }),
      cyclic: () => cache.store(cyclic),
      peers: () => cache.updatePeers('peers'),
      database: () => test.openCache({ database: '' }),
      owner: () => test.openCache({ database, owner: 1 }),
      maxAge: () => test.openCache({ database, maxAge: -1 }),
      callback: async () => cache.subscribe(null),
    })) {
      codes[name] = await test.attempt(attempt());
    }
    codes.stored = await test.attempt(cache.load());
    return codes;
  }, database, netmap(1));
  const { stored, ...others } = codes;
  assert.equal(stored, 'not-available');
  assert.deepEqual(
    Object.entries(others).filter(([, code]) => code !== 'invalid-argument'),
    [],
  );
});

test('subscribe tells of changes in another tab, not of our own', async () => {
  const other = await open(browser);
  await page.evaluate(async (database, map) => {
    test.cache = await test.openCache({ database });
    test.calls = [];
    test.next = () => new Promise((resolve) => (test.wake = resolve));
    test.unsubscribe = test.cache.subscribe(() => test.calls.push('first'));
    test.cache.subscribe(() => {
      test.calls.push('second');
      test.wake?.();
    });
    await test.cache.store(map);
    test.changed = test.next();
  }, database, netmap(1));

  await other.evaluate(async (database, map) => {
    test.cache = await test.openCache({ database });
    await test.cache.updatePeers([map.SelfNode], []);
  }, database, netmap(0));
  const [calls, peers] = await page.evaluate(async () => {
    await test.changed;
    test.unsubscribe();
    test.unsubscribe();
    test.changed = test.next();
    return [test.calls.splice(0), (await test.cache.load()).Peers.length];
  });
  assert.deepEqual(calls, ['first', 'second']);
  assert.equal(peers, 2);

  await other.evaluate(() => test.cache.clear());
  const later = await page.evaluate(async () => {
    await test.changed;
    return test.calls;
  });
  assert.deepEqual(new Set(later), new Set(['second']));
  await other.close();
});

test('abort before and during a call', async () => {
  const results = await page.evaluate(async (database, map) => {
    const reason = (promise) => promise.then(() => 'fulfilled', (err) => err);
    const during = (call) => {
      const controller = new AbortController();
      const result = reason(call(controller.signal));
      controller.abort('during');
      return result;
    };
    const before = AbortSignal.abort('before');
    const results = {
      opening: await during((signal) => test.openCache({ database, signal })),
      openBefore: await reason(test.openCache({ database, signal: before })),
    };
    const cache = await test.openCache({ database });
    for (const method of ['load', 'info', 'clear']) {
      results[`${method} before`] = await reason(cache[method]({ signal: before }));
      results[`${method} during`] = await during((signal) => cache[method]({ signal }));
    }
    results['store during'] = await during((signal) => cache.store(map, { signal }));
    results['store before'] = await reason(cache.store(map, { signal: before }));
    results['default reason'] = (await reason(cache.load({ signal: AbortSignal.abort() }))).name;
    const controller = new AbortController();
    await cache.store(map, { signal: controller.signal });
    controller.abort();
    results['after'] = (await cache.load({ signal: new AbortController().signal })).Domain;
    return results;
  }, database, netmap(10));
  assert.deepEqual(results, {
    opening: 'during',
    openBefore: 'before',
    'load before': 'before',
    'load during': 'during',
    'info before': 'before',
    'info during': 'during',
    'clear before': 'before',
    'clear during': 'during',
    'store during': 'during',
    'store before': 'before',
    'default reason': 'AbortError',
    after: 'example.com',
  });
});

test('close', async () => {
  const result = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    const other = await test.openCache({ database });
    const storing = test.attempt(cache.store(map));
    const loading = test.attempt(cache.load());
    const closed = [cache.close(), cache.close()];
    await Promise.all(closed);
    return {
      storing: await storing,
      loading: await loading,
      later: await test.attempt(cache.info()),
      again: await test.attempt(cache.close()),
      other: await test.attempt(other.store(map)),
      dispose: typeof cache[Symbol.asyncDispose] === (Symbol.asyncDispose ? 'function' : 'undefined'),
    };
  }, database, netmap(5));
  assert.deepEqual(result, {
    storing: 'closed',
    loading: 'closed',
    later: 'closed',
    again: 'fulfilled',
    other: 'fulfilled',
    dispose: true,
  });
});
