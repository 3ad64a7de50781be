// Measures the cache in browsers, for make bench-web:
//
//   [PEERS=10000] [REPEAT=9] [UPSTREAM_REPEAT=3] node bench/run.mjs [chromium|firefox|webkit]...
//
// It prints tables, and writes all samples to dist/bench-web.json.

import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

import { launch } from '../browser.mjs';
import { engines } from '../engines.mjs';
import { serve } from '../serve.mjs';
import { update } from './docs.mjs';
import { measurePage } from './page.mjs';
import { pageTable, storesTable, tasksTable } from './report.mjs';
import { measureTasks } from './tasks.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const { PEERS = '10000', REPEAT = '9', UPSTREAM_REPEAT = '3' } = process.env;
const settings = { peers: Number(PEERS), repetitions: Number(REPEAT), upstreamRepetitions: Number(UPSTREAM_REPEAT) };
const names = process.argv.slice(2);

const goroot = spawnSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).stdout.trim();
const html = '<!doctype html><title>bench</title><script src="/wasm_exec.js"></script><script type="module" src="/stores.mjs"></script>';

// isolated sends what a page needs for a clock of finer steps.
const isolated = (type, body) => async (_, response) => {
  response.writeHead(200, {
    'Content-Type': type,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  });
  response.end(await body());
};

const open = {
  ...engines,
  async chromium() {
    const browser = await launch();
    return { open: async (url) => (await browser.newPage()).goto(url), close: () => browser.close(), gone: new Promise(() => {}) };
  },
};

// measureStores runs stores.mjs in a browser.
async function measureStores(name) {
  let finish;
  let fail;
  const result = new Promise((resolve, reject) => ([finish, fail] = [resolve, reject]));
  const receive = (use) => async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    response.end();
    use(JSON.parse(body));
  };
  const server = await serve('', {
    '/': isolated('text/html', () => html),
    '/stores.mjs': isolated('text/javascript', () => readFile(path('stores.mjs'))),
    '/wasm_exec.js': isolated('text/javascript', () => readFile(`${goroot}/lib/wasm/wasm_exec.js`)),
    '/bench.wasm': isolated('application/wasm', () => readFile(path('../../dist/bench-web/bench.wasm'))),
    '/settings': isolated('application/json', () => JSON.stringify(settings)),
    '/progress': receive((text) => console.log(`  ${name} ${text}`)),
    '/result': receive(finish),
    '/failure': receive((text) => fail(new Error(text))),
  });
  const browser = await open[name]();
  try {
    browser.gone.then(() => fail(new Error(`${name} ended`)));
    await browser.open(server.origin);
    return await result;
  } finally {
    await browser.close();
    await server.close();
  }
}

const results = { machine: `${cpus().length} processors, ${cpus()[0].model}`, ...settings, stores: {} };
for (const name of names) results.stores[name] = await measureStores(name);
results.page = await measurePage([10, settings.peers], settings.repetitions);
results.tasks = await measureTasks([300, settings.peers], Math.min(settings.repetitions, 3));
await writeFile(path('../../dist/bench-web.json'), JSON.stringify(results, undefined, 1));

const sections = {
  stores: [results.machine, ...Object.values(results.stores).map((result) => storesTable(results, result))].join('\n\n'),
  page: pageTable(results.page),
  tasks: tasksTable(results.tasks),
};
console.log(Object.values(sections).join('\n\n'));
await update(path('../../docs/performance.md'), sections);
