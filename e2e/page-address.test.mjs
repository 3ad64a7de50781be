// What the address of the page tells, in Chromium: what is shown survives a reload, Back takes steps back, and links filter.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './browser.mjs';
import { counted, focused, frames, inState, inView, patience, peers, saved } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

let server;
let origin;
let browser;
let page;

before(async () => {
  ({ server, origin } = await startTailnet('-peers', '60', '-churn', '0', '-native=false'));
  browser = await launch();
  page = await browser.newPage();
  await page.setViewport({ width: 1440, height: 900 });
  await page.goto(origin);
  await inState(page, 'live');
  await saved(page);
});

after(async () => {
  await browser?.close();
  server?.kill('SIGINT');
});

const address = () => new URL(page.url()).hash.slice(1);
const view = () => page.evaluate(() => document.documentElement.dataset.view);

test('search, filter, sort and grouping are kept by a reload', async () => {
  await page.type('#search', 'is:online -tag:server');
  await page.select('[data-filter="system"]', 'linux');
  await page.click('[data-sort="address"] button');
  await page.click('[data-sort="address"] button');
  await page.select('#group-by', 'owner');
  await counted(page, 'match');
  assert.equal(address(), 'q=is%3Aonline+-tag%3Aserver&system=linux&sort=-address&by=owner');
  const before = await peers(page);
  assert.ok(Object.values(before).length > 0 && Object.values(before).every(([, , , system, , status]) => system === 'linux' && status === 'online'));
  await page.reload();
  await inState(page, 'live');
  await counted(page, 'match');
  assert.deepEqual(await peers(page), before);
  assert.deepEqual(await page.evaluate(() => [document.querySelector('#search').value, document.querySelector('#group-by').value, document.querySelector('[data-sort="address"]').ariaSort]), ['is:online -tag:server', 'owner', 'descending']);
  await page.click('#reset');
  await counted(page, '^60 peers');
  assert.equal(address(), 'sort=-address&by=owner');
});

test('views and peers are steps that Back takes back', async () => {
  await page.locator('#peers-rows [data-id] .status').click();
  await page.waitForSelector('#details:not([hidden])', patience);
  const id = await page.$eval('#peers-rows [data-id]', (row) => row.dataset.id);
  assert.equal(new URLSearchParams(address()).get('peer'), id);
  await inView(page, 'dns');
  assert.equal(await view(), 'dns');
  await page.goBack();
  await page.waitForSelector('#details:not([hidden])', patience);
  assert.equal(await view(), 'peers');
  await page.goBack();
  await page.waitForSelector('#details[hidden]', patience);
});

test('owners, tags and relays are links that filter', async () => {
  for (const field of ['holder', 'relay']) {
    const [label, href] = await page.$eval(`#peers-rows .${field} a`, (link) => [link.textContent, link.getAttribute('href')]);
    await page.$eval(`#peers-rows .${field} a`, (link) => link.click());
    await counted(page, 'match');
    const column = field === 'holder' ? 2 : 4;
    const rows = Object.values(await peers(page));
    assert.ok(rows.length > 0 && rows.every((cells) => cells[column].includes(label)), `${label} by ${href}`);
    await page.click('#reset');
    await counted(page, '^60 peers');
  }
});

test('a circle of the map is one too, also on a tablet', async () => {
  await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]); // nothing is on its way
  await page.goto('about:blank');
  await page.goto(origin);
  await inState(page, 'live');
  for (const [width, view] of [[1440, 'peers'], [768, 'map']]) {
    await page.setViewport({ width, height: 900 });
    await inView(page, view);
    await frames(page);
    const [key, label] = await page.$eval('#go-to option:nth-child(2)', ({ value, textContent }) => [value, textContent]);
    await page.select('#go-to', key);
    await frames(page);
    await page.click('#map'); // in its middle, where the circle is
    await page.waitForFunction(() => location.hash.includes('relay='), patience);
    assert.equal(`=${new URLSearchParams(address()).get('relay')}`, key);
    await counted(page, 'match');
    const [, name, n] = /^(.*) \((\d+)\)$/.exec(label);
    await inView(page, 'peers');
    const rows = Object.values(await peers(page));
    assert.deepEqual([rows.length, rows.every((cells) => width < 800 || cells[4] === name)], [Number(n), true], label);
    await page.click('#reset');
    await counted(page, '^60 peers');
  }
  await page.setViewport({ width: 1440, height: 900 });
});

test('/ searches, and arrows go through peers while their details are open', async () => {
  await inView(page, 'dns');
  await frames(page); // until then what is hidden keeps the focus
  await page.keyboard.press('/');
  assert.deepEqual([await focused(page), await view()], ['search', 'peers']);
  await page.focus('#peers');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.id === 'details-name', patience);
  const ids = await page.$$eval('#peers-rows [data-id]', (rows) => rows.slice(0, 3).map((row) => row.dataset.id));
  for (const [key, id] of [['ArrowDown', ids[1]], ['ArrowDown', ids[2]], ['ArrowUp', ids[1]]]) {
    await page.keyboard.press(key);
    await page.waitForFunction((id) => document.querySelector('#details-body').textContent.includes(id), patience, id);
    assert.equal(await focused(page), 'details-name');
  }
  await page.keyboard.press('Escape');
  await page.waitForSelector('#details[hidden]', patience);
  assert.equal(await focused(page), 'peers');
});

test('the theme is kept', async () => {
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
  const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await back();
  await page.select('#theme', 'dark');
  const dark = await back();
  assert.notEqual(dark, light);
  await page.reload();
  await inState(page, 'live');
  assert.equal(await back(), dark);
  await page.select('#theme', '');
  assert.equal(await back(), light);
});
