// Tests the JavaScript module as "make wasm" built it, in Chromium.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch } from './browser.mjs';
import { exitingWasm } from './exiting-wasm.mjs';
import { netmap, node } from './netmap.mjs';
import { serve } from './serve.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

const worker = (imports) => (_, response) => {
  response.setHeader('Content-Type', 'text/javascript');
  response.end(`${imports}
    onmessage = async ({ data: [database, map] }) => {
      const { openCache } = await module;
      const cache = await openCache({ database });
      await cache.store(map);
      const { Domain, Peers } = await cache.load();
      await cache.close();
      postMessage([Domain, Peers.length, 'Go' in self]);
    };`);
};

const html = (headers) => (_, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html', ...headers });
  response.end('<!doctype html><title>netmapcache</title>');
};

// What /flaky.wasm waits for; it may answer the request itself.
let beforeFlaky;

const routes = {
  '/': html({}),
  '/strict': html({
    'Content-Security-Policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
  }),
  '/favicon.ico': (_, response) => response.end(),
  '/module-worker.js': worker("import * as imported from '/netmapcache.js'; const module = imported;"),
  '/classic-worker.js': worker("const module = import('/netmapcache.js');"),
  '/untyped.wasm': async (_, response) => {
    response.setHeader('Content-Type', 'application/octet-stream');
    response.end(await readFile(join(dist, 'netmapcache.wasm')));
  },
  '/flaky.wasm': async (_, response) => {
    await beforeFlaky(response);
    if (response.writableEnded) return;
    response.setHeader('Content-Type', 'application/wasm');
    response.end(await readFile(join(dist, 'netmapcache.wasm')));
  },
  '/exiting.wasm': (_, response) => {
    response.setHeader('Content-Type', 'application/wasm');
    response.end(exitingWasm);
  },
};

let server;
let browser;
let page;
let database; // another one for each test
let tests = 0;

before(async () => {
  server = await serve(dist, routes);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

beforeEach(async () => {
  database = `test ${++tests}`;
  page = await open(browser);
});

afterEach(() => page.close());

// open returns a new page, in which runs find openCache, and attempt, which
// returns what is interesting about a rejection.
async function open(browser, path = '/') {
  const page = await browser.newPage();
  await page.goto(server.origin + path);
  await prepare(page);
  return page;
}

async function prepare(page) {
  await page.evaluate(async () => {
    const module = await import('/netmapcache.js');
    globalThis.test = {
      ...module,
      attempt: (promise) =>
        promise.then(
          () => 'fulfilled',
          (err) => (err instanceof module.NetmapCacheError ? err.code : `${err.name}: ${err.message}`),
        ),
    };
  });
}

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

test('an aborted start does not spoil it for others', async () => {
  let arrive;
  const arrived = new Promise((resolve) => (arrive = resolve));
  let release;
  beforeFlaky = () => {
    arrive();
    return new Promise((resolve) => (release = resolve));
  };
  const results = page.evaluate(async (database) => {
    test.controller = new AbortController();
    const options = { database, wasm: '/flaky.wasm' };
    const first = test.openCache({ ...options, signal: test.controller.signal });
    const second = test.openCache(options);
    return [await first.catch((err) => err), await test.attempt(second)];
  }, database);
  await arrived;
  await page.evaluate(() => test.controller.abort('enough'));
  release();
  assert.deepEqual(await results, ['enough', 'fulfilled']);
});

test('a failed start can be repeated', async () => {
  beforeFlaky = (response) => {
    response.statusCode = 503;
    response.end();
    beforeFlaky = () => {};
  };
  const results = await page.evaluate(async (database) => {
    const wasm = '/flaky.wasm';
    return [
      await test.attempt(test.openCache({ database, wasm })),
      await test.attempt(test.openCache({ database, wasm: '/missing.wasm' })),
      await test.attempt(test.openCache({ database, wasm: new Uint8Array([0, 1, 2]) })),
      await test.attempt(test.openCache({ database, wasm: 7 })),
      await test.attempt(test.openCache({ database, wasm: Promise.reject(new Error('no')) })),
      await test.attempt(test.openCache({ database, wasm })),
    ];
  }, database);
  assert.deepEqual(results, ['wasm', 'wasm', 'wasm', 'wasm', 'wasm', 'fulfilled']);
});

for (const [name, source] of Object.entries({
  'a string': () => '/netmapcache.wasm',
  'a URL': () => new URL('/netmapcache.wasm', location.href),
  'a Response': () => fetch('/netmapcache.wasm'),
  'bytes': async () => new Uint8Array(await (await fetch('/netmapcache.wasm')).arrayBuffer()),
  'a Module': () => WebAssembly.compileStreaming(fetch('/netmapcache.wasm')),
  'a file with the wrong MIME type': () => '/untyped.wasm',
})) {
  for (const promised of [false, true]) {
    test(`wasm as ${promised ? 'a Promise of ' : ''}${name}`, async () => {
      const wasm = await page.evaluateHandle(source);
      const result = await page.evaluate(async (database, wasm, promised) => {
        const compileStreaming = WebAssembly.compileStreaming;
        let streamed = false;
        WebAssembly.compileStreaming = (response) => {
          streamed = true;
          return compileStreaming.call(WebAssembly, response);
        };
        const cache = await test.openCache({ database, wasm: promised ? Promise.resolve(wasm) : wasm });
        return [await test.attempt(cache.load()), streamed];
      }, database, wasm, promised);
      assert.deepEqual(result, ['not-available', /string|URL|Response/.test(name)]);
    });
  }
}

test('without streaming compilation', async () => {
  const result = await page.evaluate(async (database) => {
    delete WebAssembly.compileStreaming;
    return test.attempt(test.openCache({ database }));
  }, database);
  assert.equal(result, 'fulfilled');
});

test('many caches share one program', async () => {
  const result = await page.evaluate(async (database, map) => {
    let compiled = 0;
    const compileStreaming = WebAssembly.compileStreaming;
    WebAssembly.compileStreaming = (response) => {
      compiled++;
      return compileStreaming.call(WebAssembly, response);
    };
    const databases = Array.from({ length: 5 }, (_, i) => `${database}.${i}`);
    const caches = await Promise.all(databases.map((database) => test.openCache({ database })));
    await Promise.all(caches.map((cache, i) => cache.store({ ...map, Domain: `example${i}.com` })));
    const maps = await Promise.all(caches.map((cache) => cache.load()));
    return [compiled, maps.map((map) => map.Domain)];
  }, database, netmap(5));
  assert.deepEqual(result, [1, ['example0.com', 'example1.com', 'example2.com', 'example3.com', 'example4.com']]);
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

for (const [kind, options] of [['module', { type: 'module' }], ['classic', {}]]) {
  test(`in a ${kind} worker`, async () => {
    const result = await page.evaluate((url, options, message) => {
      const worker = new Worker(url, options);
      worker.postMessage(message);
      return new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
      });
    }, `/${kind}-worker.js`, options, [database, netmap(4)]);
    assert.deepEqual(result, ['example.com', 4, false]);
  });
}

test('no globals are left, and none of the page is taken for another', async () => {
  const result = await page.evaluate(async (database, map) => {
    window.fs = window.process = window.path = 'of the page';
    const before = Reflect.ownKeys(window);
    const cache = await test.openCache({ database });
    await cache.store(map);
    await cache.load();
    await cache.close();
    const added = Reflect.ownKeys(window).filter((key) => !before.includes(key));
    return [added, window.fs, window.process, window.path];
  }, database, netmap(1));
  assert.deepEqual(result, [[], 'of the page', 'of the page', 'of the page']);
});

test('under a strict Content-Security-Policy', async () => {
  const strict = await open(browser, '/strict');
  const result = await strict.evaluate(async (database, map) => {
    const evaluated = await new Promise((resolve) => {
      const script = document.createElement('script');
      script.textContent = 'window.inline = true';
      addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective), { once: true });
      document.head.append(script);
    });
    const cache = await test.openCache({ database });
    await cache.store(map);
    return [evaluated, (await cache.load()).Domain];
  }, database, netmap(1));
  assert.deepEqual(result, ['script-src-elem', 'example.com']);
  await strict.close();
});

test('a program that ends at once', async () => {
  const result = await page.evaluate(async (database) => [
    await test.attempt(test.openCache({ database, wasm: '/exiting.wasm' })),
    await test.attempt(test.openCache({ database })),
  ], database);
  assert.deepEqual(result, ['crashed', 'fulfilled']);
});

test('a crash rejects all calls, and the next cache starts anew', async () => {
  const result = await page.evaluate(async (database, map) => {
    const errors = [];
    addEventListener('error', (event) => errors.push(event.message));
    const cache = await test.openCache({ database });
    const idle = await test.openCache({ database });
    await cache.store(map);

    // An exception while Go reads a property goes through the midst of Go.
    const result = Object.getOwnPropertyDescriptor(IDBRequest.prototype, 'result');
    Object.defineProperty(IDBRequest.prototype, 'result', {
      configurable: true,
      get() {
        throw new Error('broken');
      },
    });
    const pending = await Promise.all([cache.load(), cache.info()].map(test.attempt));
    Object.defineProperty(IDBRequest.prototype, 'result', result);

    return {
      pending,
      later: await test.attempt(idle.load()),
      close: await test.attempt(idle.close()),
      anew: (await (await test.openCache({ database })).load()).Domain,
      errors,
    };
  }, database, netmap(5));
  assert.deepEqual(result, {
    pending: ['crashed', 'crashed'],
    later: 'crashed',
    close: 'fulfilled',
    anew: 'example.com',
    errors: [],
  });
});
