// The package netmapcache-client in Chromium, in a window and in a worker, against a control server, a relay and native peers.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openClient, startPages } from './client-page.mjs';

const MB = 1 << 20;

let pages;
let tailnet;
let browser;

before(async () => ({ tailnet, browser } = pages = await startPages()));

after(() => pages?.close());

// open opens a page with a client, which is live and reaches the peer called web.
async function open(t, options) {
  const context = await browser.createBrowserContext();
  t.after(() => context.close());
  return openClient(context, tailnet.origin, options);
}

for (const worker of [false, true]) {
  const where = worker ? 'in a worker' : 'in a window';

  test(`it asks peers, ${where}`, async (t) => {
    const page = await open(t, { worker });
    const found = await page.evaluate(async () => {
      const response = await client.fetch('http://web/#top');
      const missing = await client.fetch('http://nobody/').catch(({ name, code, message }) => ({ name, code, message }));
      const { name } = client.state;
      const { latency, relay } = await client.ping('web');
      return {
        ping: latency > 0 && relay > 0,
        status: response.status, type: response.headers.get('Content-Type'), url: response.url, redirected: response.redirected, text: await response.text(), missing, name,
        peers: client.netmap.Peers.length,
      };
    });
    assert.match(found.text, /Hello from web/);
    assert.ok(found.ping, 'the peer answers a ping through a relay');
    assert.deepEqual([found.status, found.type, found.redirected, found.name], [200, 'text/html; charset=utf-8', false, 'live']);
    assert.deepEqual([found.missing.name, found.missing.code], ['ClientError', 'no-peer']);
    assert.ok(found.peers >= 10, `${found.peers} peers`);
  });

  test(`a connection carries bytes both ways and ends in halves, ${where}`, async (t) => {
    const page = await open(t, { worker });
    const found = await page.evaluate(async (size) => {
      const connection = await client.connect({ host: 'web', port: 7 });
      const sent = new Uint8Array(size).map((_, i) => i % 251);
      const writer = connection.writable.getWriter();
      const writing = (async () => {
        for (let at = 0; at < size; at += 50_000) await writer.write(sent.subarray(at, at + 50_000));
        await writer.close();
      })();
      const got = new Uint8Array(await new Response(connection.readable).arrayBuffer());
      await writing;
      await connection.closed;
      return { size: got.length, wrong: got.findIndex((byte, i) => byte !== i % 251) };
    }, MB);
    assert.deepEqual(found, { size: MB, wrong: -1 });
  });

  test(`attempts and reads are given up, ${where}`, async (t) => {
    const page = await open(t, { worker });
    const found = await page.evaluate(async () => {
      const reason = (promise) => promise.then(() => 'no error', (error) => error.code ?? error.message ?? error);
      const aborted = new AbortController();
      aborted.abort('before');
      const during = new AbortController();
      const dialing = reason(client.connect({ host: 'web', port: 7, signal: during.signal }));
      during.abort('during');
      const reading = new AbortController();
      const response = await client.fetch('http://web/', { signal: reading.signal });
      const refused = await reason(client.connect({ host: 'web', port: 8 }));
      const connection = await client.connect({ host: 'web', port: 19 });
      await connection.readable.cancel();
      await connection.writable.abort('enough');
      reading.abort('reading');
      return {
        before: await reason(client.fetch('http://web/', { signal: aborted.signal })), during: await dialing, refused,
        body: await reason(response.body.getReader().read()), closed: await reason(connection.closed),
      };
    });
    assert.deepEqual(found, { before: 'before', during: 'during', refused: 'refused', body: 'reading', closed: 'enough' });
  });
}

test('what is uploaded arrives, of every kind, and redirects are followed on one host alone', async (t) => {
  const page = await open(t, { worker: true });
  const found = await page.evaluate(async () => {
    const post = async (body, headers) => {
      const response = await client.fetch('http://web/', { method: 'POST', body, headers });
      return [response.headers.get('X-Content-Length'), response.headers.get('Content-Type')?.replace(/boundary=.*/, ''), (await response.arrayBuffer()).byteLength];
    };
    const form = new FormData();
    form.append('a', 'b');
    const chunks = [3, 5].map((size) => new Uint8Array(size));
    const stream = new ReadableStream({ pull: (c) => (chunks.length ? c.enqueue(chunks.pop()) : c.close()) });
    const broken = new ReadableStream({ pull: (c) => c.error(new Error('no more')) });
    const to = (target, redirect) => client.fetch(`http://web/redirect?to=${target}`, { redirect }).then(({ status, url, redirected }) => [status, url, redirected], ({ code }) => code);
    return {
      text: await post('text'), own: await post('text', { 'Content-Type': 'text/own' }), bytes: await post(new Uint8Array(100_000).subarray(1)), form: (await post(form)).slice(1, 2),
      stream: await post(stream), broken: await post(broken).catch(({ code }) => code), none: await post(undefined),
      get: await client.fetch('http://web/', { body: 'a' }).catch(({ code }) => code), relative: await client.fetch('/path').catch(({ code }) => code), head: await client.fetch('http://web/', { method: 'HEAD' }).then(({ status, body }) => [status, body]),
      here: await to('/there'), elsewhere: await to('http://outsider/'), manual: (await to('/there', 'manual'))[0], error: await to('/there', 'error'),
    };
  });
  assert.deepEqual(found, {
    text: ['4', 'text/plain;charset=UTF-8', 4], own: ['4', 'text/own', 4], bytes: ['99999', '', 99_999], form: ['multipart/form-data; '],
    stream: ['-1', '', 8], broken: 'network', none: ['0', '', 0], get: 'invalid-argument', relative: 'invalid-argument', head: [200, null],
    here: [200, 'http://web/there', true], elsewhere: 'redirect', manual: 302, error: 'redirect',
  });
});

test('a peer is reached while control is down, with the network map that was saved', async (t) => {
  const page = await open(t, { worker: true });
  await page.evaluate(() => client.close());
  await tailnet.ask('control', { up: false });
  t.after(() => tailnet.ask('control', { up: true }));
  const found = await page.evaluate(async () => {
    const states = [];
    const again = await startClient({ database: 'client', controlURL: location.origin, hostname: 'browser', ephemeral: false, worker: true });
    again.addEventListener('statechange', () => states.push(again.state.name));
    await until(again, () => again.state.name === 'saved');
    globalThis.client = again;
    return { text: await (await again.fetch('http://web/')).text(), states };
  });
  assert.match(found.text, /Hello from web/);
  assert.ok(!found.states.includes('live'), String(found.states));
  await tailnet.ask('control', { up: true });
  await page.evaluate(() => {
    client.retry();
    return until(client, () => client.state.name === 'live');
  });
});

test('a database has one control server, and the next client runs when one has ended', async (t) => {
  const page = await open(t, { worker: true });
  const found = await page.evaluate(async () => {
    const options = { database: 'client', controlURL: location.origin, hostname: 'browser', ephemeral: false };
    const second = await startClient({ ...options, controlURL: 'https://control.example.com' }).catch(({ code }) => code);
    await client.close();
    const { name } = client.state;
    const late = await client.fetch('http://web/').catch(({ code }) => code);
    const third = await startClient(options);
    await third.close();
    return { second, name, late };
  });
  assert.deepEqual(found, { second: 'in-use', name: 'stopped', late: 'closed' });
});

test('wrong options are refused', async (t) => {
  const context = await browser.createBrowserContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(tailnet.origin);
  const all = { database: 'a', controlURL: 'https://control.example.com', hostname: 'b' };
  for (const [options, wanted] of [
    [undefined, /database is missing/], [{ ...all, database: '' }, /database is missing/], [{ ...all, hostname: 3 }, /hostname is missing/],
    [{ ...all, authkey: 'x' }, /no option authkey/], [{ ...all, ephemeral: 'no' }, /ephemeral is a string/], [{ ...all, controlURL: 'ftp://a' }, /controlURL/], [{ ...all, controlURL: 'control' }, /controlURL/],
  ]) {
    const { code, message } = await page.evaluate((options) => startClient(options).catch(({ code, message }) => ({ code, message })), options);
    assert.equal(code, 'invalid-argument');
    assert.match(message, wanted);
  }
});
