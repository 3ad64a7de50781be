// Measures how fast bytes pass between a native peer and the client package, through the relay, for make bench-client:
//
//   [REPEAT=5] [MEGABYTES=8] node bench/throughput.mjs [FOLDER]
//
// FOLDER is an earlier build of the package to compare with dist/client; they take turns, in the same browser, on one tailnet.

import { fileURLToPath } from 'node:url';

import { launch } from '../browser.mjs';
import { startTailnet } from '../tailnet.mjs';
import { median } from './report.mjs';

const { REPEAT = '5', MEGABYTES = '8' } = process.env;
const folder = (name) => fileURLToPath(new URL(name, import.meta.url));
const builds = { now: folder('../../dist/client'), ...(process.argv[2] && { before: process.argv[2] }) };
const bytes = Number(MEGABYTES) * 1e6;

// open opens a page with a client of a build, which is live.
async function open(browser, build) {
  const { server, origin } = await startTailnet('-web', folder('../client-package'), '-web', build, '-peers', '10', '-churn', '0');
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

const browser = await launch();
const opened = {};
try {
  const samples = {};
  for (const [name, build] of Object.entries(builds)) opened[name] = await open(browser, build);
  for (let i = 1; i <= Number(REPEAT); i++) {
    for (const [way, move] of Object.entries({ download, upload })) {
      for (const [name, { page }] of Object.entries(opened)) {
        await page.bringToFront();
        const ms = await move(page);
        (samples[way] ??= {})[name] ??= [];
        samples[way][name].push(ms);
        console.log(`  ${i} of ${REPEAT}: ${way}, ${name}: ${(bytes / 1000 / ms).toFixed(2)} MB/s`);
      }
    }
  }
  for (const [way, { now, before }] of Object.entries(samples)) {
    const rate = (all) => `${(bytes / 1000 / median(all)).toFixed(2)} MB/s`;
    console.log(`${way}: ${rate(now)}${before ? `, before ${rate(before)}, ${(median(before) / median(now)).toFixed(2)} times as fast` : ''}`);
  }
} finally {
  await browser.close();
  for (const { server } of Object.values(opened)) server.kill('SIGINT');
}
