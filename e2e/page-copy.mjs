// Serves a copy of the page, which tests change: a new version, or something wrong with the browser.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { netmap } from './netmap.mjs';
import { inMode } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

// startCopy serves a copy of the page, and a tailnet with these flags.
export async function startCopy(...flags) {
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-page-'));
  const { server, origin, ask } = await startTailnet('-churn', '0', '-web', folder, '-web', dist, ...flags);
  const copy = {
    server,
    origin,
    path: (name) => join(folder, name),
    replace: (name, content) => writeFile(join(folder, name), content),
    ask, // of startTailnet
    control: (up) => ask('control', { up }),

    // restore makes the copy one of the page as it is.
    async restore() {
      await rm(folder, { recursive: true, force: true });
      await cp(join(dist, 'page'), folder, { recursive: true });
    },

    // prefix makes a script of the page begin with something else.
    async prefix(code, script = 'network-worker.js') {
      await writeFile(join(folder, script), `${code}\n${await readFile(join(folder, script))}`);
    },

    // stored puts a network map into the page's database, with the options that an application would give.
    async stored(page, options, prepare = () => {}) {
      await copy.control(false);
      await page.goto(origin);
      await inMode(page, 'empty');
      await page.evaluate(prepare);
      await page.evaluate(async (netmap, options) => {
        const { openCache } = await import('/netmapcache.js');
        const cache = await openCache({ database: 'network', owner: location.origin, worker: false, ...options }); // here, for what prepare has done
        await cache.store(netmap);
        await cache.close();
      }, netmap(3), options);
    },

    async stop() {
      server.kill('SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
  await copy.restore();
  return copy;
}

// Browsers in which something is wrong: what the worker that uses the storage begins with.
export const faults = {
  unavailable: "Object.defineProperty(globalThis, 'indexedDB', { value: undefined });",

  quota: `const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (...args) {
      if (this.transaction.db.name === 'network') throw new DOMException('no space', 'QuotaExceededError');
      return put.apply(this, args);
    };`,

  // A version of the page with another layout of its databases, for which each has to be free.
  newer: `const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function (name, version) {
      return open.call(this, name, name === 'network' ? version + 1 : version);
    };`,

  // The client's program breaks off on its way, the first time.
  brokenOff: `const request = globalThis.fetch;
    let broken = false;
    globalThis.fetch = async (what, init) => {
      const answer = await request(what, init);
      if (!String(what).endsWith('/client.wasm') || broken) return answer;
      broken = true;
      let pulls = 0;
      const reader = answer.body.getReader();
      const pull = async (stream) => (pulls++ < 3 ? stream.enqueue((await reader.read()).value) : stream.error(new TypeError('network error')));
      return new Response(new ReadableStream({ pull }), { headers: answer.headers });
    };`,

  // The client's program stops on its way.
  slow: `const request = globalThis.fetch;
    globalThis.fetch = async (what) => {
      const answer = await request(what);
      if (!String(what).endsWith('/client.wasm')) return answer;
      const reader = answer.body.getReader();
      let received = 0;
      const pull = async (stream) => {
        if (received > 12e6) return new Promise(() => {});
        const { value } = await reader.read();
        received += value.length;
        stream.enqueue(value);
      };
      return new Response(new ReadableStream({ pull }), { headers: answer.headers });
    };`,
};

// tooOld has what is stored from now on in a page be 200 days old.
export function tooOld() {
  const { now } = Date;
  globalThis.Date = class extends Date {
    constructor(...args) {
      super(...(args.length > 0 ? args : [now() - 200 * 24 * 3600_000]));
    }
  };
}

// holdDatabase has a tab open the network's database, as an older version of the page would, and not let go of it.
export async function holdDatabase(tab, origin) {
  await tab.goto(`${origin}/missing`);
  await tab.evaluate(async () => {
    const opening = indexedDB.open('network', 1);
    await new Promise((resolve) => (opening.onsuccess = resolve));
    globalThis.held = opening.result;
  });
}

// keepUpgrading has a tab change the network's database without an end, so that nobody else can open it.
export async function keepUpgrading(tab, origin) {
  await tab.goto(`${origin}/missing`);
  await tab.evaluate(() => new Promise((resolve) => {
    const opening = indexedDB.open('network', 1);
    opening.onupgradeneeded = ({ target: { result } }) => {
      const store = result.createObjectStore('other');
      const goOn = () => (store.get('').onsuccess = goOn); // a transaction lasts as long as it has something to do
      goOn();
      resolve();
    };
  }));
}
