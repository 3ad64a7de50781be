// What tests of the page have in common: opening it, waiting for its states, and reading its table.

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const patience = { timeout: 150_000 };

const screenshots = fileURLToPath(new URL('../dist/screenshots', import.meta.url));

// until waits until the page is as asked, or says how it is instead.
async function until(page, is, ...args) {
  try {
    await page.waitForFunction(is, patience, ...args);
  } catch (cause) {
    const seen = await page.evaluate(() => JSON.stringify({ ...document.body.dataset, problems: document.querySelector('#problems')?.textContent }));
    throw new Error(`waited for ${args}, and the page is ${seen}`, { cause });
  }
}

// inState waits until one of the states is shown, with all peers.
export const inState = (page, state) =>
  until(page, (state) => document.body.dataset.state === state && !document.querySelector('#network').ariaBusy, state);

// inMode waits for one of the finer states, which web/app/knowledge.js names.
export const inMode = (page, mode) => until(page, (mode) => document.body.dataset.mode === mode, mode);

// counted waits until what is said of the number of peers matches a pattern.
export const counted = (page, pattern) =>
  until(page, (pattern) => new RegExp(pattern).test(document.querySelector('#peers-count').textContent), pattern);

// frames waits until what was changed is on the screen.
export const frames = (page) => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

export const saved = (page) => until(page, () => document.body.dataset.saved === 'true', 'saved');

// keptOffline waits until the service worker keeps the page.
export const keptOffline = (page) => page.waitForFunction(() => document.body.dataset.offline === 'ready', patience);

// downloads returns a function that has a button of the page make a file, and resolves to its path.
export async function downloads(t, page) {
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-download-'));
  t.after(() => rm(folder, { recursive: true }));
  const session = await page.createCDPSession();
  await session.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder, eventsEnabled: true, browserContextId: page.browserContext().id });
  return async (button) => {
    const done = new Promise((resolve) => session.on('Browser.downloadProgress', ({ state }) => state === 'completed' && resolve()));
    const named = new Promise((resolve) => session.on('Browser.downloadWillBegin', ({ suggestedFilename }) => resolve(suggestedFilename)));
    await page.$eval(button, (button) => button.click());
    const name = await named;
    await done;
    return join(folder, name);
  };
}

export const text = (page, id) => page.$eval(`#${id}`, (element) => element.textContent);

// device returns what the page says of this device, by term.
export const device = (page) =>
  page.$eval('#self', (list) => Object.fromEntries([...list.querySelectorAll('dt')].map((dt) => [dt.textContent, dt.nextElementSibling.textContent])));

// peers returns the peers in the table, as lists of text by stable ID, in their order. It scrolls through all of it.
// Ages in them change by themselves, and so are left out; whether a peer is or was online is the same.
export async function peers(page) {
  const rows = await page.evaluate(async () => {
    const scroll = document.getElementById('peers');
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const found = new Map();
    scroll.scrollTop = 0;
    for (;;) {
      await frame();
      await frame();
      const rows = [...document.querySelectorAll('#peers-rows [role="row"]')];
      const all = Number(scroll.getAttribute('aria-rowcount')) - 1;
      if (rows.some((row) => !row.dataset.id) || (rows.length === 0 && all > 0)) continue; // not drawn yet
      const read = (cell) => (cell.querySelector('.text') ?? cell).textContent;
      for (const row of rows) found.set(row.dataset.id, [...row.children].map(read));
      if (scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - 1) break;
      scroll.scrollTop += scroll.clientHeight;
    }
    scroll.scrollTop = 0;
    return [...found];
  });
  return Object.fromEntries(rows.map(([id, cells]) => [id, cells.map((cell) => cell.replace(/^was /, '').replace(/^offline .*/, 'offline'))]));
}

// overview returns what the page says of the network as a whole: counts, the choices of filters and map, users and relays.
export const overview = (page) =>
  page.$$eval('#peers-count, [data-filter], #go-to, #users, #relays', (parts) => parts.map(({ textContent }) => textContent.replace(/w(ere|as) online/, 'online').replace(/\s+/g, ' ')));

export const focused = (page) => page.evaluate(() => document.activeElement.id);

// tabTo presses the tabulator until an element has the focus.
export async function tabTo(page, id) {
  for (let i = 0; i < 80; i++) {
    if ((await focused(page)) === id) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the keyboard doesn't get to ${id}`);
}

// inView shows one of the page's views, as its link does.
export const inView = (page, view) => page.$eval(`#views [href="#view=${view}"]`, (link) => link.click());

// openPeer has the page open a peer, by keyboard. It returns what answer does.
export async function openPeer(page, url) {
  await inView(page, 'reach');
  await page.$eval('#reach-url', (input) => input.select());
  await page.focus('#reach-url');
  await page.keyboard.type(url);
  await page.keyboard.press('Enter');
  return answer(page);
}

// askAtOnce, before navigation, has a page ask a peer as soon as its form works.
export async function askAtOnce(page, url) {
  await page.evaluateOnNewDocument((url) => {
    addEventListener('DOMContentLoaded', () => {
      document.getElementById('reach-url').value = url;
      const submit = () => document.getElementById('reach-form').dispatchEvent(new SubmitEvent('submit', { cancelable: true }));
      const ask = () => (submit() ? requestAnimationFrame(ask) : performance.mark('asked'));
      ask();
    });
  }, url);
}

// answer waits until a peer that was asked has answered, or failed to, and returns what the page shows of that.
export async function answer(page) {
  await page.waitForFunction(() => ['answered', 'failed'].includes(document.getElementById('reach').dataset.state), patience);
  return page.evaluate(() => ({
    state: document.getElementById('reach').dataset.state,
    note: document.getElementById('reach-note').textContent,
    html: document.getElementById('reach-frame').srcdoc,
  }));
}

// joined waits until the native peer has joined, and the page knows.
export async function joined(page) {
  await inView(page, 'peers');
  await page.type('#search', 'web');
  await page.waitForSelector('#peers-rows [data-id="web-native"]', patience);
}

export async function setControl(page, up) {
  await page.$eval('#control', (button) => button.click());
  await page.waitForFunction((state) => document.body.dataset.control === state, patience, up ? 'up' : 'down');
}

// forget has the page forget its network.
export async function forget(page) {
  await page.$eval('#forget', (button) => button.click());
  await page.waitForFunction(() => document.querySelector('#forget-dialog').open, patience);
  await page.click('#forget-dialog .danger');
  await inMode(page, 'forgotten');
}

// screenshot keeps a picture for people to look at.
export async function screenshot(page, name, options) {
  await mkdir(screenshots, { recursive: true });
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: join(screenshots, `${name}.png`), ...options });
}
