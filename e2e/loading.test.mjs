// Tests how the JavaScript module gets its WebAssembly program to run, where, and what
// happens when that fails.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, database, open, page, setBeforeFlaky } from './module-pages.mjs';
import { netmap } from './netmap.mjs';

test('an aborted start does not spoil it for others', async () => {
  let arrive;
  const arrived = new Promise((resolve) => (arrive = resolve));
  let release;
  setBeforeFlaky(() => {
    arrive();
    return new Promise((resolve) => (release = resolve));
  });
  const results = page.evaluate(async (database) => {
    test.controller = new AbortController();
    const options = { database, wasm: '/flaky.wasm' };
    const cache = await test.openCache(options);
    const first = cache.store(test.map, { signal: test.controller.signal });
    const second = test.start(options);
    return [await first.catch((err) => err), await test.attempt(second), await test.attempt(cache.store(test.map))];
  }, database);
  await arrived;
  await page.evaluate(() => test.controller.abort('enough'));
  release();
  assert.deepEqual(await results, ['enough', 'fulfilled', 'fulfilled']);
});

test('a failed start can be repeated', async () => {
  setBeforeFlaky((response) => {
    response.statusCode = 503;
    response.end();
    setBeforeFlaky(() => {});
  });
  const results = await page.evaluate(async (database) => {
    const wasm = '/flaky.wasm';
    return [
      await test.attempt(test.start({ database, wasm })),
      await test.attempt(test.start({ database, wasm: '/missing.wasm' })),
      await test.attempt(test.start({ database, wasm: new Uint8Array([0, 1, 2]) })),
      await test.attempt(test.start({ database, wasm: 7 })),
      await test.attempt(test.start({ database, wasm: '/html.wasm' })),
      await test.attempt(test.start({ database, wasm: Promise.reject(new Error('no')) })),
      await test.attempt(test.start({ database, wasm })),
    ];
  }, database);
  assert.deepEqual(results, ['wasm', 'wasm', 'wasm', 'wasm', 'wasm', 'wasm', 'fulfilled']);
});

test('HTML in place of the program is named', async () => {
  const message = await page.evaluate(async (database) => {
    const cache = await test.openCache({ database, wasm: '/html.wasm' });
    return cache.store(test.map).catch((err) => err.message);
  }, database);
  assert.match(message, /http:\/\/127\.0\.0\.1:\d+\/html\.wasm: the server sends text\/html in place/);
});

test('the same cache can try again when a start has failed', async () => {
  setBeforeFlaky((response) => {
    response.statusCode = 503;
    response.end();
    setBeforeFlaky(() => {});
  });
  const results = await page.evaluate(async (database) => {
    const cache = await test.openCache({ database, wasm: '/flaky.wasm' });
    return [await test.attempt(cache.store(test.map)), await test.attempt(cache.load()), await test.attempt(cache.store(test.map)), await test.attempt(cache.load())];
  }, database);
  assert.deepEqual(results, ['wasm', 'not-available', 'fulfilled', 'fulfilled']);
});

test('to read takes neither the program nor a worker', async () => {
  await page.evaluate(async (database) => (await test.start({ database })).close(), database);
  const strict = await open(browser, '/no-wasm');
  const result = await strict.evaluate(async (database) => {
    const asked = [];
    globalThis.fetch = (...args) => asked.push(args);
    globalThis.Worker = class {
      constructor(...args) {
        asked.push(args);
      }
    };
    const cache = await test.openCache({ database, worker: true });
    const { Domain } = await cache.load();
    const { total } = await cache.peers({ search: 'host-1' });
    const { peers } = await cache.info();
    let pieces = 0;
    await cache.stream(() => pieces++);
    const file = await cache.export();
    await cache.clear();
    return { Domain, total, peers, pieces, file: file.length > 1000, cleared: await test.attempt(cache.load()), asked };
  }, database);
  assert.deepEqual(result, { Domain: 'example.com', total: 1, peers: 2, pieces: 1, file: true, cleared: 'not-available', asked: [] });
  const write = await strict.evaluate(async (database) => {
    const cache = await test.openCache({ database });
    return cache.store(test.map).catch(({ code, message }) => [code, message.includes("'wasm-unsafe-eval'") || message]);
  }, `${database} other`);
  assert.deepEqual(write, ['wasm', true]);
  await strict.close();
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
        const cache = await test.start({ database, wasm: promised ? Promise.resolve(wasm) : wasm });
        return [await test.attempt(cache.load()), streamed];
      }, database, wasm, promised);
      assert.deepEqual(result, ['fulfilled', /string|URL|Response/.test(name)]);
    });
  }
}

test('without streaming compilation', async () => {
  const result = await page.evaluate(async (database) => {
    delete WebAssembly.compileStreaming;
    return test.attempt(test.start({ database }));
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
    await test.attempt(test.start({ database, wasm: '/exiting.wasm' })),
    await test.attempt(test.start({ database })),
  ], database);
  assert.deepEqual(result, ['crashed', 'fulfilled']);
});

test('a crash rejects all calls to the program, and the next one starts it anew', async () => {
  const result = await page.evaluate(async (database, map) => {
    const errors = [];
    addEventListener('error', (event) => errors.push(event.message));
    const cache = await test.openCache({ database });
    const idle = await test.openCache({ database });
    await cache.store(map);
    await idle.store({ ...map, Domain: 'other.example.com' });

    // An exception while Go reads a property goes through the midst of Go.
    const result = Object.getOwnPropertyDescriptor(IDBRequest.prototype, 'result');
    Object.defineProperty(IDBRequest.prototype, 'result', {
      configurable: true,
      get() {
        throw new Error('broken');
      },
    });
    const pending = await Promise.all([cache.store(map), cache.updatePeers([], ['n1CNTRL'])].map(test.attempt));
    Object.defineProperty(IDBRequest.prototype, 'result', result);

    return {
      pending,
      read: (await idle.load()).Domain,
      anew: await test.attempt(idle.store(map)),
      close: await test.attempt(idle.close()),
      again: await test.attempt(cache.updatePeers([], ['n1CNTRL'])),
      errors,
    };
  }, database, netmap(5));
  assert.deepEqual(result, {
    pending: ['crashed', 'crashed'],
    read: 'other.example.com',
    anew: 'fulfilled',
    close: 'fulfilled',
    again: 'fulfilled',
    errors: [],
  });
});
