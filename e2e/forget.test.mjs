// "Forget this network" in Chromium: who is told of it, in which tabs, and what else on the channel between tabs does nothing.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { launch } from './browser.mjs';
import { inMode, inState, patience, saved, setControl, text } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

let tailnet;
let browser;
let context; // a profile for each test
let page;

before(async () => {
  tailnet = await startTailnet('-peers', '5', '-native=false', '-churn', '0');
  browser = await launch();
});

beforeEach(async () => {
  await tailnet.ask('control', { up: true });
  context = await browser.createBrowserContext();
  page = await context.newPage();
  await page.goto(tailnet.origin);
  await inState(page, 'live');
  await saved(page);
});

afterEach(() => context.close());

after(async () => {
  await browser?.close();
  tailnet?.server.kill('SIGINT');
});

async function forget(page) {
  await page.evaluate(() => {
    document.querySelector('#forget').click();
    document.querySelector('#forget-dialog .danger').click();
  });
  await inMode(page, 'forgotten');
}

const untold = /couldn.t be told, and goes on listing this device/;
const toldOf = (page) => page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector('#problems').textContent), patience, untold.source);
const names = (page) => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));

test('control is told', async () => {
  await forget(page);
  assert.equal(await text(page, 'problems'), '');
  await page.waitForFunction(() => ['domain', 'this-device', 'self'].map((id) => document.getElementById(id).textContent.trim()).join('') === 'Not in a network', { timeout: 10_000 });
});

test('says that control could not be told, until connecting again', async () => {
  await setControl(page, false);
  await inMode(page, 'offline');
  await forget(page);
  await toldOf(page);
  assert.deepEqual((await names(page)).filter((name) => /keys|seal/.test(name)), []);
  await setControl(page, true);
  await page.click('#connect');
  await inState(page, 'live');
  assert.equal(await text(page, 'problems'), '');
});

for (const up of [true, false]) {
  test(`the tab that has the connection tells control for another, which is ${up ? 'up' : 'down'}`, async () => {
    const second = await context.newPage();
    await second.goto(tailnet.origin);
    await inMode(second, 'following');
    if (!up) {
      await tailnet.ask('control', { up });
      await page.bringToFront();
      await inMode(page, 'offline');
      await second.bringToFront();
    }
    await forget(second);
    if (up) assert.equal(await text(second, 'problems'), '');
    else await toldOf(second);
    await page.bringToFront();
    await inMode(page, 'forgotten');
  });
}

test('what else is said on the channel between tabs does nothing', async () => {
  const other = await context.newPage();
  await other.goto(`${tailnet.origin}/missing`);
  await other.evaluate(() => {
    const channel = new BroadcastChannel('network-page');
    const database = 'network';
    for (const message of ['forget', undefined, null, 7, [], {}, { kind: 'forget' }, { database }, { kind: 'forget', database: 'another' }, { kind: 'left' }, { kind: 'left', database }, { kind: 'constructor', database }]) {
      channel.postMessage(message);
    }
  });
  await page.bringToFront();
  await setControl(page, false);
  await inMode(page, 'offline'); // by then the messages are there
  await setControl(page, true);
  await inState(page, 'live');
});
