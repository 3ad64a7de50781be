// Takes pictures of the page in every state, size and look, into dist/screenshots, for people to look at. Those that README.md shows go
// to docs/screenshots. Names given as arguments choose among the groups of states below.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

import { launch } from './browser.mjs';
import { engines } from './engines.mjs';
import { faults, holdDatabase, startCopy, tooOld } from './page-copy.mjs';
import { counted, inMode, inState, inView, keptOffline, openPeer, patience, saved, screenshot, setControl } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

const sizes = {
  large: { width: 1920, height: 1080 },
  wide: { width: 1440, height: 900 },
  middle: { width: 768, height: 1024 },
  narrow: { width: 360, height: 780, deviceScaleFactor: 2 },
};
const looks = {
  light: {},
  dark: { dark: true },
  forced: { forced: true, sizes: ['wide', 'narrow'] },
  text: { font: 32, sizes: ['wide', 'middle', 'narrow'] }, // of a reader who has text twice as large
};
const views = ['map', 'reach', 'access', 'dns', 'device', 'diagnostics', 'lab'];
const settle = 500; // milliseconds, for the map to follow
const settleInWebKit = 3000; // it shows the old picture, stretched, for a while after a change of size

const browser = await launch();
let context;
let page;

async function anew() {
  await context?.close();
  context = await browser.createBrowserContext(); // a profile of its own
  page = await context.newPage();
  await page.setViewport(sizes.wide);
}

// take takes the pictures of a state. Full is for all of the page, not only what is in sight.
async function take(name, { full = false } = {}) {
  const session = await page.createCDPSession();
  for (const [look, { dark, forced, font = 16, sizes: wanted = Object.keys(sizes) }] of Object.entries(looks)) {
    const features = { 'prefers-color-scheme': dark ? 'dark' : 'light', 'forced-colors': forced ? 'active' : 'none' };
    await session.send('Emulation.setEmulatedMedia', { features: Object.entries(features).map(([name, value]) => ({ name, value })) });
    await session.send('Page.setFontSizes', { fontSizes: { standard: font } });
    for (const size of wanted) {
      await page.setViewport(sizes[size]);
      await page.waitForFunction(() => ![...document.querySelectorAll('#peers-rows [role="row"]')].some((row) => !row.dataset.id), patience);
      // What is out of sight isn't drawn otherwise.
      await page.$$eval('.card', (cards, full) => cards.forEach(({ style }) => (style.contentVisibility = full ? 'visible' : '')), full);
      await sleep(settle);
      await screenshot(page, `${name}-${look}-${size}`, { fullPage: full, captureBeyondViewport: false }); // which would make the text as small as by default
    }
  }
  await session.send('Emulation.setEmulatedMedia', { features: [] });
  await session.send('Page.setFontSizes', { fontSizes: { standard: 16 } });
  await session.detach();
  await page.setViewport(sizes.wide);
}

const says = (pattern) => page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector('#problems').textContent), patience, pattern);

const groups = {
  // One session: from nothing to live, offline and back, and forgotten.
  async session() {
    const { server, origin, ask } = await startTailnet('-peers', '300', '-churn', '0', '-control-down');
    await page.goto(origin);
    await inMode(page, 'empty');
    await take('empty');
    await setControl(page, true);
    await inState(page, 'live');
    await saved(page);
    await keptOffline(page);
    await take('live');
    for (const view of views) {
      await inView(page, view);
      await take(`view-${view}`, { full: true });
    }
    await inView(page, 'peers');
    await page.type('#search', 'linux');
    await counted(page, 'match');
    await page.locator('#peers-rows [data-id]:nth-child(3) .status').click();
    await page.waitForSelector('#details:not([hidden])', patience);
    await take('details');
    await page.click('#details-close');
    await page.type('#search', ' no such peer');
    await page.waitForSelector('#no-match:not([hidden])', patience);
    await take('no-match');
    await page.click('#reset');
    const web = await page.$eval('#reach-url', ({ defaultValue }) => defaultValue);
    for (const [name, url] of [['answered', web], ['failed', 'no-such-peer']]) {
      await openPeer(page, url);
      await take(`peer-${name}`, { full: true });
    }

    await inView(page, 'peers');
    await setControl(page, false);
    await inMode(page, 'offline');
    await page.reload();
    await inMode(page, 'offline');
    await take('offline');
    await ask('network', { peers: 120 });
    await setControl(page, true);
    await inState(page, 'live');
    await page.waitForSelector('#changes:not([hidden])', patience);
    await page.click('#changes-summary');
    await take('changes');
    await page.click('#changes-summary');
    await saved(page);

    const first = page;
    page = await context.newPage();
    await page.goto(origin);
    await inMode(page, 'following');
    await take('following');
    await page.close();
    page = first;
    await page.bringToFront();

    await ask('expire', {});
    await inMode(page, 'expired');
    await take('key-expired');

    await page.$eval('#forget', (button) => button.click());
    await page.waitForSelector('#forget-dialog[open]', patience);
    await take('asking');
    await page.click('#forget-dialog .danger');
    await inMode(page, 'forgotten');
    await take('forgotten');
    server.kill('SIGINT');
  },

  async engines() {
    for (const name of Object.keys(engines)) {
      for (const scheme of ['light', 'dark']) {
        const { server, origin, ask } = await startTailnet('-peers', '300', '-churn', '0', '-native=false');
        const other = await engines[name]({ dark: scheme === 'dark' });
        const shown = await other.open(origin);
        const takeBoth = async (state) => {
          for (const [size, { width, height }] of Object.entries(sizes)) {
            await shown.setViewport({ width, height });
            await sleep(settleInWebKit);
            await screenshot(shown, `${state}-${name}-${scheme}-${size}`);
          }
        };
        await inState(shown, 'live');
        await saved(shown);
        await takeBoth('live');
        await ask('control', { up: false });
        await shown.reload();
        await inMode(shown, 'offline');
        await takeBoth('offline');
        await other.close();
        server.kill('SIGINT');
      }
    }
  },

  async serverGone() {
    const { server, origin } = await startTailnet('-peers', '300', '-churn', '0');
    await page.goto(origin);
    await inState(page, 'live');
    await saved(page);
    await keptOffline(page);
    server.kill('SIGKILL');
    await once(server, 'exit');
    await page.reload();
    await inMode(page, 'offline');
    await take('server-gone');
  },

  async hostile() {
    const { server, origin } = await startTailnet('-peers', '60', '-churn', '0', '-native=false', '-hostile-names');
    await page.goto(origin);
    await inState(page, 'live');
    await saved(page);
    await take('hostile');
    await page.locator('#peers-rows [data-id]:nth-child(2) .status').click();
    await page.waitForSelector('#details:not([hidden])', patience);
    await take('hostile-details');
    await page.click('#details-close');
    for (const view of views) {
      await inView(page, view);
      await take(`hostile-${view}`, { full: true });
    }
    server.kill('SIGINT');
  },

  async many() {
    const { server, origin } = await startTailnet('-peers', '10000', '-churn', '0', '-native=false');
    await page.goto(origin);
    await inState(page, 'live');
    await counted(page, '^10,000 peers');
    for (const by of ['relay', 'tag', 'owner']) {
      await page.select('#group-by', by);
      await take(`many-by-${by}`);
    }
    await page.select('#group-by', 'relay');
    await page.select('#go-to', await page.$eval('#go-to', ({ options }) => options[1].value));
    await take('many-group');
    server.kill('SIGINT');
  },

  // What goes wrong, each in a browser of its own.
  async faults() {
    const copy = await startCopy('-peers', '300', '-native=false');
    const states = {
      async loading() {
        await copy.prefix(faults.slow);
        await page.goto(copy.origin);
        await page.waitForFunction(() => /: [1-9]\d%/.test(document.querySelector('#loading-text').textContent), patience);
      },
      async unavailable() {
        await copy.prefix(faults.unavailable);
        await page.goto(copy.origin);
        await says("doesn't let the page keep anything");
        await page.waitForSelector('#connect:not([hidden])', patience);
      },
      async quota() {
        await copy.prefix(faults.quota);
        await page.goto(copy.origin);
        await inMode(page, 'refused');
      },
      async blocked() {
        await holdDatabase(page, copy.origin);
        await copy.prefix(faults.newer);
        page = await context.newPage();
        await page.goto(copy.origin);
        await says('older version');
        await page.waitForSelector('#connect:not([hidden])', patience);
      },
      async 'another-account'() {
        await copy.stored(page, { owner: 'somebody else' });
        await page.reload();
        await says('belongs to another account');
      },
      async 'too-old'() {
        await copy.stored(page, {}, tooOld);
        await page.reload();
        await says('older than half a year');
      },
    };
    for (const [name, reach] of Object.entries(states)) {
      await anew();
      await copy.restore();
      await copy.control(true);
      await reach();
      await take(name);
    }
    await copy.stop();
  },
};

const chosen = process.argv.slice(2).filter((name) => name in groups);
for (const [name, run] of Object.entries(groups)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  await anew();
  await run();
}
await browser.close();

// Those of the README, with fewer colours where pngquant is there to choose them.
const kept = {
  'offline-light-wide': 'offline',
  'live-dark-wide': 'live',
  'details-light-wide': 'details',
  'view-access-light-wide': 'access',
  'view-map-light-middle': 'map',
  'offline-dark-narrow': 'narrow',
};
const path = (name) => fileURLToPath(new URL(name, import.meta.url));
for (const [from, to] of process.argv.includes('--docs') ? Object.entries(kept) : []) {
  const [source, target] = [path(`../dist/screenshots/${from}.png`), path(`../docs/screenshots/${to}.png`)];
  if (spawnSync('pngquant', ['--force', '--strip', '--output', target, source]).status !== 0) await cp(source, target);
}
