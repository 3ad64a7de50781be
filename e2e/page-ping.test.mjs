// Asking a peer for a sign of life from its details, in Chromium.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from './browser.mjs';
import { inMode, inState, joined, patience, saved, text } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

let server;
let browser;
let page;

before(async () => {
  let origin;
  ({ server, origin } = await startTailnet('-peers', '10', '-churn', '0'));
  browser = await launch();
  page = await browser.newPage();
  await page.setViewport({ width: 1440, height: 900 });
  await page.goto(origin);
  await inState(page, 'live');
  await joined(page);
  await page.click('#reset');
  await saved(page);
});

after(async () => {
  await browser?.close();
  server?.kill('SIGINT');
});

const running = 'web-native'; // the only peer that is more than an entry in the network map

// openDetails opens the details of a peer by its stable ID, by the address.
async function openDetails(page, id) {
  await page.evaluate((id) => (location.hash = new URLSearchParams({ peer: id }).toString()), id);
  await page.waitForFunction((id) => document.querySelector('#details-body').textContent.includes(id), patience, id);
}

const silent = (page, nth = 0) => page.$$eval('#peers-rows [data-id]', (rows, nth, running) => rows.map((row) => row.dataset.id).filter((id) => !/native$/.test(id) && id !== running)[nth], nth, running);
const noted = (page, pattern) => page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector('#details-note').textContent), patience, pattern);

// pings asks a peer that runs, and returns what is said of its answer.
async function pings(page) {
  await openDetails(page, running);
  await page.click('#details-ping');
  await noted(page, '^(Answered|No answer:)');
  return text(page, 'details-note');
}

test('a peer answers: in which time, and by which way', async () => {
  const [, relay] = /^Answered in [\d.]+ ms, through the relay (.+)\.$/.exec(await pings(page)) ?? [];
  const relays = await page.$$eval('#relays tbody td:first-child', (cells) => cells.map(({ textContent }) => textContent.replace(/ \(home\)$/, '')));
  assert.ok(relays.includes(relay), `${relay} is one of ${relays}`);
});

test('a peer is silent: a clock, and Cancel', async () => {
  await openDetails(page, await silent(page));
  await page.click('#details-ping');
  assert.equal(await text(page, 'details-ping'), 'Cancel');
  await noted(page, '^No answer yet, after \\d+ s');
  await page.click('#details-ping');
  await noted(page, '^Cancelled\\.$');
  assert.equal(await text(page, 'details-ping'), 'Ping');
});

test('what was asked of one peer isn’t said of the next', async () => {
  await openDetails(page, await silent(page));
  await page.click('#details-ping');
  await openDetails(page, await silent(page, 1));
  assert.deepEqual([await text(page, 'details-note'), await text(page, 'details-ping')], ['', 'Ping']);
  assert.match(await pings(page), /^Answered/);
});

test('from a tab that follows another', async () => {
  const second = await browser.newPage();
  await second.goto(page.url());
  await inMode(second, 'following');
  assert.match(await pings(second), /^Answered in/);
  await second.close();
});

test('without a connection', async () => {
  await page.bringToFront();
  await page.click('#disconnect');
  await inMode(page, 'offline');
  assert.equal(await pings(page), 'No answer: this page is not connected.');
});
