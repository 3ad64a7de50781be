// Measures in Chromium what a person feels of the page with 10,000 peers, of the build in dist/page or in the folders given: how much
// there is to load, how much the layout shifts, and the longest task of the main thread. Prints a table.
//
//	node bench/feel.mjs [FOLDER…]

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

import { launch } from '../browser.mjs';
import { inMode, inState, keptOffline, saved } from '../page.mjs';
import { startTailnet } from '../tailnet.mjs';
import { longestTask } from './tasks.mjs';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const folders = process.argv.length > 2 ? process.argv.slice(2).map((folder) => resolve(folder)) : [join(dist, 'page')];
const widths = [1440, 360];

const columns = await Promise.all(folders.map(bytes));
for (const [i, folder] of folders.entries()) {
  for (const width of widths) Object.assign(columns[i], await visits(folder, width));
}
console.log(`| | ${folders.join(' | ')} |\n|---|${folders.map(() => '---:|').join('')}`);
for (const name of Object.keys(columns[0])) console.log(`| ${name} | ${columns.map((column) => column[name]).join(' | ')} |`);

async function bytes(folder) {
  const script = await readFile(join(folder, 'page.js'));
  return { '`page.js`, bytes': script.length, 'with brotli': brotliCompressSync(script).length };
}

// visits measures a first visit, and a reload while control is down.
async function visits(folder, width) {
  const { server, origin, ask } = await startTailnet('-peers', '10000', '-churn', '0', '-native=false', '-web', folder, '-web', dist);
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width, height: 900 });
    await page.evaluateOnNewDocument(() => {
      globalThis.shift = 0;
      new PerformanceObserver((list) => list.getEntries().forEach(({ value, hadRecentInput }) => (globalThis.shift += hadRecentInput ? 0 : value)))
        .observe({ type: 'layout-shift', buffered: true });
    });
    const found = {};
    const visit = async (name, load) => {
      const longest = await longestTask(page, load);
      found[`layout shift, ${name}, ${width} px`] = (await page.evaluate(() => globalThis.shift)).toFixed(3);
      found[`longest task, ${name}, ${width} px, ms`] = longest.toFixed(0);
    };
    await visit('first visit', async () => {
      await page.goto(origin);
      await inState(page, 'live');
      await saved(page);
    });
    await keptOffline(page);
    await ask('control', { up: false });
    await inMode(page, 'offline');
    await visit('reload', async () => {
      await page.reload();
      await inState(page, 'cached');
      await inMode(page, 'offline');
    });
    return found;
  } finally {
    await browser.close();
    server.kill('SIGINT');
    await once(server, 'exit');
  }
}
