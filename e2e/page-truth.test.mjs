// What the page says is so, in Chromium: what is known and from where, what stays where it is while the network changes, and what
// it tells of what it doesn't know.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './browser.mjs';
import { faults, startCopy } from './page-copy.mjs';
import { forget, frames, inMode, inState, openPeer, patience, saved, text } from './page.mjs';

let copy;
let browser;
let context; // a profile
let page; // that is live, and shows all peers

before(async () => {
  copy = await startCopy('-peers', '60', '-native=false');
  browser = await launch();
  await anew();
  await open();
});

// anew makes a page in a profile of its own.
async function anew() {
  await context?.close();
  context = await browser.createBrowserContext();
  page = await context.newPage();
  await page.setViewport({ width: 1440, height: 900 });
}

// open has a page go live.
async function open() {
  await page.goto(copy.origin);
  await inState(page, 'live');
  await saved(page);
}

// again makes the page what the next test begins with.
async function again() {
  await copy.control(true);
  await copy.ask('network', { peers: 60, churn: 0 });
  await page.bringToFront();
  await page.setViewport({ width: 1440, height: 900 });
  await page.mouse.move(1, 1);
  await page.evaluate(() => (location.hash = 'view=peers'));
  await page.$eval('#details-close', (button) => button.click());
  await page.$eval('#reset', (button) => button.click());
  await inState(page, 'live');
  await page.waitForFunction(() => /^\d+ peers/.test(document.querySelector('#peers-count').textContent), patience);
  await saved(page);
}

after(async () => {
  await browser?.close();
  await copy?.stop();
});

const deltas = (page) => page.evaluate(() => Number(document.body.dataset.deltas));

// changed has the network change a number of times.
async function changed(page, times) {
  const before = await deltas(page);
  await copy.ask('network', { churn: 50 });
  await page.waitForFunction((wanted) => Number(document.body.dataset.deltas) >= wanted, patience, before + times);
  await copy.ask('network', { churn: 0 });
  await page.waitForFunction(() => document.body.dataset.saved === 'true', patience);
}

// choose opens the details of the first peer with a status.
async function choose(page, status) {
  await page.select('[data-filter="status"]', status);
  await page.waitForFunction((status) => {
    const cells = [...document.querySelectorAll('#peers-rows [data-id] .status')];
    return cells.length > 0 && cells.every((cell) => cell.classList.contains(status));
  }, patience, status);
  await page.locator('#peers-rows [data-id] .status').click();
  await page.waitForSelector('#details:not([hidden])', patience);
}

const statuses = (page) => page.$$eval('#peers-rows .status.online', (cells) => [...new Set(cells.map((cell) => cell.textContent))]);

test('control is lost: what was online is said to have been', async () => {
  await again();
  await choose(page, 'online');
  assert.deepEqual([await text(page, 'details-status'), await statuses(page)], ['online', ['online']]);
  await copy.control(false);
  await inMode(page, 'offline');
  await page.waitForFunction(() => /were online/.test(document.querySelector('#peers-count').textContent), { timeout: 3000 });
  assert.deepEqual([await text(page, 'details-status'), await statuses(page)], ['was online', ['was online']]);
  assert.match(await text(page, 'health'), /when it was last heard/);
  assert.equal(await text(page, 'key-online'), 'was online', 'of the map too');
});

test('the key has expired: what was online is said to have been', async () => {
  await again();
  await choose(page, 'online');
  await copy.ask('expire', {});
  await inMode(page, 'expired');
  await page.waitForFunction(() => document.querySelector('#details-status').textContent === 'was online', { timeout: 3000 });
  assert.match(await text(page, 'peers-count'), /were online/);
  await page.click('#sign-in');
  await inState(page, 'live');
});

test('the browser loses its network: offline at once', async () => {
  await again();
  const state = await page.evaluate(() => new Promise((resolve) => {
    new MutationObserver(() => document.body.dataset.mode === 'offline' && resolve(document.querySelector('#detail').textContent)).observe(document.body, { attributeFilter: ['data-mode'] });
    dispatchEvent(new Event('offline'));
    setTimeout(resolve, 3000, 'still live');
  }));
  assert.match(state, /doesn't answer\. Last heard/);
  await inState(page, 'live'); // control answers when it is asked
});

test('the server freezes: offline soon, and live again once it goes on', async (t) => {
  await again();
  copy.server.kill('SIGSTOP');
  t.after(() => copy.server.kill('SIGCONT'));
  await page.waitForFunction(() => document.body.dataset.mode === 'offline', { timeout: 50_000 });
  assert.match(await text(page, 'detail'), /Last heard \d+ s ago/);
  copy.server.kill('SIGCONT');
  await inState(page, 'live');
});

test('details keep the focus and the selection while the network changes', async () => {
  await again();
  await choose(page, 'online');
  await page.evaluate(() => {
    globalThis.button = document.querySelector('#details-body button');
    globalThis.button.focus();
    getSelection().selectAllChildren(document.querySelector('#details-body dd'));
  });
  const selection = await page.evaluate(() => String(getSelection()));
  await changed(page, 20);
  assert.deepEqual(await page.evaluate(() => [document.activeElement === globalThis.button, String(getSelection())]), [true, selection]);
  await page.keyboard.press('Escape');
  await page.waitForSelector('#details[hidden]', { timeout: 3000 });
});

test('nothing is announced while the network changes', async () => {
  await again();
  await page.evaluate(() => {
    globalThis.announced = [];
    const look = new MutationObserver((records) => globalThis.announced.push(...records.map(({ target }) => target.textContent)));
    for (const live of document.querySelectorAll('[role="status"], [role="alert"], [aria-live]')) look.observe(live, { childList: true, characterData: true, subtree: true });
  });
  await changed(page, 20);
  assert.deepEqual(await page.evaluate(() => globalThis.announced), []);
});

test('the row that the keyboard is at stays that peer', async () => {
  await again();
  await page.focus('#peers');
  for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowDown');
  const active = () => page.$eval('#peers', (grid) => document.getElementById(grid.getAttribute('aria-activedescendant'))?.dataset.id);
  const before = await active();
  for (let i = 0; i < 3; i++) {
    await changed(page, 20);
    const now = await active();
    assert.ok(now === undefined || now === before, `${now} instead of ${before}`);
  }
});

test('no row moves under a still pointer', async () => {
  await again();
  const row = await (await page.$('#peers-rows [data-id]:nth-child(5)')).boundingBox();
  await page.mouse.move(row.x + 200, row.y + row.height / 2);
  await frames(page);
  const places = () => page.$$eval('#peers-rows [data-id]', (rows) => rows.map((row) => [row.dataset.id, row.getBoundingClientRect().y]).sort((a, b) => a[1] - b[1]));
  await page.waitForFunction(() => document.querySelector('#peers-rows').matches(':hover'), patience);
  const before = await places();
  await changed(page, 80);
  assert.deepEqual(await places(), before);
});

test('nothing of a peer that is gone is copied', async () => {
  await context.overridePermissions(copy.origin, ['clipboard-read', 'clipboard-write', 'clipboard-sanitized-write']);
  await again();
  await choose(page, 'online');
  await copy.ask('network', { peers: 0 });
  await page.waitForFunction(() => /no longer/.test(document.querySelector('#details-status').textContent), patience);
  await page.evaluate(() => navigator.clipboard.writeText('before'));
  await page.$eval('#details-json', (button) => button.click());
  await frames(page);
  assert.notEqual(await text(page, 'details-note'), 'Copied.');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'before');
});

for (const width of [1440, 360]) {
  test(`nothing jumps at ${width} pixels, on the first visit, on the next, and in other views`, async (t) => {
    await anew();
    await page.setViewport({ width, height: 800 });
    await page.evaluateOnNewDocument(() => {
      globalThis.shifts = [];
      new PerformanceObserver((list) => shifts.push(...list.getEntries())).observe({ type: 'layout-shift', buffered: true });
    });
    const jumps = [];
    for (const visit of ['first', 'next', 'map', 'access', 'dns', 'device', 'diagnostics']) {
      // What comes late shows when the machine is slow.
      await page.emulateCPUThrottling(['device', 'diagnostics'].includes(visit) ? 6 : 1);
      if (visit !== 'first' && visit !== 'next') await page.evaluate((view) => (location.hash = `view=${view}`), visit);
      if (visit === 'first') await open();
      else await page.reload();
      await inState(page, 'live');
      await saved(page);
      await frames(page);
      const found = await page.evaluate(() => shifts.map(({ value, sources }) => [value, sources.map(({ node, previousRect: a, currentRect: b }) => `${node?.id || node?.className || node?.nodeName} ${a.y}-${b.y} ${a.x}-${b.x}`)]));
      const sum = found.reduce((sum, [value]) => sum + value, 0);
      t.diagnostic(`${visit} visit: ${sum.toFixed(3)}`);
      if (sum > 0.02) jumps.push(`${visit} visit: ${JSON.stringify(found)}`);
    }
    assert.deepEqual(jumps, []);
  });
}

test('details cover nothing where there is room, and take the focus where there is none', async () => {
  await again();
  await choose(page, 'online');
  const covered = await page.evaluate(() => {
    const details = document.querySelector('#details').getBoundingClientRect();
    return ['.top', '#search', '#peers', '#views'].filter((part) => document.querySelector(part).getBoundingClientRect().right > details.left);
  });
  assert.deepEqual(covered, []);
  await page.setViewport({ width: 360, height: 800 });
  await frames(page);
  await page.focus('#details-name');
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.querySelector('#details').contains(document.activeElement)), 'the focus is behind the details');
  }
});

test('a network that is forgotten in one tab and joined again there is live in the other', async () => {
  await again();
  const second = await context.newPage();
  await second.goto(copy.origin);
  await inMode(second, 'following');
  await page.bringToFront();
  await forget(page);
  await page.click('#connect');
  await inState(page, 'live');
  await saved(page);
  await second.bringToFront();
  await second.waitForFunction(() => document.body.dataset.mode === 'following', { timeout: 10_000 });
  assert.match((await openPeer(second, 'nobody')).note, /no peer is called "nobody"/, 'the other tab asks for this one');
  await second.waitForFunction(() => /^Live/.test(document.querySelector('#headline').textContent), { timeout: 10_000 });
  await second.close();
});

test('a relay that is dead is not said to be connected', async (t) => {
  await anew();
  t.after(() => copy.restore());
  await copy.prefix(`const Socket = globalThis.WebSocket;
    globalThis.WebSocket = class extends Socket {
      constructor(url, protocols) {
        super(String(url).includes('/derp') ? 'ws://127.0.0.1:9/derp' : url, protocols);
      }
    };`);
  await open();
  await assert.rejects(page.waitForSelector('#timeline li[data-step="relay up"]', { timeout: 15_000 }), /Waiting for selector/);
});

test('the switch of the control plane follows it', async () => {
  await again();
  await page.waitForFunction(() => /down$/.test(document.querySelector('#control').textContent), patience);
  await copy.control(false);
  await page.waitForFunction(() => /up$/.test(document.querySelector('#control').textContent), { timeout: 15_000 });
});

test('what was measured of no relay has no column', async () => {
  await again();
  const columns = await page.$$eval('#relays th', (all) => all.map(({ textContent }) => textContent));
  const cells = await page.$$eval('#relays tr td:nth-child(5)', (all) => all.map(({ textContent }) => textContent).filter(Boolean));
  assert.equal(columns.includes('Latency'), cells.length > 0);
});

test('loading is told in per cent of what is loaded', async (t) => {
  await anew();
  t.after(() => copy.restore());
  await copy.prefix(faults.slow);
  await page.goto(copy.origin);
  await page.waitForFunction(() => /: [1-9]\d?%$/.test(document.querySelector('#loading-text').textContent), { timeout: 30_000 });
});
