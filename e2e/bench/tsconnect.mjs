// Measures the browser node beside Tailscale's own, tsconnect, for make bench-tsconnect:
//
//   [ROUNDS=3] [MEGABYTES=8] [IDLE=60] node bench/tsconnect.mjs
//
// Both run in Chromium on one tailnet, with its control server, relay and native peers, and take turns. It prints a table.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';

import { launch } from '../browser.mjs';
import { startTailnet } from '../tailnet.mjs';
import { median } from './report.mjs';

const { ROUNDS = '3', MEGABYTES = '8', IDLE = '60' } = process.env;
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const programs = { ours: path('../../dist/client/client.wasm'), tsconnect: path('../../dist/tsconnect/main.wasm') };
const size = Number(MEGABYTES) * 1e6;
const patience = 15; // seconds for what may never come

const MB = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
const ms = (n) => `${Math.round(n).toLocaleString('en')} ms`;
const rate = (n) => `${(size / 1000 / n).toFixed(2)} MB/s`;

// The rows of the table: how a median is shown, and what is there to say where there is none.
const rows = {
  'first visit: live': { show: ms },
  "first visit: first byte of a peer's answer": { show: ms },
  'later visit: live': { show: ms },
  "later visit: first byte of a peer's answer": { show: ms },
  "later visit, control down: first byte of a peer's answer": { show: ms },
  'from the peer, by fetch': { show: rate },
  'from the peer, by a TCP connection': { show: rate, none: 'no way' },
  'to the peer, by a TCP connection': { show: rate, none: 'no way' },
  'processor time in an idle minute': { show: ms },
  'private memory of the page, idle': { show: MB },
  'of it the memory of WebAssembly': { show: MB },
  'of it the JavaScript heap': { show: MB },
  'program': { show: MB },
  'program, gzip -9': { show: MB },
  'program, brotli': { show: MB },
};

const samples = Object.fromEntries(Object.keys(rows).map((row) => [row, { ours: [], tsconnect: [] }]));
const notes = { ours: {}, tsconnect: {} };

function note(who, row, value) {
  samples[row][who].push(value);
  console.log(`  ${who}: ${row}: ${rows[row].show(value)}`);
}

const tailnet = await startTailnet('-web', path('tsconnect'), '-web', path('../../dist/tsconnect'), '-web', path('../../dist/client'), '-peers', '100', '-churn', '0');

// open opens a page in which nothing runs yet.
async function open(browser) {
  const page = await browser.newPage();
  await page.goto(tailnet.origin);
  await page.waitForFunction(() => globalThis.starts);
  return page;
}

// start starts a node, and resolves to the milliseconds until it was live and until a peer's first byte was there, undefined for what
// hasn't come in time.
const start = (page, who, seconds = 60) => page.evaluate(async (who, ms) => {
  const begun = performance.now();
  const node = await globalThis.starts[who]();
  globalThis.node = node;
  const since = (promise) => Promise.race([promise.then(() => performance.now() - begun), new Promise((resolve) => setTimeout(resolve, ms))]);
  const [live, answered] = await Promise.all([since(node.live), since(node.ask('http://web/'))]);
  return { live, answered, state: node.state() };
}, who, seconds * 1000);

const close = async (page) => {
  await page.evaluate(() => globalThis.node.close());
  await page.close();
};

async function times(browser, who) {
  for (const visit of ['first visit', 'later visit']) {
    const page = await open(browser);
    const { live, answered } = await start(page, who);
    note(who, `${visit}: live`, live);
    note(who, `${visit}: first byte of a peer's answer`, answered);
    await close(page);
  }
}

async function offline(browser, who) {
  const row = "later visit, control down: first byte of a peer's answer";
  if (notes[who][row]) return;
  await tailnet.ask('control', { up: false });
  const page = await open(browser);
  const { answered, state } = await start(page, who, who === 'ours' ? 60 : patience);
  if (answered) note(who, row, answered);
  else {
    notes[who][row] = `none in ${patience} s (${state})`;
    console.log(`  ${who}: ${row}: ${notes[who][row]}`);
  }
  await tailnet.ask('control', { up: true });
  await close(page);
}

async function rates(browser, who) {
  const page = await open(browser);
  await start(page, who);
  const took = (move) => page.evaluate(async (move, size) => {
    const begun = performance.now();
    if (move === 'text') {
      const { length } = await globalThis.node.text(`http://web/bytes?size=${size}`);
      if (length !== size) throw new Error(`${length} bytes came`);
    } else await globalThis.node[move](size);
    return performance.now() - begun;
  }, move, size);
  note(who, 'from the peer, by fetch', await took('text'));
  if (who === 'ours') {
    note(who, 'from the peer, by a TCP connection', await took('download'));
    note(who, 'to the peer, by a TCP connection', await took('upload'));
  }
  await close(page);
}

// idle measures nodes that are live and asked nothing, all at the same time. Chromium goes on compiling for a while after a start,
// so it waits as long before.
async function idle() {
  const running = [];
  for (const who of Object.keys(programs)) {
    const browser = await launch();
    const page = await open(browser);
    await start(page, who);
    running.push({ who, browser, page, session: await browser.target().createCDPSession() });
  }
  const spent = async ({ session }) => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime * 1000, 0);
  };
  const pass = () => new Promise((resolve) => setTimeout(resolve, Number(IDLE) * 1000));
  await pass();
  const before = await Promise.all(running.map(spent));
  await pass();
  const after = await Promise.all(running.map(spent));
  for (const [i, { who, browser, page, session }] of running.entries()) {
    note(who, 'processor time in an idle minute', ((after[i] - before[i]) * 60) / Number(IDLE));
    note(who, 'private memory of the page, idle', await privateMemory(session));
    const threads = [await page.createCDPSession(), ...page.workers().map(({ client }) => client)];
    const inside = await Promise.all(threads.map(memoryOf));
    note(who, 'of it the memory of WebAssembly', inside.reduce((sum, { wasm }) => sum + wasm, 0));
    note(who, 'of it the JavaScript heap', inside.reduce((sum, { heap }) => sum + heap, 0));
    await browser.close();
  }
}

// privateMemory returns the bytes that only the largest page's process has.
async function privateMemory(session) {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const sizes = await Promise.all(processInfo.filter(({ type }) => type === 'renderer').map(async ({ id }) => {
    const text = await readFile(`/proc/${id}/smaps_rollup`, 'utf8');
    return [...text.matchAll(/^Private_\w+: +(\d+) kB$/gm)].reduce((sum, [, kB]) => sum + kB * 1024, 0);
  }));
  return Math.max(...sizes);
}

// memoryOf returns the bytes of a window's or worker's WebAssembly memories and of its heap.
async function memoryOf(thread) {
  const { result: prototype } = await thread.send('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype' });
  const { objects } = await thread.send('Runtime.queryObjects', { prototypeObjectId: prototype.objectId });
  const { result } = await thread.send('Runtime.callFunctionOn', {
    objectId: objects.objectId, returnByValue: true, functionDeclaration: 'function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0); }',
  });
  const { usedSize } = await thread.send('Runtime.getHeapUsage');
  return { wasm: result.value, heap: usedSize };
}

async function sizes(who) {
  const program = await readFile(programs[who]);
  const [zipped, brotli] = await Promise.all([
    promisify(execFile)('gzip', ['-9', '-n', '-c', programs[who]], { encoding: 'buffer', maxBuffer: Infinity }), // that of Node.js is 1% behind
    promisify(brotliCompress)(program, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: program.length } }),
  ]);
  note(who, 'program', program.length);
  note(who, 'program, gzip -9', zipped.stdout.length);
  note(who, 'program, brotli', brotli.length);
}

const load = loadavg()[0].toFixed(2);
try {
  for (let round = 0; round < Number(ROUNDS); round++) {
    const turns = Object.keys(programs);
    if (round % 2) turns.reverse();
    for (const who of turns) {
      const browser = await launch(); // with a profile of its own
      try {
        await times(browser, who);
        await offline(browser, who);
        await rates(browser, who);
      } finally {
        await browser.close();
      }
    }
  }
  await idle();
} finally {
  tailnet.server.kill('SIGINT');
}
await Promise.all(Object.keys(programs).map(sizes));

const cell = (who, row) => {
  const all = samples[row][who];
  return all.length > 0 ? rows[row].show(median(all)) : notes[who][row] ?? rows[row].none;
};
const ratio = ({ ours, tsconnect }) => (ours.length > 0 && tsconnect.length > 0 ? `${(median(ours) / median(tsconnect)).toFixed(2)}x` : '');
console.log(`
Medians of ${ROUNDS}, ${MEGABYTES} MB each way, ${availableParallelism()} processors, load average before ${load}.

| | ours | tsconnect | ours / tsconnect, of the time or the bytes |
| --- | ---: | ---: | ---: |
${Object.entries(rows).map(([row]) => `| ${row} | ${cell('ours', row)} | ${cell('tsconnect', row)} | ${ratio(samples[row])} |`).join('\n')}`);
