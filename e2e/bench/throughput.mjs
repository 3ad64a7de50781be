// Measures how fast bytes pass between a native peer and the client package, through the relay, for make bench-client:
//
//   [REPEAT=5] [MEGABYTES=8] node bench/throughput.mjs [FOLDER]
//
// FOLDER is an earlier build of the package to compare with dist/client; they take turns, in the same browser, each on a tailnet
// of its own. The limit takes turns with them: as many bytes over a plain WebSocket from the same server (limit/limit.js).

import { fileURLToPath } from 'node:url';

import { launch } from '../browser.mjs';
import { startTailnet } from '../tailnet.mjs';
import { median } from './report.mjs';

const { REPEAT = '5', MEGABYTES = '8' } = process.env;
const folder = (name) => fileURLToPath(new URL(name, import.meta.url));
const builds = { now: folder('../../dist/client'), ...(process.argv[2] && { before: process.argv[2] }) };
const bytes = Number(MEGABYTES) * 1e6;

// Where the server finds the files of a page, besides those of a build. In dist/ it would find a compressed program, of another build.
const others = ['../client-package', 'limit', '../../dist/bench-web'].map(folder);

// open opens a page with a client of a build, which is live.
async function open(browser, build) {
  const { server, origin } = await startTailnet(...[build, ...others].flatMap((dir) => ['-web', dir]), '-peers', '10', '-churn', '0');
  const page = await (await browser.createBrowserContext()).newPage();
  await page.goto(origin);
  await page.evaluate(async () => {
    globalThis.client = await startClient({ database: 'client', controlURL: location.origin, hostname: 'browser', ephemeral: false, worker: true });
    await until(client, () => client.state.name === 'live');
    await client.ping('web');
  });
  return { server, page };
}

// download returns the milliseconds that some bytes of a peer take.
const download = (page) => page.evaluate(async (bytes) => {
  const { readable, writable } = await client.connect({ host: 'web', port: 19 });
  const reader = readable.getReader();
  const start = performance.now();
  for (let got = 0; got < bytes;) got += (await reader.read()).value.length;
  const ms = performance.now() - start;
  await reader.cancel();
  await writable.abort();
  return ms;
}, bytes);

// upload returns the milliseconds until a peer has all bytes, and says so by closing.
const upload = (page) => page.evaluate(async (bytes) => {
  const { readable, writable } = await client.connect({ host: 'web', port: 9 });
  const writer = writable.getWriter();
  const chunk = new Uint8Array(1e5);
  const start = performance.now();
  for (let sent = 0; sent < bytes; sent += chunk.length) await writer.write(chunk);
  await writer.close();
  await readable.getReader().read();
  return performance.now() - start;
}, bytes);

// ofLimit returns a function that returns the milliseconds that as many bytes take at best.
const ofLimit = (way) => (page) => page.evaluate((message) => new Promise((resolve, reject) => {
  globalThis.limit ??= new Worker('limit.js', { type: 'module' });
  limit.onerror = ({ message }) => reject(new Error(message || 'limit.js could not be loaded'));
  limit.onmessage = ({ data: { ms, error } }) => (error ? reject(new Error(error)) : resolve(ms));
  limit.postMessage(message);
}), { way, bytes });

const ways = {
  download: { client: download, limit: ofLimit('down') },
  upload: { client: upload, limit: ofLimit('up') },
};

const browser = await launch();
const opened = {};
try {
  const samples = {};
  for (const [name, build] of Object.entries(builds)) opened[name] = await open(browser, build);
  for (let i = 1; i <= Number(REPEAT); i++) {
    for (const [way, { client, limit }] of Object.entries(ways)) {
      const measure = async (name, move, page) => {
        await page.bringToFront();
        const ms = await move(page);
        ((samples[way] ??= {})[name] ??= []).push(ms);
        console.log(`  ${i} of ${REPEAT}: ${way}, ${name}: ${(bytes / 1000 / ms).toFixed(2)} MB/s`);
      };
      for (const [name, { page }] of Object.entries(opened)) await measure(name, client, page);
      await measure('limit', limit, opened.now.page);
    }
  }
  for (const [way, { now, before, limit }] of Object.entries(samples)) {
    const rate = (all) => `${(bytes / 1000 / median(all)).toFixed(2)} MB/s`;
    const times = (all, other) => (median(all) / median(other)).toFixed(2);
    console.log(`${way}: ${rate(now)}${before ? `, before ${rate(before)}, ${times(before, now)} times as fast` : ''}`);
    console.log(`${way}, limit: ${rate(limit)}; the client takes ${times(now, limit)} times its time`);
  }
} finally {
  await browser.close();
  for (const { server } of Object.values(opened)) server.kill('SIGINT');
}
