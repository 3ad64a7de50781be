// Kills Chromium in the middle of commits: its renderers, which run the pages, or all of it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { launch } from './browser.mjs';
import { after } from './history.mjs';
import { openPage, startServer } from './lab.mjs';

const torture = Boolean(process.env.TORTURE);
const database = 'kill';

// write has a page make calls until it is killed at a random moment by kill, and returns
// the number of the last call that was reported complete, -1 if none was.
async function write(page, writer, kill) {
  let completed = -1;
  const enough = Math.floor(Math.random() * 20);
  await new Promise((resolve, reject) => {
    page.exposeFunction('report', (k) => {
      completed = k;
      if (k >= enough) resolve();
    });
    // This never fulfills, and is rejected when the page is killed, or when a call fails.
    page
      .evaluate(
        async (database, writer) => {
          const cache = await lab.openCache({ database });
          for (let k = 0; ; k++) {
            await lab.perform(cache, writer, k);
            await report(k);
          }
        },
        database,
        writer,
      )
      .catch(reject);
  });
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
  await kill();
  return completed;
}

// check tells which of two calls a new page finds to be the last, and checks that
// the cache works on.
async function check(page, writer, completed) {
  const { before, store, later, orphans } = await page.evaluate(async (database) => {
    const cache = await lab.openCache({ database });
    const before = [await lab.loaded(cache), await lab.orphans(cache, database)];
    const store = await lab.attempt(lab.perform(cache, 'after the kill', 0));
    return { before, store, later: await lab.loaded(cache), orphans: await lab.orphans(cache, database) };
  }, database);
  const [found, orphansBefore] = before;
  const last = JSON.stringify(found) === JSON.stringify(after(writer, completed + 1)) ? completed + 1 : completed;
  assert.deepEqual(found, after(writer, last), `calls up to ${completed} had been reported complete`);
  assert.deepEqual(
    { orphansBefore, store, later, orphans },
    { orphansBefore: 0, store: 'fulfilled', later: after('after the kill', 0), orphans: 0 },
  );
  return last - completed;
}

// renderers returns the process IDs of all renderers of a browser.
async function renderers(system) {
  const { processInfo } = await system.send('SystemInfo.getProcessInfo');
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
}

test('renderers are killed', async (t) => {
  const server = await startServer();
  const browser = await launch();
  t.after(async () => {
    await browser.close();
    await server.close();
  });
  const system = await browser.target().createCDPSession();
  let inFlight = 0;
  const times = torture ? 100 : 8;
  for (let i = 0; i < times; i++) {
    const page = await openPage(browser, server.origin);
    const crashed = once(page, 'error');
    const completed = await write(page, `writer ${i}`, async () => {
      const killed = await renderers(system);
      for (const id of killed) process.kill(id, 'SIGKILL');
      await crashed;
      // A spare one that the browser still takes for alive would get the next page.
      while ((await renderers(system)).some((id) => killed.includes(id)));
    });
    await page.close();
    const next = await openPage(browser, server.origin);
    inFlight += await check(next, `writer ${i}`, completed);
    await next.close();
  }
  t.diagnostic(`${times} kills; the call under way had taken effect in ${inFlight}`);
});

test('the browser is killed', async (t) => {
  const userDataDir = await mkdtemp(join(tmpdir(), 'netmapcache-kill-'));
  const server = await startServer();
  let browser;
  t.after(async () => {
    await browser?.close();
    await server.close();
    await rm(userDataDir, { recursive: true, maxRetries: 5 });
  });
  let inFlight = 0;
  const times = torture ? 30 : 3;
  for (let i = 0; i < times; i++) {
    browser = await launch({ userDataDir });
    const completed = await write(await openPage(browser, server.origin), `writer ${i}`, async () => {
      const exited = once(browser.process(), 'exit');
      browser.process().kill('SIGKILL');
      await exited;
    });
    browser = await launch({ userDataDir });
    inFlight += await check(await openPage(browser, server.origin), `writer ${i}`, completed);
    await browser.close();
  }
  t.diagnostic(`${times} kills; the call under way had taken effect in ${inFlight}`);
});
