// The page in Firefox and WebKitGTK, where they are installed: what its tests in Chromium show at length, once.

import assert from 'node:assert/strict';
import { once } from 'node:events';

import { testSteps } from './engines.mjs';
import { counted, forget, inMode, inState, keptOffline, patience, peers, saved, screenshot, setControl, tabTo, text } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

const hostile = ['<script>alert(document.domain)</script>', '"><img src=x onerror=alert(1)>', 'javascript:alert(1)//', '__proto__'];

// What each engine is put through, in this order. They share { name, browser, server, origin, page }.
const steps = {
  async 'goes live, and shows names as text'(it) {
    it.page = await it.browser.open(it.origin);
    await inState(it.page, 'live');
    await saved(it.page);
    const rows = Object.values(await peers(it.page));
    assert.equal(rows.length, 60);
    const shown = rows.flat().join('\n');
    for (const name of hostile) assert.ok(shown.includes(name), `${name} is shown as it is`);
    assert.equal(await it.page.evaluate(() => document.querySelectorAll('#network img, #network script').length), 0, 'no element is made of a name');
    await screenshot(it.page, `live-${it.name}`);
  },

  async 'by keyboard alone'({ page }) {
    await page.evaluate(() => document.activeElement.blur());
    await tabTo(page, 'search');
    await page.keyboard.type('script');
    await counted(page, 'match');
    await tabTo(page, 'peers');
    for (const key of ['ArrowDown', 'End', 'Home', 'Enter']) await page.keyboard.press(key);
    await page.waitForFunction(() => document.activeElement.id === 'details-name', patience);
    const first = await page.evaluate(() => document.querySelector('#peers-rows [role="row"]').dataset.id);
    assert.ok((await text(page, 'details-body')).includes(first), 'it is the first peer');
    await page.keyboard.press('Escape');
    assert.deepEqual(await page.evaluate(() => [document.activeElement.id, document.querySelector('#details').hidden]), ['peers', true]);
    await page.click('#reset');
  },

  async 'a second tab follows the first, and takes over'(it) {
    const second = await it.browser.open(it.origin);
    await inMode(second, 'following');
    assert.equal(Object.keys(await peers(second)).length, 60);
    await it.page.close();
    it.page = second;
    await inState(second, 'live');
  },

  async 'control down: a reload shows what was saved'(it) {
    await saved(it.page);
    it.before = await peers(it.page);
    await setControl(it.page, false);
    await it.page.reload();
    await inMode(it.page, 'offline');
    assert.deepEqual(await peers(it.page), it.before);
    await screenshot(it.page, `offline-${it.name}`);
  },

  async 'server gone: a reload shows what was saved'(it) {
    await keptOffline(it.page);
    it.server.kill('SIGKILL');
    await once(it.server, 'exit');
    await it.page.reload();
    await inMode(it.page, 'offline');
    assert.deepEqual(await peers(it.page), it.before);
  },

  async 'server back, with 10,000 peers'(it) {
    ({ server: it.server } = await startTailnet('-addr', new URL(it.origin).host, '-peers', '10000', '-native=false', '-churn', '0'));
    await inState(it.page, 'live');
    await counted(it.page, '^10,000 peers');
    await it.page.evaluate(() => {
      const scroll = document.getElementById('peers');
      scroll.scrollTop = scroll.scrollHeight;
    });
    await it.page.waitForFunction(() => document.querySelector('#peers-rows [aria-rowindex="10001"]')?.dataset.id, patience);
    await saved(it.page);
  },

  async 'forgets'({ page }) {
    await forget(page);
    const names = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    assert.deepEqual(names.filter((name) => name.includes('keys')), []);
  },
};

testSteps(steps, () => startTailnet('-peers', '60', '-native=false', '-churn', '0', '-hostile-names'));
