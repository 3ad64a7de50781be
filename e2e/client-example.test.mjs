// The example of netmapcache-client, built by Vite with the packages that make package made, in Chromium: all that it does, by keyboard.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { launch } from './browser.mjs';
import { patience } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const example = fileURLToPath(new URL('../examples/client', import.meta.url));
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let project;
let tailnet;
let browser;

before(async () => {
  const tarballs = (await readdir(dist)).filter((name) => /^netmapcache-.*\.tgz$/.test(name)).map((name) => join(dist, name));
  assert.equal(tarballs.length, 2, 'there are both packages; make package makes them');
  project = await mkdtemp(join(tmpdir(), 'netmapcache-client-example-'));
  await cp(example, project, { recursive: true, filter: (source) => !/\/(node_modules|dist)$/.test(source) });
  const run = (program, ...args) => promisify(execFile)(program, args, { cwd: project });
  const install = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await run('npm', 'ci', ...install);
  await run('npm', 'install', '--no-save', ...install, ...tarballs);
  await run('npm', 'run', 'build');
  tailnet = await startTailnet('-sign-in', '-inline-styles', '-web', join(project, 'dist'), '-peers', '60', '-churn', '0');
  browser = await launch();
});

after(async () => {
  await browser?.close();
  tailnet?.server.kill('SIGINT');
  if (project) await rm(project, { recursive: true, maxRetries: 5 });
});

// open opens the example in a browser profile of its own. What breaks in it fails the test.
async function open(t, prepare = () => {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });
  await page.evaluateOnNewDocument(prepare);
  await page.goto(tailnet.origin);
  return page;
}

// says waits for what the page says somewhere. It may be behind its window, where browsers draw nothing.
const says = (page, selector, pattern) => page.waitForFunction(
  (selector, pattern) => new RegExp(pattern).test(document.querySelector(selector)?.textContent), { ...patience, polling: 'mutation' }, selector, pattern);

// press presses the tabulator until what is called so has the focus, and then Enter, or types.
async function press(page, name, ...texts) {
  for (let i = 0; i < 200; i++) {
    const focused = await page.evaluate(() => {
      const { labels, textContent } = document.activeElement;
      return (labels?.[0] ?? { textContent }).textContent.trim();
    });
    if (focused.startsWith(name)) {
      for (const text of texts) await page.keyboard.type(text);
      if (texts.length === 0) await page.keyboard.press('Enter');
      return;
    }
    await page.keyboard.press('Tab');
  }
  assert.fail(`the tabulator doesn't lead to ${name}`);
}

// clean runs axe-core on the page as it is, light and wide, dark and narrow.
async function clean(page, state) {
  const session = await page.createCDPSession();
  for (const [scheme, width] of [['light', 1280], ['dark', 360]]) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.setViewport({ width, height: 900 });
    await session.send('Runtime.evaluate', { expression: axe });
    const { violations, sideways } = await page.evaluate(async () => {
      const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } });
      const { scrollWidth, clientWidth } = document.documentElement;
      return { violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 150)).join(' | ')}`), sideways: scrollWidth > clientWidth };
    });
    assert.deepEqual(violations, [], `${state}, ${scheme}, ${width} pixels wide`);
    assert.equal(sideways, false, `${state}, ${width} pixels wide`);
  }
  await page.setViewport({ width: 1280, height: 900 });
  await session.detach();
}

test('by keyboard: join, sign in in a window, find a peer, open its page, use the terminal, log out', async (t) => {
  const page = await open(t);
  await clean(page, 'not in a network');
  const opened = new Promise((resolve) => page.once('popup', resolve));
  await press(page, 'Join');
  const popup = await opened;
  await popup.waitForSelector('button', patience);
  await says(page, '#state', 'Waiting for you to sign in');
  await page.waitForSelector('#login');
  await page.bringToFront();
  await clean(page, 'signing in');
  await popup.bringToFront();
  const closed = new Promise((resolve) => popup.once('close', resolve));
  await press(popup, 'Let it in');
  await says(page, '#state', '^Live$');
  await closed;
  await page.bringToFront();
  await says(page, '#count', '^62 of 62 peers$'); // two of them answer

  await press(page, 'Search', 'web');
  await page.waitForFunction(() => document.querySelectorAll('li').length < 10);
  await press(page, 'web');
  await says(page, '#host', '^web\\.');
  await press(page, 'Open page');
  const frame = await (await page.waitForSelector('iframe', patience)).contentFrame();
  await frame.waitForSelector('h1', patience);
  assert.equal(await frame.$eval('h1', (heading) => heading.textContent), 'Hello from web');
  await clean(page, 'a page');

  await press(page, 'Open terminal');
  await page.waitForFunction(() => document.activeElement.matches('#terminal textarea'), patience);
  await page.keyboard.type('Hello, echo\n');
  await says(page, '.xterm-accessibility', 'Hello, echo');
  await clean(page, 'a terminal');
  await press(page, 'Close');
  assert.equal(await page.$eval('#screen', (screen) => screen.checkVisibility()), false);

  await press(page, 'Log out');
  await says(page, '#state', '^Not in a network$');
  assert.equal(await page.evaluate(() => localStorage.length), 0);
});

test('where windows are blocked, there is a link', async (t) => {
  const page = await open(t, () => { window.open = () => null; });
  await press(page, 'Join');
  await page.waitForSelector('#login', patience);
  const [link] = await page.$$eval('#login', (links) => links.map(({ href }) => href));
  assert.match(link, new RegExp(`^${tailnet.origin}/auth/`));
  const opened = new Promise((resolve) => page.once('popup', resolve));
  await press(page, 'Sign in without');
  const door = await opened;
  await door.waitForSelector('button', patience);
  await door.bringToFront();
  await press(door, 'Let it in');
  await says(page, '#state', '^Live$');
});

test('what fails is said', async (t) => {
  const page = await open(t);
  const opened = new Promise((resolve) => page.once('popup', resolve));
  await press(page, 'Join');
  const popup = await opened;
  await popup.waitForSelector('button', patience);
  await popup.bringToFront();
  await press(popup, 'Let it in');
  await says(page, '#state', '^Live$');
  await page.bringToFront();
  await press(page, 'Search', 'web');
  await press(page, 'web');
  await press(page, 'Port', '8');
  await press(page, 'Open terminal');
  await says(page, '#problem', 'refused');
});
