// The moment that the cache is for: a browser starts while the control plane is down, and reaches a
// peer all the same. Tailscale's own client in Chromium, its own control server, relay and native peers. Run
// by `make test-resume-page`.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { launch } from './browser.mjs';
import { answer, askAtOnce, device, inMode, inState, joined, keptOffline, openPeer, patience, saved, setControl, text } from './page.mjs';
import { startTailnet } from './tailnet.mjs';

// Rig is a tailnet and a browser profile that outlives browsers.
class Rig {
  static async start(peers) {
    const rig = new Rig();
    rig.profile = await mkdtemp(join(tmpdir(), 'netmapcache-resume-'));
    Object.assign(rig, await startTailnet('-churn', '0', '-peers', String(peers)));
    return rig;
  }

  async close() {
    await this.browser?.close();
    this.server.kill('SIGINT');
    await once(this.server, 'exit');
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }

  // open opens the page in a new process of the browser, and prepares it before.
  async open(prepare = () => {}) {
    await this.browser?.close();
    this.browser = await launch({ userDataDir: this.profile });
    const page = await this.browser.newPage();
    await prepare(page);
    await page.goto(this.origin);
    return page;
  }

  // answered returns how many requests the control plane has answered so far.
  async answered() {
    return (await this.ask('control')).answered;
  }
}

const steps = (page) => page.$$eval('#timeline li', (items) => Object.fromEntries(items.map(({ dataset }) => [dataset.step, Number(dataset.ms)])));

for (const peers of [300, 1000]) {
  describe(`with ${peers} peers`, () => {
    let rig;
    let page;
    let key;
    after(() => rig?.close());

    test('online, the page opens a peer', async () => {
      rig = await Rig.start(peers);
      page = await rig.open();
      await inState(page, 'live');
      await saved(page);
      key = (await device(page))['Node key'];
      await joined(page);
      const { html, note } = await openPeer(page, 'http://web/');
      assert.match(html, /Hello from web/, note);
      await keptOffline(page);
    });

    test('with control down, a new browser process shows the saved network and opens the peer', async () => {
      await rig.ask('control', { up: false });
      await inMode(page, 'offline');
      await saved(page);
      const answered = await rig.answered();
      page = await rig.open((page) => askAtOnce(page, 'http://web/'));
      const { html, note } = await answer(page);
      assert.match(html, /Hello from web/, note);
      assert.equal(await rig.answered(), answered, 'control answered nothing meanwhile');
      assert.equal(await page.$eval('body', (body) => body.dataset.state), 'cached');
      assert.equal((await device(page))['Node key'], key);
      const { restored, 'peer answered': first, 'control live': live } = await steps(page);
      assert.ok(restored <= first && live === undefined, 'from the cache');
    });

    test('the cached packet filter lets one peer in, and not the other', async () => {
      const to = `${(await device(page)).IPv4}:80`;
      assert.deepEqual(await rig.ask('dial', { from: 'web', to }), { outcome: 'accepted' });
      assert.deepEqual(await rig.ask('dial', { from: 'outsider', to }), { outcome: 'dropped' });
    });

    test('with control up it is live again with the same key, and a change is kept', async () => {
      await rig.ask('control', { up: true });
      await inState(page, 'live');
      assert.equal((await device(page))['Node key'], key);
      const { html, note } = await openPeer(page, 'http://web/');
      assert.match(html, /Hello from web/, note);
      await saved(page);
      const { generation, deltas } = await page.$eval('body', (body) => ({ ...body.dataset }));
      await rig.ask('network', { churn: 200 });
      await page.waitForFunction(
        (generation, deltas) => Number(document.body.dataset.generation) > generation && Number(document.body.dataset.deltas) > deltas,
        patience,
        Number(generation),
        Number(deltas),
      );
    });
  });
}

describe('refused', () => {
  let rig;
  after(() => rig?.close());

  test('a node whose key has expired, until the user signs in again', async () => {
    rig = await Rig.start(30);
    let page = await rig.open();
    await inState(page, 'live');
    await joined(page);
    const before = await device(page);
    await rig.ask('expire', {});
    await inMode(page, 'expired');
    await saved(page);

    await rig.ask('control', { up: false });
    page = await rig.open();
    await inMode(page, 'expired');
    assert.match(await text(page, 'headline'), /key has expired/);
    const { state, note } = await openPeer(page, 'http://web/');
    assert.equal(state, 'failed');
    assert.match(note, /sign in/);

    await page.focus('#sign-in');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.getElementById('detail').textContent.includes('can’t be reached'), patience);
    await setControl(page, true);
    await inState(page, 'live');
    assert.equal(await page.$eval('#login-again', (shown) => shown.hidden), true);
    const after = await device(page);
    assert.notEqual(after['Node key'], before['Node key']);
    assert.equal(after.IPv4, before.IPv4, 'it is the same node');
    const again = await openPeer(page, 'http://web/');
    assert.match(again.html, /Hello from web/, again.note);
    await saved(page);
    await rig.ask('control', { up: false });
    await inMode(page, 'offline');
  });

  test('the network map of another owner', async () => {
    const page = await rig.open();
    await inState(page, 'cached');
    await page.evaluate(async () => {
      const { openCache } = await import('/netmapcache.js');
      const mine = await openCache({ database: 'network', owner: location.origin });
      const netmap = { ...(await mine.load()), Cached: false };
      const foreign = await openCache({ database: 'network', owner: 'http://other.example' });
      await foreign.store(netmap);
    });
    const again = await rig.open((page) => askAtOnce(page, 'http://web/'));
    await inState(again, 'empty');
    await again.waitForSelector('#timeline li[data-step=started]', patience);
    assert.equal((await answer(again)).state, 'failed');
    assert.equal(await again.$eval('#reach', (reach) => reach.checkVisibility()), false, 'there is nothing to open');
    assert.equal((await steps(again)).restored, undefined);
  });
});
