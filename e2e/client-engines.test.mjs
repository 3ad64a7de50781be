// The package netmapcache-client in Firefox and WebKitGTK, where they are installed: what its tests in Chromium show at length, once.
//
//   [TORTURE=1] node --test client-engines.test.mjs

/* global check, connection, progress */

import assert from 'node:assert/strict';

import { startSite, still, until } from './client-page.mjs';
import { testSteps } from './engines.mjs';

const torture = Boolean(process.env.TORTURE);
const MB = 1_000_000;
const size = (torture ? 20 : 2) * MB;
const patience = { timeout: 60_000 };

// start starts a client in a page, and waits until it is in a state.
async function start(page, state, options = {}, following = false) {
  await page.evaluate(async (options) => {
    await import('/start.js'); // which WebKitGTK may still be loading
    globalThis.lab = await import('/transfers.js');
    globalThis.progress = {};
    globalThis.client = await startClient({
      database: 'client', controlURL: location.origin, hostname: 'browser', ephemeral: false, worker: true, onProgress: (to) => (globalThis.progress = to), ...options,
    });
    globalThis.states = [client.state.name];
    client.addEventListener('statechange', () => states.push(client.state.name));
  }, options);
  await inState(page, state, following);
}

const inState = (page, state, following = false) => page.waitForFunction((state, following) => client.state.name === state && client.state.following === following, patience, state, following);
const close = (page) => page.evaluate(() => client.close());
const reach = (page) => page.evaluate(async () => (await client.fetch('http://web/')).text());
const nodeKey = (page) => page.evaluate(() => client.netmap.SelfNode.Key);

// echo sends so much of the pattern there and back, by each of some connections at once. It asserts that all comes back as it was.
async function echo(page, size, connections = 1) {
  const found = await page.evaluate(async (size, connections) => {
    const one = async () => {
      const { readable, writable, closed } = await client.connect({ host: 'web', port: lab.port.echo });
      const writing = lab.write(writable, size);
      const check = await new lab.Check(readable).until();
      await Promise.all([writing, closed]);
      return [check.size, check.wrong];
    };
    return Promise.all(Array.from({ length: connections }, one));
  }, size, connections);
  assert.deepEqual(found, Array.from({ length: connections }, () => [size, -1]));
}

// all returns the step in which a client does, in a window or in a worker, all that one can do alone.
const all = (worker) => async ({ browser, tailnet }) => {
  const page = await browser.open(tailnet.origin);
  await start(page, 'live', { database: `worker ${worker}`, worker });
  const found = await page.evaluate(async () => {
    const { total, peers } = client.peers({ search: 'web' });
    const answer = await client.fetch('http://web/');
    const { latency, relay } = await client.ping('web');
    const body = new ReadableStream({ start: (c) => void (c.enqueue(lab.piece(0, 300_000)), c.close()) });
    const upload = await client.fetch('http://web/check', { method: 'POST', body });
    const missing = await client.fetch('http://nobody/').catch(({ name, code }) => [name, code]);
    return {
      progress: progress.received > 0 && progress.received === progress.total, peers: client.netmap.Peers.length, found: [total, peers[0].Name.split('.')[0]],
      answer: [answer.status, answer.headers.get('Content-Type'), (await answer.text()).includes('Hello from web')], ping: latency >= 0 && relay > 0, upload: await upload.text(), missing,
    };
  });
  assert.deepEqual(found, {
    progress: true, peers: 12, found: [1, 'web'], answer: [200, 'text/html; charset=utf-8', true], ping: true, upload: '300000', missing: ['ClientError', 'no-peer'],
  });
  await echo(page, size);

  const received = async () => (await tailnet.ask('peer')).web.received;
  const before = await received();
  const halves = await page.evaluate(async (size) => {
    const { readable, writable, closed } = await client.connect({ host: 'web', port: lab.port.closing });
    const { done } = await readable.getReader().read();
    const early = await Promise.race([closed.then(() => 'closed'), 'open']);
    await lab.write(writable, size);
    await closed;
    return [done, early];
  }, MB);
  assert.deepEqual(halves, [true, 'open']);
  await until('the peer to have all', received, (now) => now - before === MB);

  const given = await page.evaluate(async () => {
    const asking = new AbortController();
    const answer = lab.reason(client.fetch('http://web/never', { signal: asking.signal }));
    await client.ping('web');
    asking.abort('asking');
    const reading = new AbortController();
    const { body } = await client.fetch('http://web/pattern?size=1000000000', { signal: reading.signal });
    const check = await new lab.Check(body).until(1e6);
    const rest = lab.reason(check.until());
    reading.abort('reading');
    const { readable, writable, closed } = await client.connect({ host: 'web', port: lab.port.pattern });
    const piece = lab.reason(new lab.Check(readable).until());
    await writable.abort('writing');
    const reset = await client.connect({ host: 'web', port: lab.port.reset });
    const written = lab.reason(lab.write(reset.writable, 1e9));
    const left = await Promise.all([answer, rest, piece, lab.reason(closed), written, lab.reason(reset.closed)]);
    return [...left, await lab.reason(client.connect({ host: 'web', port: lab.port.nobody }))];
  });
  assert.deepEqual(given, ['asking', 'reading', 'writing', 'writing', 'reset', 'reset', 'refused']);
  await close(page);
  assert.deepEqual(await page.evaluate(() => [client.state.name, client.state.error ?? null]), ['stopped', null]);
  await page.close();
};

// What each engine is put through, in this order. They share { browser, tailnet, page, key }.
const steps = {
  'does all in a window': all(false),
  'does all in a worker': all(true),

  async 'a page without control starts from what was saved'(it) {
    const first = await it.browser.open(it.tailnet.origin);
    await start(first, 'live');
    it.key = await nodeKey(first);
    await close(first);
    await first.close();
    await it.tailnet.ask('control', { up: false });
    it.page = await it.browser.open(it.tailnet.origin);
    await start(it.page, 'saved');
    assert.match(await reach(it.page), /Hello from web/);
    await echo(it.page, MB / 10);
    assert.deepEqual(await it.page.evaluate(() => [client.netmap.SelfNode.Key, client.netmap.Peers.length, states.includes('live')]), [it.key, 12, false]);
  },

  async 'control returns to the same client'({ tailnet, page, key }) {
    await tailnet.ask('control', { up: true });
    await inState(page, 'live');
    assert.equal(await nodeKey(page), key);
    assert.match(await reach(page), /Hello from web/);
    assert.deepEqual(await page.evaluate(() => states.filter((name) => name === 'starting' || name === 'stopped')), []);
  },

  async 'a second tab follows the first, and takes over'(it) {
    const second = await it.browser.open(it.tailnet.origin);
    await start(second, 'live', {}, true);
    assert.deepEqual(await second.evaluate(() => [client.netmap.SelfNode.Key, client.netmap.Peers.length]), [it.key, 12]);
    assert.match(await reach(second), /Hello from web/);
    await echo(second, MB / 10);
    await it.page.close();
    it.page = second;
    await inState(second, 'live');
    assert.equal(await nodeKey(second), it.key);
    assert.match(await reach(second), /Hello from web/);
  },

  async 'control is told of a logout, and the next start is a new node'({ tailnet, page, key }) {
    const before = await tailnet.ask('admission');
    await page.evaluate(() => client.logout());
    assert.equal((await tailnet.ask('admission')).registrations, before.registrations + 1);
    await close(page);
    await start(page, 'live');
    assert.notEqual(await nodeKey(page), key);
  },
};

if (torture) {
  steps['a reader that stops is sent no more than it can hold, and reads on'] = async ({ tailnet, page }) => {
    const sent = async () => (await tailnet.ask('peer')).web.sent;
    const before = await sent();
    const read = await page.evaluate(async (size) => {
      globalThis.connection = await client.connect({ host: 'web', port: lab.port.pattern });
      globalThis.check = await new lab.Check(connection.readable).until(size);
      return check.size;
    }, MB);
    const waiting = await still(sent) - before - read;
    assert.ok(waiting > 0 && waiting < 8 * MB, `${waiting} bytes are on their way`);
    const wrong = await page.evaluate(async (size) => {
      await check.until(size);
      await check.cancel();
      await connection.writable.abort();
      return check.wrong;
    }, read + waiting + MB);
    assert.equal(wrong, -1);
  };

  steps['many connections at once carry bytes both ways'] = async ({ page }) => {
    await echo(page, MB / 10, 100);
  };
}

testSteps(steps, async () => {
  const tailnet = await startSite();
  return { tailnet, server: tailnet.server };
});
