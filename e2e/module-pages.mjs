// Serves the JavaScript module as wasm/build.sh built it, and opens pages that use it.
// Importing this file makes a page and the name of a database for each test.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch } from './browser.mjs';
import { exitingWasm } from './exiting-wasm.mjs';
import { netmap } from './netmap.mjs';
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

// What workers do that are sent a name of a database and a network map.
const storing = `async ({ data: [database, map], target }) => {
  const cache = await openCache({ database });
  target.postMessage(await cache.store(map).then(async () => (await cache.load()).Domain, (err) => err.code ?? String(err)));
}`;

const html = (headers) => (_, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html', ...headers });
  response.end('<!doctype html><title>netmapcache</title>');
};

// What /flaky.wasm waits for; it may answer the request itself.
let beforeFlaky;

export function setBeforeFlaky(fn) {
  beforeFlaky = fn;
}

const routes = {
  '/': html({}),
  '/strict': html({
    'Content-Security-Policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
  }),
  '/no-wasm': html({ 'Content-Security-Policy': "default-src 'none'; script-src 'self'; connect-src 'self'" }),
  '/no-worker': html({ 'Content-Security-Policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'none'" }),
  '/trusted-types': html({ 'Content-Security-Policy': "require-trusted-types-for 'script'" }),
  '/shared-worker.js': (_, response) => response.setHeader('Content-Type', 'text/javascript').end(`
    import { openCache } from '/netmapcache.js';
    onconnect = ({ ports: [port] }) => (port.onmessage = ${storing});`),
  '/service-worker.js': (_, response) => response.setHeader('Content-Type', 'text/javascript').end(`
    import { openCache } from '/netmapcache.js';
    import '/program.js';
    onmessage = ({ data, ports: [port] }) => (${storing})({ data, target: port });`),
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
  '/html.wasm': html({}),
  '/exiting.wasm': (_, response) => {
    response.setHeader('Content-Type', 'application/wasm');
    response.end(exitingWasm);
  },
};

export let inWorker = false;

// useWorker has the tests of this process open caches that do their work in a worker.
export function useWorker() {
  inWorker = true;
}

let server;
export let browser;
export let page; // prepared
export let database; // a name
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

// open returns a new page, prepared.
export async function open(browser, path = '/') {
  const page = await browser.newPage();
  await page.goto(server.origin + path);
  await prepare(page);
  return page;
}

// prepare gives a page the global object test: the module's exports; attempt,
// which tells how a promise ends; a network map; and start, which opens a cache and stores that, which starts the program.
export async function prepare(page) {
  await page.evaluate(async (worker, map) => {
    const module = await import('/netmapcache.js');
    globalThis.test = {
      ...module,
      module,
      map,
      openCache: (options) => module.openCache({ worker, ...options }),
      start: async (options) => {
        const cache = await test.openCache(options);
        await cache.store(map);
        return cache;
      },
      attempt: (promise) =>
        promise.then(
          () => 'fulfilled',
          (err) => (err instanceof module.NetmapCacheError ? err.code : `${err.name}: ${err.message}`),
        ),
    };
  }, inWorker, netmap(2));
}
