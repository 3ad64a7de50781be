// The page for everybody, in Chromium: axe-core in every state and size, the keyboard alone, no jumps.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { launch } from './browser.mjs';
import { answer, counted, focused, frames, inMode, inState, inView, joined, patience, saved, tabTo, text } from './page.mjs';
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
const looks = [['light', 1280], ['dark', 360], ['dark', 1280], ['light', 360], ['light', 768]];
async function clean(state, those = looks) {
  for (const [scheme, width] of those) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.setViewport({ width, height: 900 });
    await session.send('Runtime.evaluate', { expression: axe });
    const found = await page.evaluate(async () => {
      const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 150)).join(' | ')}`);
    });
    assert.deepEqual(found, [], `${state}, ${scheme}, ${width} pixels wide`);
    assert.deepEqual(await scrollingSideways(), [], `${state}, ${width} pixels wide`);
  }
  await page.setViewport({ width: 1280, height: 900 });
}

const views = ['map', 'reach', 'access', 'dns', 'device', 'diagnostics', 'lab']; // beside that of the peers

// scrollingSideways returns what doesn't fit into its width, and isn't just cut.
const scrollingSideways = () => page.evaluate(() =>
  [document.documentElement, ...document.querySelectorAll('body *')]
    .filter((element) => element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)
    .filter((element) => element === document.documentElement || ['auto', 'scroll'].includes(getComputedStyle(element).overflowX))
    .map(({ id, className, scrollWidth, clientWidth }) => `${id || className}: ${scrollWidth} in ${clientWidth}`));

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
  for (const view of views) {
    await inView(page, view);
    await clean(view, looks.slice(0, 2));
  }
  await joined(page);
  await saved(page);
});

test('colours of the system: what is on a button can be read', async () => {
  await inView(page, 'peers');
  await page.$eval('#peers-rows [data-id] .status', (cell) => cell.click());
  await page.waitForSelector('#details:not([hidden])', patience);
  await session.send('Emulation.setEmulatedMedia', { features: [{ name: 'forced-colors', value: 'active' }] });
  const unreadable = await page.evaluate(() => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = 'Canvas';
    const canvas = getComputedStyle(probe).color; // which the browser puts behind text, where it is let
    probe.remove();
    return [...document.querySelectorAll('button, .button, select, a')].filter((element) => {
      const { color, backgroundColor, forcedColorAdjust } = getComputedStyle(element);
      return element.checkVisibility() && color === (forcedColorAdjust === 'none' ? backgroundColor : canvas);
    }).map(({ id, textContent }) => id || textContent);
  });
  await session.send('Emulation.setEmulatedMedia', { features: [] });
  await page.click('#details-close');
  assert.deepEqual(unreadable, []);
});

test('text that is twice as large, on a phone', async (t) => {
  t.after(async () => {
    await session.send('Page.setFontSizes', { fontSizes: { standard: 16 } });
    await page.setViewport({ width: 1280, height: 900 });
  });
  await page.setViewport({ width: 360, height: 780 });
  await session.send('Page.setFontSizes', { fontSizes: { standard: 32 } });
  await page.waitForFunction(() => getComputedStyle(document.documentElement).fontSize === '30px', patience);
  await page.$eval('#peers-rows [data-id] .status', (cell) => cell.click());
  await page.waitForSelector('#details:not([hidden])', patience);
  await frames(page);
  const { narrowest, cut } = await page.evaluate(() => ({
    narrowest: Math.min(...[...document.querySelectorAll('#details dd')].map(({ clientWidth }) => clientWidth)),
    cut: [...document.querySelectorAll('#peers-rows [role="row"]')].filter(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight + 1).length,
  }));
  await page.click('#details-close');
  const wide = {};
  for (const view of ['peers', ...views]) {
    await inView(page, view);
    await frames(page);
    wide[view] = (await scrollingSideways()).filter((what) => !what.startsWith('views')); // whose links are one row then
  }
  await inView(page, 'peers');
  assert.ok(narrowest >= 200, `values of details have ${narrowest} pixels`);
  assert.equal(cut, 0, 'rows grow');
  assert.deepEqual(Object.entries(wide).filter(([, found]) => found.length > 0), []);
});

test('over the map one finger is for the page and two for the map, and the list comes within three screens', async (t) => {
  t.after(async () => {
    await page.setViewport({ width: 1280, height: 900 });
    await inView(page, 'peers');
  });
  await page.setViewport({ width: 360, height: 780 });
  await inView(page, 'peers');
  await frames(page);
  assert.ok(await page.$eval('#peers', (grid) => grid.getBoundingClientRect().top) < 3 * 780);
  await inView(page, 'map');
  await frames(page);
  const taken = (fingers) => page.$eval('#map', (map, fingers) => {
    const touches = Array.from({ length: fingers }, (_, identifier) => new Touch({ identifier, target: map }));
    return !map.dispatchEvent(new TouchEvent('touchmove', { touches, bubbles: true, cancelable: true }));
  }, fingers);
  assert.deepEqual([await page.$eval('#map', (map) => getComputedStyle(map).touchAction), await taken(1), await taken(2)], ['pan-x pan-y', false, true]);
  assert.match(await page.$eval('#map', (map) => map.ariaLabel), /The table of peers has all of it/);
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
