// Starts browsers other than Chromium. Their pages are light, or dark if asked for. Each function returns how to open an address in a
// new tab, how to end the browser, and a promise of its end. None reaches more than this machine.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import puppeteer from 'puppeteer-core';

import { startSession } from './webdriver.mjs';

// How long a call in a page may take, in milliseconds: at length a page transfers much in one. The tests have their own time limit.
const callLimit = process.env.TORTURE ? 30 * 60_000 : 180_000;

// The proxy for everything else: nobody listens there.
const nowhere = { host: '127.0.0.1', port: 9 };

// find returns the first of paths that exists.
function find(what, ...paths) {
  const path = paths.find(existsSync);
  if (!path) throw new Error(`no ${what}, as Debian installs it`);
  return path;
}

async function firefox({ dark = false } = {}) {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: find('Firefox: package firefox-esr', '/usr/bin/firefox-esr', '/usr/bin/firefox'),
    headless: true,
    protocolTimeout: callLimit,
    extraPrefsFirefox: {
      'ui.systemUsesDarkTheme': dark ? 1 : 0,
      'network.proxy.type': 1,
      'network.proxy.http': nowhere.host,
      'network.proxy.http_port': nowhere.port,
      'network.proxy.ssl': nowhere.host,
      'network.proxy.ssl_port': nowhere.port,
      'network.proxy.no_proxies_on': '127.0.0.1',
    },
  });
  return {
    async open(url) {
      const page = await browser.newPage();
      await page.goto(url);
      return page;
    },
    close: () => browser.close(),
    gone: new Promise((resolve) => browser.on('disconnected', resolve)),
  };
}

async function webkit({ dark = false } = {}) {
  const miniBrowser = find(
    'WebKitGTK: package webkit2gtk-driver',
    ...['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/webkit2gtk-4.1/MiniBrowser`),
  );
  find('screen for WebKitGTK: package xvfb', '/usr/bin/Xvfb');

  const screen = spawn('Xvfb', ['-displayfd', '3', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const [display] = await once(screen.stdio[3], 'data');
  const home = await mkdtemp(join(tmpdir(), 'netmapcache-webkit-'));
  const port = await freePort();
  const driver = spawn('WebKitWebDriver', ['--host=127.0.0.1', `--port=${port}`], {
    // In the locale C, which machines for tests tend to have, numbers have no separators.
    env: {
      ...process.env,
      DISPLAY: `:${display.toString().trim()}`,
      GTK_THEME: dark ? 'Adwaita:dark' : 'Adwaita',
      LC_ALL: 'en_US.UTF-8',
      HOME: home,
      XDG_DATA_HOME: home,
      XDG_CACHE_HOME: home,
    },
    stdio: 'ignore',
  });
  const gone = once(driver, 'exit');
  await listening(port);
  const session = await startSession(port, {
    timeouts: { script: callLimit },
    'webkitgtk:browserOptions': {
      binary: miniBrowser,
      args: ['--automation', `--proxy=http://${nowhere.host}:${nowhere.port}`, '--ignore-host=127.0.0.1'],
    },
  });
  return {
    open: (url) => session.open(url),
    async close() {
      await session.end();
      driver.kill();
      await gone;
      screen.kill();
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
    gone,
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// listening waits until somebody listens on a port, for 10 seconds at most.
async function listening(port) {
  for (let attempts = 100; ; attempts--) {
    const socket = connect(port, '127.0.0.1');
    try {
      return await once(socket, 'connect');
    } catch (err) {
      if (attempts === 0) throw err;
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      socket.destroy();
    }
  }
}

export const engines = { firefox, webkit };

// startFor starts a browser for a test. The test is skipped, and there is none, where it isn't installed.
export async function startFor(t, name) {
  try {
    return await engines[name]();
  } catch (err) {
    if (!/^no /.test(err.message)) throw err;
    t.skip(err.message);
    return undefined;
  }
}

// testSteps tests in each of the engines what steps do, one after the other: functions of what begin resolves to, with the browser and the
// name of its engine, which they share. Its server is ended with the browser.
export function testSteps(steps, begin) {
  for (const name of Object.keys(engines)) {
    test(name, async (t) => {
      const browser = await startFor(t, name);
      if (!browser) return;
      const it = { name, browser, ...(await begin()) };
      try {
        let failed = false;
        for (const [step, run] of Object.entries(steps)) {
          await t.test(step, { skip: failed && 'a step before it failed' }, async () => {
            failed = true;
            await run(it);
            failed = false;
          });
        }
      } finally {
        await browser.close();
        it.server.kill('SIGINT');
      }
    });
  }
}
