// Takes pictures of the page in every state, light and dark, wide and narrow, into dist/screenshots, for people to look at. Those that
// README.md shows go to docs/screenshots.

import { cp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { launch } from './browser.mjs';
import { inMode, inState, keptOffline, patience, saved, screenshot, setControl } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

const sizes = { wide: { width: 1280, height: 860 }, narrow: { width: 390, height: 844, deviceScaleFactor: 2 } };
const { server, origin } = await startTailnet('-peers', '300', '-churn', '0', '-control-down');
const browser = await launch();
const page = await browser.newPage();

async function take(name, { full = false } = {}) {
  for (const scheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries(sizes)) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await page.setViewport(viewport);
      // The map follows at the next frames, and the rows once their worker has answered.
      await page.waitForFunction(() => [...document.querySelectorAll('#peers-rows [role="row"]')].every((row) => row.dataset.id), patience);
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 700)));
      await screenshot(page, `${name}-${scheme}-${size}`, { fullPage: full && size === 'wide' });
    }
  }
  await page.setViewport(sizes.wide);
}

await page.goto(origin);
await inMode(page, 'empty');
await take('empty');
await setControl(page, true);
await inState(page, 'live');
await saved(page);
await keptOffline(page);
await take('live');
await take('live-all', { full: true });
await page.type('#search', 'linux');
await page.click('#peers-rows [role="row"]:nth-child(3)');
await page.waitForSelector('#details:not([hidden])', patience);
await take('details');
await page.click('#details-close');
await page.click('#reset');

await setControl(page, false);
await inMode(page, 'offline');
await page.reload();
await inMode(page, 'offline');
await take('offline');

await fetch(`${origin}/-/network`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"peers": 3000}' });
await setControl(page, true);
await inState(page, 'live');
await page.waitForSelector('#changes:not([hidden])', patience);
await page.click('#changes-summary');
await take('changes');
await page.click('#changes-summary');
await page.select('#group-by', 'tag');
await take('many');

const other = await browser.newPage();
await other.goto(origin);
await inMode(other, 'following');
await other.setViewport(sizes.wide);
await screenshot(other, 'following');
await other.close();

await page.click('#forget');
await page.waitForSelector('#forget-dialog[open]', patience);
await take('asking');
await page.click('#forget-dialog .danger');
await inMode(page, 'forgotten');
await take('forgotten');

await browser.close();
server.kill('SIGINT');

const kept = { 'live-light-wide': 'live', 'offline-light-wide': 'resumed' };
for (const [from, to] of Object.entries(kept)) {
  const path = (name) => fileURLToPath(new URL(name, import.meta.url));
  if (process.argv.includes('--docs')) await cp(path(`../dist/screenshots/${from}.png`), path(`../docs/screenshots/${to}.png`));
}
