// What a person does with the page, in Chromium: copies, looks up, saves lists, disconnects and connects.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { launch } from './browser.mjs';
import { counted, downloads, inMode, inState, inView, patience, peers, saved, text } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

let server;
let origin;
let browser;
let page;

before(async () => {
  ({ server, origin } = await startTailnet('-peers', '20', '-churn', '0', '-native=false'));
  browser = await launch();
  await browser.defaultBrowserContext().overridePermissions(origin, ['clipboard-read', 'clipboard-write', 'clipboard-sanitized-write']);
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

test('name and address are copied from the row, and the address of this device from the header', async () => {
  const [[id, [name, address]]] = Object.entries(await peers(page));
  const own = await page.$eval('#this-device span', ({ textContent }) => textContent);
  const row = `#peers-rows [data-id="${id}"]`;
  for (const [button, wanted] of [[`${row} .name .copy`, name], [`${row} .address .copy`, address], ['#this-device .copy', own]]) {
    await page.$eval(button, (button) => button.click());
    await page.waitForSelector(`${button}[data-done="Copied"]`, patience);
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), wanted);
  }
  assert.doesNotMatch(page.url(), /peer=/, 'a row was chosen');
});

test('what MagicDNS answers', async () => {
  const [[name, address]] = Object.values(await peers(page));
  await inView(page, 'dns');
  for (const [asked, wanted] of [[name, new RegExp(`^${address}\\b`)], ['nobody', /^The network has no address for “nobody”\.$/]]) {
    await page.$eval('#look-up-name', (input) => (input.value = ''));
    await page.type('#look-up-name', `${asked}\n`);
    await page.waitForFunction((source) => new RegExp(source).test(document.querySelector('#look-up-note').textContent), patience, wanted.source);
  }
  await inView(page, 'peers');
});

test('the list as it is filtered, as CSV and JSON', async (t) => {
  const download = await downloads(t, page);
  await page.type('#search', 'os:linux');
  await counted(page, 'match');
  const listed = Object.entries(await peers(page));
  assert.ok(listed.length > 0 && listed.length < 20);
  const records = JSON.parse(await readFile(await download('#list-json'), 'utf8'));
  assert.deepEqual(records.map(({ id, name }) => [id, name]), listed.map(([id, [name]]) => [id, name]));
  const [head, ...lines] = (await readFile(await download('#list-csv'), 'utf8')).trim().split('\r\n');
  assert.match(head, /^\ufeff?name,/);
  assert.deepEqual(lines.map((line) => line.split(',')[0]), listed.map(([, [name]]) => name));
  await page.click('#reset');
  await counted(page, '^20 peers');
});

test('Disconnect shows what is saved, and Connect goes live as the same device', async () => {
  const device = await text(page, 'this-device');
  await page.click('#disconnect');
  await inState(page, 'cached');
  await page.waitForSelector('#connect:not([hidden])', patience);
  assert.equal(await page.$('#disconnect:not([hidden])'), null);
  assert.equal(Object.keys(await peers(page)).length, 20);
  await page.click('#connect');
  await inMode(page, 'live');
  assert.equal(await text(page, 'this-device'), device);
});
