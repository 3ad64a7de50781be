// The page for everybody, in Chromium: axe-core in every state and size, the keyboard alone, no jumps.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { launch } from './browser.mjs';
import { answer, counted, focused, inMode, inState, inView, joined, patience, saved, tabTo, text } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let server;
let origin;
let ask;
let browser;
let page;
let session;

before(async () => {
  ({ server, origin, ask } = await startTailnet('-peers', '60', '-churn', '0'));
  browser = await launch();
  page = await browser.newPage();
  session = await page.createCDPSession();
  await page.evaluateOnNewDocument(() => {
    globalThis.shifts = [];
    new PerformanceObserver((list) => shifts.push(...list.getEntries().filter((entry) => !entry.hadRecentInput))).observe({ type: 'layout-shift', buffered: true });
  });
});

after(async () => {
  await browser?.close();
  server?.kill('SIGINT');
});

// clean runs axe-core on the page as it is, in some or all looks: light and dark, wide and narrow. The policy lets a page run no foreign
// script, but a test may.
const looks = [['light', 1280], ['dark', 390], ['dark', 1280], ['light', 390]];
async function clean(state, those = looks) {
  for (const [scheme, width] of those) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.setViewport({ width, height: 900 });
    await session.send('Runtime.evaluate', { expression: axe });
    const found = await page.evaluate(async () => {
      const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 150)).join(' | ')}`);
    });
    assert.deepEqual(found, [], `${state}, ${scheme}, ${width} pixels wide`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${state}: ${wide} pixels do not fit into ${width}`);
  }
  await page.setViewport({ width: 1280, height: 900 });
}

test('without a network', async () => {
  await ask('control', { up: false });
  await page.goto(origin);
  await inMode(page, 'empty');
  await clean('empty');
});

test('live', async () => {
  await ask('control', { up: true });
  await page.reload();
  await inState(page, 'live');
  await saved(page);
  await clean('live');
  for (const view of ['map', 'reach', 'access', 'dns', 'device', 'diagnostics', 'lab']) {
    await inView(page, view);
    await clean(view, looks.slice(0, 2));
  }
  await joined(page);
  await saved(page);
});

test('nothing jumps while the page loads', async () => {
  await ask('control', { up: false });
  await page.reload();
  await inState(page, 'cached');
  await page.waitForFunction(() => performance.getEntriesByName('page:render').length > 0, patience);
  const shift = await page.evaluate(() => shifts.reduce((sum, { value }) => sum + value, 0));
  assert.ok(shift < 0.02, `the layout shifted by ${shift}`);
});

test('offline', async () => {
  await inMode(page, 'offline');
  await clean('offline');
});

test('by keyboard: find a peer, read it, go back', async () => {
  await page.evaluate(() => document.activeElement.blur());
  await tabTo(page, 'search');
  await page.keyboard.type('linux');
  await counted(page, 'match');
  await tabTo(page, 'peers');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
  await page.keyboard.press('Home');
  const first = await page.$eval('#peers', (grid) => document.getElementById(grid.getAttribute('aria-activedescendant')).dataset.id);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#details:not([hidden])', patience);
  assert.equal(await focused(page), 'details-name');
  assert.ok((await text(page, 'details-body')).includes(first), 'it is the peer that was selected');
  await clean('details');
  await page.keyboard.press('Escape');
  assert.equal(await focused(page), 'peers');
  assert.equal(await page.$eval('#details', (details) => details.hidden), true);
});

test('by keyboard: open a peer', async () => {
  assert.equal(await page.$eval('#reach-note', (note) => note.role ?? note.getAttribute('role')), 'status', 'what comes of it is announced');
  await inView(page, 'reach');
  await page.evaluate(() => document.activeElement.blur());
  await tabTo(page, 'reach-url');
  for (const [typed, state, note] of [['web', 'answered', /^Status 200/], ['nobody', 'failed', /^No answer: .*no peer is called "nobody"/]]) {
    await page.$eval('#reach-url', (input) => input.select());
    await page.keyboard.type(typed);
    await page.keyboard.press('Enter');
    const got = await answer(page);
    assert.equal(got.state, state, got.note);
    assert.match(got.note, note);
    assert.equal(await focused(page), 'reach-url', 'ready for the next');
    await clean(`a peer ${state}`);
  }
  assert.equal(await page.$eval('#reach-frame', (frame) => frame.hidden), true, 'of a failure nothing older is shown');
});

test('by keyboard: sort, move the map, bring control back, forget', async () => {
  await inView(page, 'peers');
  await page.evaluate(() => document.activeElement.blur());
  await page.focus('[data-sort="address"] button');
  await page.keyboard.press('Enter');
  assert.equal(await page.$eval('[data-sort="address"]', (header) => header.ariaSort), 'ascending');
  await page.keyboard.press('Enter');
  assert.equal(await page.$eval('[data-sort="address"]', (header) => header.ariaSort), 'descending');
  await page.evaluate(() => document.activeElement.blur());
  await tabTo(page, 'map');
  for (const key of ['+', 'ArrowLeft', 'ArrowDown', '-', '0']) await page.keyboard.press(key);
  await page.evaluate(() => document.activeElement.blur());
  await inView(page, 'lab');
  await tabTo(page, 'control');
  await page.keyboard.press('Enter');
  await inState(page, 'live');
  await inView(page, 'device');
  await tabTo(page, 'forget');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#forget-dialog[open]', patience);
  await clean('asking');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await inMode(page, 'forgotten');
  await clean('forgotten');
});
