// Clients of netmapcache-client on one database in several tabs: one runs the program, the others follow it, and one of them takes over.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { startPages } from './client-page.mjs';

const made = 10; // peers that startPages makes up
const native = 2; // web and outsider, which join beside

let pages;
let tailnet;
let browser;

before(async () => ({ tailnet, browser } = pages = await startPages()));

after(() => pages?.close());

// open opens tabs one after the other, each with a client that is live. The first leads.
async function open(t, count) {
  const context = await browser.createBrowserContext();
  t.after(() => context.close());
  const tabs = [];
  while (tabs.length < count) {
    const tab = await context.newPage();
    await tab.goto(tailnet.origin);
    await tab.evaluate(async () => {
      globalThis.options = { database: 'client', controlURL: location.origin, hostname: 'browser', ephemeral: false, worker: true };
      globalThis.client = await startClient(options);
      globalThis.states = [];
      client.addEventListener('statechange', () => states.push(`${client.state.name} ${client.state.following}`));
      await until(client, () => client.state.name === 'live');
    });
    tabs.push(tab);
  }
  return tabs;
}

const follows = (tab) => tab.evaluate(() => client.state.following);

// leads waits until the client of a tab runs the program and is live again. It returns its node's key.
const leads = (tab) => tab.evaluate(async () => {
  await until(client, () => client.state.name === 'live' && !client.state.following);
  return client.netmap.SelfNode.Key;
});

// streams has a tab read from a connection of a peer that sends without end, and tell by what code that ends.
const streams = async (tab) => {
  await tab.evaluate(async () => {
    const { readable, closed } = await client.connect({ host: 'web', port: 19 });
    const reader = readable.getReader();
    await reader.read();
    const read = async () => {
      while (!(await reader.read()).done);
    };
    const code = (promise) => promise.then(() => 'no error', ({ name, code }) => `${name} ${code}`);
    globalThis.streamed = Promise.all([code(read()), code(closed)]);
  });
  return () => tab.evaluate(() => globalThis.streamed);
};

test('a follower has the network map, and what changes in it', async (t) => {
  const [leader, follower] = await open(t, 2);
  assert.deepEqual([await follows(leader), await follows(follower)], [false, true]);
  // The leader says what it has, whenever that changes, and the follower waits until it has the same.
  await leader.evaluate(() => {
    const channel = new BroadcastChannel('test');
    const say = () => channel.postMessage(client.netmap);
    client.addEventListener('netmapchange', say);
    channel.onmessage = say;
  });
  const same = (peers) => follower.evaluate((peers) => new Promise((resolve) => {
    const channel = new BroadcastChannel('test');
    let said;
    const look = () => client.netmap.Peers.length === peers && JSON.stringify(client.netmap) === JSON.stringify(said) && resolve();
    channel.onmessage = ({ data }) => look((said = data));
    client.addEventListener('netmapchange', look);
    channel.postMessage('what have you?');
  }), peers);
  await same(made + native);
  await tailnet.ask('network', { peers: 14 });
  await same(made + 4 + native);
  await tailnet.ask('network', { churn: 100 });
  await follower.evaluate((changes) => new Promise((resolve) => {
    client.addEventListener('netmapchange', () => --changes === 0 && resolve());
  }), 5);
  await tailnet.ask('network', { peers: made, churn: 0 }); // peers may have come or gone
  await same(made + native);
});

test('peers are searched and in order, in each tab', async (t) => {
  for (const tab of await open(t, 2)) {
    const found = await tab.evaluate(() => {
      const ids = client.peers().peers.map(({ ID }) => ID);
      const names = client.peers({ sort: 'name' }).peers.map(({ Name }) => Name.split('.')[0]);
      const { total, peers } = client.peers({ sort: 'name', offset: 2, limit: 3 });
      let wrong;
      try {
        client.peers({ sort: 'age' });
      } catch ({ code }) {
        wrong = code;
      }
      return { all: client.netmap.Peers.length, ids, names, total, some: peers.map(({ Name }) => Name.split('.')[0]), web: client.peers({ search: 'WEB linux' }).peers.map(({ Name }) => Name.split('.')[0]), none: client.peers({ search: 'web nobody' }).total, wrong };
    });
    assert.ok(found.all >= 10, `${found.all} peers`);
    assert.deepEqual([found.ids.length, found.total, found.none, found.wrong], [found.all, found.all, 0, 'invalid-argument']);
    assert.deepEqual(found.ids, found.ids.toSorted((a, b) => a - b));
    assert.deepEqual(found.names, found.names.toSorted(new Intl.Collator('en', { numeric: true }).compare));
    assert.deepEqual(found.some, found.names.slice(2, 5));
    assert.ok(found.web.includes('web'), String(found.web));
  }
});

test('a follower asks peers through the leader', async (t) => {
  const [, follower] = await open(t, 2);
  const found = await follower.evaluate(async (size) => {
    const code = (promise) => promise.then(() => 'no error', (error) => error.code ?? error);
    const text = await (await client.fetch('http://web/')).text();
    const chunks = [3, 5].map((size) => new Uint8Array(size));
    const body = new ReadableStream({ pull: (c) => (chunks.length ? c.enqueue(chunks.pop()) : c.close()) });
    const posted = (await (await client.fetch('http://web/', { method: 'POST', body })).arrayBuffer()).byteLength;
    const broken = await code(client.fetch('http://web/', { method: 'POST', body: new ReadableStream({ pull: (c) => c.error(new Error('no more')) }) }));
    const { readable, writable, closed } = await client.connect({ host: 'web', port: 7 });
    const sending = new Blob([new Uint8Array(size).map((_, i) => i % 251)]).stream().pipeTo(writable);
    const echoed = new Uint8Array(await new Response(readable).arrayBuffer());
    await Promise.all([sending, closed]);
    const { latency, relay } = await client.ping('web');
    return {
      text, posted, broken, echoed: [echoed.length, echoed.findIndex((byte, i) => byte !== i % 251)], pinged: latency > 0 && relay > 0,
      missing: await code(client.fetch('http://nobody/')), refused: await code(client.connect({ host: 'web', port: 8 })), following: client.state.following,
    };
  }, 1 << 20);
  assert.match(found.text, /Hello from web/);
  assert.deepEqual({ ...found, text: '' }, { text: '', posted: 8, broken: 'network', echoed: [1 << 20, -1], pinged: true, missing: 'no-peer', refused: 'refused', following: true });
});

test('a follower gives up what it asks', async (t) => {
  const [, follower] = await open(t, 2);
  const found = await follower.evaluate(async () => {
    const reason = (promise) => promise.then(() => 'no error', (error) => error.code ?? error);
    const during = new AbortController();
    const dialing = reason(client.connect({ host: 'web', port: 7, signal: during.signal }));
    during.abort('during');
    const reading = new AbortController();
    const response = await client.fetch('http://web/', { signal: reading.signal });
    reading.abort('reading');
    const { readable, writable, closed } = await client.connect({ host: 'web', port: 19 });
    await readable.cancel();
    await writable.abort('enough');
    const starting = new AbortController();
    const started = reason(startClient({ ...options, signal: starting.signal }));
    starting.abort('starting');
    return {
      before: await reason(client.ping('web', { signal: AbortSignal.abort('before') })), during: await dialing,
      body: await reason(response.body.getReader().read()), closed: await reason(closed), starting: await started, after: (await client.fetch('http://web/')).status,
    };
  });
  assert.deepEqual(found, { before: 'before', during: 'during', body: 'reading', closed: 'enough', starting: 'starting', after: 200 });
});

test('a follower takes over when the leader ends its client, with the same node', async (t) => {
  const [leader, follower, other] = await open(t, 3);
  const key = await leads(leader);
  const streamed = await Promise.all([follower, other].map(streams));
  await leader.evaluate(() => client.close());
  assert.deepEqual(await leader.evaluate(() => [client.state.name, client.state.error ?? 'no error']), ['stopped', 'no error']);
  assert.equal(await leads(follower), key);
  for (const ended of streamed) assert.deepEqual(await ended(), ['ClientError closed', 'ClientError closed']);
  await other.evaluate(() => until(client, () => client.state.name === 'live' && client.state.following));
  for (const tab of [follower, other]) {
    assert.equal((await tab.evaluate(() => states))[0].split(' ')[0], 'starting');
    assert.match(await tab.evaluate(async () => (await client.fetch('http://web/')).text()), /Hello from web/);
  }
  // The one that led may follow, and goes without a trace.
  await leader.evaluate(async () => {
    globalThis.client = await startClient(options);
    await client.close();
  });
  assert.equal(await other.evaluate(async () => (await client.fetch('http://web/')).status), 200);
});

const ways = {
  closed: (tab) => tab.close(),
  async killed(tab) {
    const crashed = once(tab, 'error');
    tab.goto('chrome://crash').catch(() => {});
    await crashed;
  },
};

for (const [way, go] of Object.entries(ways)) test(`a follower takes over when the tab of the leader is ${way}, and what was asked meanwhile is answered`, async (t) => {
  const [leader, follower, other] = await open(t, 3);
  const key = await leads(leader);
  const streamed = await Promise.all([follower, other].map(streams));
  await other.evaluate(() => {
    globalThis.asked = new Promise((resolve) => {
      client.addEventListener('statechange', () => resolve(client.fetch('http://web/').then(({ status }) => status)), { once: true });
    });
  });
  await go(leader);
  assert.equal(await leads(follower), key);
  assert.equal(await other.evaluate(() => globalThis.asked), 200);
  for (const ended of streamed) assert.deepEqual(await ended(), ['ClientError closed', 'ClientError closed']);
});

test('what a follower began ends with its tab', async (t) => {
  const [leader, follower] = await open(t, 2);
  await streams(follower);
  await leader.evaluate(() => {
    globalThis.ended = new Promise((resolve) => {
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (message, ...rest) {
        if (message.path?.[0] === 'end') resolve();
        return postMessage.call(this, message, ...rest);
      };
    });
  });
  await follower.close();
  await leader.evaluate(() => globalThis.ended);
});
