// Tests the caches that the JavaScript module opens.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { launch } from './browser.mjs';
import { browser, database, inWorker, open, page, prepare } from './module-pages.mjs';
import { netmap, node } from './netmap.mjs';

// subset picks from actual, recursively, the fields that expected has.
function subset(actual, expected) {
  if (Array.isArray(expected) && Array.isArray(actual)) return actual.map((v, i) => subset(v, expected[i]));
  if (expected === null || typeof expected !== 'object' || !actual) return actual;
  return Object.fromEntries(Object.keys(expected).map((key) => [key, subset(actual[key], expected[key])]));
}

test('a netmap comes back as it was stored', async () => {
  const map = netmap(300);
  const [first, second, stored, cached] = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    await cache.store(map);
    const first = await cache.load();
    await cache.clear();
    await cache.store({ ...first, Cached: false });
    const second = await cache.load();
    await cache.clear();
    const stored = [await cache.store(second), await cache.updateSelf(second)]; // it is Cached
    return [first, second, stored, await test.attempt(cache.load())];
  }, database, map);
  assert.equal(first.Cached, true);
  assert.deepEqual(subset(first, map), map);
  assert.deepEqual(second, first);
  assert.deepEqual(stored, [false, false]);
  assert.equal(cached, 'not-available');
});

test('IDs and durations that a number cannot hold come back as they were stored', async () => {
  const map = netmap(1);
  map.Peers[0].ID = '9007199254740993';
  map.SSHPolicy.rules[0].action.sessionDuration = '9007199254740995';
  const [first, second] = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    await cache.store(map);
    const first = await cache.load();
    await cache.clear();
    await cache.store({ ...first, Cached: false });
    return [first, await cache.load()];
  }, database, map);
  assert.equal(first.Peers[0].ID, '9007199254740993');
  assert.equal(first.SSHPolicy.rules[0].action.sessionDuration, '9007199254740995');
  assert.deepEqual(second, first);
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

test('without IndexedDB', { skip: inWorker && 'a page cannot take IndexedDB from its worker' }, async () => {
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
      offset: () => cache.peers({ offset: -1 }),
      limit: () => cache.peers({ limit: 1.5 }),
      search: () => cache.peers({ search: /x/ }),
      noPeers: () => cache.updatePeers(null),
      emptyPeer: () => cache.updatePeers([{}]),
      options: () => test.module.openCache('name'),
      nullOptions: () => test.module.openCache(null),
      unknown: () => test.module.openCache({ name: database }),
      unknownOfCall: () => cache.load({ peer: false }),
      nullOfCall: () => cache.load(null),
      openSignal: () => test.openCache({ database, signal: {} }),
      signal: () => cache.load({ signal: 1 }),
      maxAgeText: () => test.openCache({ database, maxAge: '1000' }),
      database: () => test.openCache({ database: '' }),
      owner: () => test.openCache({ database, owner: 1 }),
      maxAge: () => test.openCache({ database, maxAge: -1 }),
      worker: () => test.openCache({ database, worker: '/worker.js' }),
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

test('subscribe tells of changes in this tab and in others', async () => {
  const other = await open(browser);
  const own = await page.evaluate(async (database, map) => {
    test.cache = await test.openCache({ database });
    test.calls = [];
    test.next = () => new Promise((resolve) => (test.wake = resolve));
    test.unsubscribe = test.cache.subscribe(({ own }) => test.calls.push(['first', own]));
    test.cache.subscribe(({ own }) => {
      test.calls.push(['second', own]);
      test.wake?.();
    });
    const told = test.next();
    await test.cache.store(map);
    await told;
    const calls = test.calls.splice(0);
    await test.cache.store(map); // what is stored: no change
    test.changed = test.next();
    return calls;
  }, database, netmap(1));
  assert.deepEqual(own, [['first', true], ['second', true]]);

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
  assert.deepEqual(calls, [['first', false], ['second', false]]);
  assert.equal(peers, 2);

  await other.evaluate(() => test.cache.clear());
  const later = await page.evaluate(async () => {
    await test.changed;
    return test.calls;
  });
  assert.deepEqual(new Set(later.map(([who]) => who)), new Set(['second']));
  await other.close();
});

test('clear tells once, and only if something went', async () => {
  const calls = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    const other = await test.openCache({ database });
    await cache.store(map);
    const channel = new BroadcastChannel(`netmapcache/idbstore/${database}`);
    const calls = [];
    channel.onmessage = () => calls.push('posted');
    cache.subscribe(({ own }) => calls.push(own));
    await cache.clear();
    await cache.clear();
    await other.clear();
    const last = new Promise((resolve) => (channel.onmessage = resolve));
    new BroadcastChannel(channel.name).postMessage(null);
    await last; // what was posted before has come
    return calls;
  }, database, netmap(1));
  assert.deepEqual(calls, [true, 'posted', false]); // the last is of the message of this test
});

test('a subscription ends by its signal, by using, and with the cache', async () => {
  const calls = await page.evaluate(async (database, map) => {
    const calls = [];
    const cache = await test.openCache({ database });
    const controller = new AbortController();
    cache.subscribe(() => calls.push('signal'), { signal: controller.signal });
    cache.subscribe(() => calls.push('aborted before'), { signal: AbortSignal.abort() });
    if (Symbol.dispose) cache.subscribe(() => calls.push('using'))[Symbol.dispose]();
    const told = new Promise((resolve) => cache.subscribe(() => {
      calls.push('subscribed');
      resolve();
    }));
    controller.abort();
    await cache.store(map);
    await told;
    await cache.close();
    cache.subscribe(() => calls.push('closed'));
    const other = await test.openCache({ database });
    await other.clear();
    await other.close();
    return calls;
  }, database, netmap(1));
  assert.deepEqual(calls, ['subscribed']);
});

test('peers by window', async () => {
  const map = netmap(600);
  map.Peers.forEach((peer, i) => Object.assign(peer.Hostinfo, i % 10 ? {} : { OS: 'macOS' }));
  const seen = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    await cache.store(map);
    const names = async (options) => {
      const { total, peers } = await cache.peers(options);
      return [total, ...peers.map((peer) => peer.Name.split('.')[0])];
    };
    const all = await cache.load();
    return {
      first: (await names()).length,
      middle: await names({ offset: 299, limit: 2 }),
      end: await names({ offset: 599, limit: 10 }),
      beyond: await names({ offset: 1000 }),
      none: await names({ limit: 0 }),
      name: await names({ search: 'HOST-42.tail' }),
      address: await names({ search: '100.64.1.77' }),
      os: await names({ search: 'macos', limit: 2 }),
      words: await names({ search: ' bob  macos ', limit: 2 }),
      owner: await names({ search: 'älice', limit: 1 }),
      nothing: await names({ search: 'no such peer' }),
      same: JSON.stringify((await cache.peers({ limit: 600 })).peers) === JSON.stringify(all.Peers),
      lean: Object.keys(await cache.load({ peers: false })).filter((key) => !(key in all)),
      missing: Object.keys(all).filter((key) => key !== 'Peers').length,
      without: 'Peers' in (await cache.load({ peers: false })),
    };
  }, database, map);
  assert.deepEqual(seen, {
    first: 101,
    middle: [600, 'host-300', 'host-301'],
    end: [600, 'host-600'],
    beyond: [600],
    none: [600],
    name: [1, 'host-42'],
    address: [1, 'host-333'],
    os: [60, 'host-1', 'host-11'],
    words: [60, 'host-1', 'host-11'],
    owner: [300, 'host-2'],
    nothing: [0],
    same: true,
    lean: [],
    missing: 14,
    without: false,
  });
});

test('a netmap is loaded again only when it changed', async () => {
  const seen = await page.evaluate(async (database, map) => {
    let loads = 0;
    const observer = new PerformanceObserver((list) => {
      loads += list.getEntriesByName('netmapcache:read').length;
    });
    observer.observe({ type: 'measure' });
    const count = async (run) => {
      loads = 0;
      await run();
      loads += observer.takeRecords().filter(({ name }) => name === 'netmapcache:read').length;
      return loads;
    };
    const cache = await test.openCache({ database });
    const writer = await test.openCache({ database });
    await writer.store(map);
    return {
      together: await count(() => Promise.all([cache.load({ peers: false }), cache.peers(), cache.load()])),
      own: await count(async () => {
        await cache.updatePeers([], ['n2CNTRL']);
        if ((await cache.peers()).total !== 2) throw new Error('own change not seen');
      }),
      others: await count(async () => {
        await writer.store({ ...map, Peers: map.Peers.slice(0, 1) });
        if ((await cache.peers()).total !== 1) throw new Error('change by another not seen');
        await cache.peers();
      }),
      cleared: [await writer.clear(), await test.attempt(cache.peers())][1],
      stored: await count(async () => {
        await writer.store({ ...map, Peers: [] });
        if ((await cache.peers()).total !== 0) throw new Error('old peers');
      }),
    };
  }, database, netmap(3));
  assert.deepEqual(seen, { together: 1, own: 1, others: 1, cleared: 'not-available', stored: 1 });
});

test('a netmap that is kept expires', async () => {
  const codes = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database, maxAge: 2000 });
    await cache.store(map);
    const { savedAt } = await cache.info();
    const codes = [await test.attempt(cache.peers())];
    await new Promise((resolve) => setTimeout(resolve, savedAt.getTime() + 2010 - Date.now()));
    codes.push(await test.attempt(cache.peers()));
    return codes;
  }, database, netmap(1));
  assert.deepEqual(codes, ['fulfilled', 'expired']);
});

test('stages are measured, and only the last time', async () => {
  const stages = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    await cache.store(map);
    for (let i = 0; i < 3; i++) {
      await cache.updatePeers([], [`n${i + 2}CNTRL`]);
      await cache.load();
    }
    return performance.getEntriesByType('measure').map(({ name, duration }) => [name, duration >= 0]);
  }, database, netmap(5));
  assert.deepEqual(stages.sort(), ['compile', 'decode', 'fetch', 'open', 'read', 'start'].map((stage) => [`netmapcache:${stage}`, true]));
});

test('a browser without User Timing, or with something else in its place', async (t) => {
  for (const replacement of ['undefined', '() => { throw new Error() }', '{}']) {
    const other = await open(browser);
    t.after(() => other.close());
    const peers = await other.evaluate(async (database, map, replacement) => {
      for (const name of ['mark', 'measure', 'clearMarks', 'clearMeasures', 'getEntriesByType', 'getEntriesByName']) {
        Object.defineProperty(performance, name, { value: (0, eval)(`(${replacement})`) });
      }
      const cache = await test.openCache({ database });
      await cache.store(map);
      return (await cache.load()).Peers.length;
    }, database, netmap(3), replacement);
    assert.equal(peers, 3, replacement);
  }
});

test('nothing is left of calls that ended', async () => {
  const seen = await page.evaluate(async (database, map) => {
    const rejections = [];
    addEventListener('unhandledrejection', ({ reason }) => rejections.push(String(reason)));
    const controller = new AbortController();
    const { signal } = controller;
    let listeners = 0;
    const { addEventListener: add, removeEventListener: remove } = signal;
    signal.addEventListener = (...args) => (listeners++, add.apply(signal, args));
    signal.removeEventListener = (...args) => (listeners--, remove.apply(signal, args));

    const cache = await test.openCache({ database, signal });
    await cache.store(map, { signal });
    cache.subscribe(() => {}, { signal })();
    cache.subscribe(() => {}, { signal });
    for (let i = 0; i < 10; i++) {
      await Promise.all([cache.load({ signal }), cache.info({ signal }), cache.peers({ signal }), test.attempt(cache.peers({ offset: -1, signal }))]);
    }
    const open = listeners;
    const ignored = cache.load({ signal });
    ignored.catch(() => {});
    controller.abort();
    cache.close(); // nobody waits for it
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { open, listeners, rejections };
  }, database, netmap(3));
  assert.deepEqual(seen, { open: 1, listeners: 0, rejections: [] });
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
    for (const method of ['load', 'peers', 'info', 'clear']) {
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
    'peers before': 'before',
    'peers during': 'during',
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
