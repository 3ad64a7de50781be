// The page with 10,000 peers in Chromium: whatever a person does, what its main thread gets and keeps stays as small as with a few.
// How long tasks of that thread take is for make bench-web to measure.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { activities } from './activities.mjs';
import { launch } from './browser.mjs';
import { counted, inMode, inState, patience, saved, setControl, text } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

const peers = 10_000;
const mostElements = 3000;
const mostInMessage = 60_000; // characters of JSON: a hundred rows, and the sections. All peers would be millions

let server;
let origin;
let ask;
let browser;
let page;

before(async () => {
  ({ server, origin, ask } = await startTailnet('-peers', String(peers), '-churn', '0'));
  browser = await launch();
  page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  await page.evaluateOnNewDocument(measureMessages);
});

after(async () => {
  await browser?.close();
  server?.kill('SIGINT');
});

// measureMessages has the page note the size of the largest message that its main thread got from a worker.
function measureMessages() {
  globalThis.largestMessage = 0;
  const { addEventListener } = EventTarget.prototype;
  EventTarget.prototype.addEventListener = function (type, ...rest) {
    if (type === 'message' && (this instanceof Worker || this instanceof MessagePort)) {
      addEventListener.call(this, type, ({ data }) => {
        globalThis.largestMessage = Math.max(globalThis.largestMessage, JSON.stringify(data).length);
      });
    }
    return addEventListener.call(this, type, ...rest);
  };
}

async function staysSmall(t) {
  const { elements, message } = await page.evaluate(() => ({ elements: document.querySelectorAll('*').length, message: globalThis.largestMessage }));
  t.diagnostic(`${elements} elements, ${message} characters in the largest message`);
  assert.ok(elements < mostElements, `${elements} elements`);
  assert.ok(message > 0 && message < mostInMessage, `a message of ${message} characters`);
}

test('goes live', async (t) => {
  await page.goto(origin);
  await inState(page, 'live');
  await counted(page, '^(9,9|10,0)\\d\\d peers');
  await saved(page);
  await staysSmall(t);
});

test('shows nothing anew while nothing changes', async () => {
  await page.evaluate(() => {
    globalThis.renewed = false;
    const look = () => (globalThis.renewed ||= document.body.dataset.saved !== 'true');
    new MutationObserver(look).observe(document.body, { attributeFilter: ['data-saved'] });
  });
  // The client looks every few seconds whether there is something to save.
  const age = (pattern) => page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector('#age').textContent), patience, pattern);
  await age(' s ago');
  await age('just now');
  assert.equal(await page.evaluate(() => globalThis.renewed), false);
});

for (const [name, act] of Object.entries(activities)) {
  test(name, async (t) => {
    await act(page, ask);
    await staysSmall(t);
  });
}

test('resumes from the cache', async (t) => {
  await setControl(page, false);
  await inMode(page, 'offline');
  await saved(page);
  await page.reload();
  await inState(page, 'cached');
  await counted(page, '^(9,9|10,0)\\d\\d peers');
  assert.match(await text(page, 'headline'), /Offline|Saved/);
  await staysSmall(t);
});
