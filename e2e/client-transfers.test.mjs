// What the package netmapcache-client transfers, in Chromium, from and to a native peer through a relay: much of it, slowly, many at once, with
// either end or the relay going away, given up at every step; and what is held then.
//
//   [TORTURE=1] node --test client-transfers.test.mjs

/* global abort, check, connection, down, more, post, posting, reading, response, up, writing */

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { held, openClient, startPages, still, until } from './client-page.mjs';

const torture = Boolean(process.env.TORTURE);
const MB = 1_000_000;
const size = (torture ? 100 : 5) * MB;
const uploaded = (torture ? 1000 : 32) * MB; // from a stream
const body = torture ? 1000 * MB : 16 * MB; // of a response
const connections = torture ? 1000 : 100;
const heldMost = 8 * MB;

let pages;
let page; // with a client in a worker, for all tests that don't say otherwise
let traffic; // of the peer, when a test begins

before(async () => {
  pages = await startPages();
  page = await openClient(await pages.browser.createBrowserContext(), pages.tailnet.origin);
});

beforeEach(async () => (traffic = await peer()));

after(() => pages?.close());

const peer = async () => (await pages.tailnet.ask('peer')).web;

// quiet waits until the peer has no more connections than when the test began, besides those that wait for another request.
const quiet = (idle = 0) => until('the peer to be told of the end', peer, ({ conns }) => conns <= traffic.conns + idle);
const idle = 2; // which Go's client keeps of a host

for (const worker of [false, true]) {
  test(`bytes arrive as they were sent, both ways, ${worker ? 'in a worker' : 'in a window'}`, async (t) => {
    const context = await pages.browser.createBrowserContext();
    t.after(() => context.close());
    const own = await openClient(context, pages.tailnet.origin, { worker });
    const found = await own.evaluate(async (size) => {
      const down = await client.connect({ host: 'web', port: lab.port.pattern });
      const check = await new lab.Check(down.readable).until(size);
      await check.cancel();
      await down.writable.abort();
      const up = await client.connect({ host: 'web', port: lab.port.check });
      await lab.write(up.writable, size);
      const told = await new Response(up.readable).text();
      await up.closed;
      return { wrong: check.wrong, enough: check.size >= size, told };
    }, size);
    assert.deepEqual(found, { wrong: -1, enough: true, told: String(size) });
    await quiet();
  });
}

test('a reader that stops is sent no more than it can hold, and reads on', async (t) => {
  await page.evaluate(async (size) => void (await (await client.fetch(`http://web/pattern?size=${size}`)).arrayBuffer()), size); // which takes some too
  const { memory } = await held(page);
  const before = await peer();
  const read = await page.evaluate(async (size) => {
    globalThis.connection = await client.connect({ host: 'web', port: lab.port.pattern });
    globalThis.check = await new lab.Check(connection.readable).until(size);
    return check.size;
  }, size / 2);
  const sent = await still(async () => (await peer()).sent);
  const waiting = sent - before.sent - read;
  const grown = (await held(page)).memory - memory;
  t.diagnostic(`${waiting} bytes were on their way, and memory has grown by ${grown}`);
  assert.ok(waiting > 0 && waiting < heldMost, `${waiting} bytes are on their way`);
  assert.ok(grown < heldMost, `memory has grown by ${grown} bytes`);
  const found = await page.evaluate(async (size) => {
    await check.until(size);
    await check.cancel();
    await connection.writable.abort();
    return check.wrong;
  }, read + waiting + MB);
  assert.equal(found, -1);
  if (torture) await quiet(); // the peer, which sends, is told by a time limit of the network stack, a minute later
});

test('a writer whose peer stops waits, one large piece or many', async (t) => {
  const { memory } = await held(page);
  for (const large of [false, true]) {
    await page.evaluate(async (large) => {
      globalThis.connection = await client.connect({ host: 'web', port: lab.port.pattern }); // which reads nothing
      globalThis.written = 0;
      const writer = connection.writable.getWriter();
      const piece = new Uint8Array(large ? 1e8 : 1e5);
      const write = async () => {
        for (;;) {
          await writer.write(piece);
          globalThis.written += piece.length;
        }
      };
      globalThis.writing = lab.reason(write());
      globalThis.abort = (reason) => writer.abort(reason);
    }, large);
    const written = await still(() => page.evaluate(() => globalThis.written));
    const grown = (await held(page)).memory - memory;
    t.diagnostic(`${written} bytes were taken, and memory has grown by ${grown}`);
    assert.ok(written < heldMost, `${written} bytes were taken`);
    assert.ok(grown < heldMost, `memory has grown by ${grown} bytes`);
    const found = await page.evaluate(async () => {
      await abort('enough');
      return [await writing, await lab.reason(connection.closed)];
    });
    assert.deepEqual(found, ['enough', 'enough']);
    await quiet();
  }
});

test('many connections at once carry bytes both ways', async () => {
  const wrong = await page.evaluate(async (size) => {
    const one = async () => {
      const { readable, writable, closed } = await client.connect({ host: 'web', port: lab.port.echo });
      const writing = lab.write(writable, size);
      const check = await new lab.Check(readable).until();
      await writing;
      await closed;
      return check.size === size && check.wrong === -1;
    };
    const all = await Promise.all(Array.from({ length: 100 }, one));
    return all.filter((right) => !right).length;
  }, size / 100);
  assert.equal(wrong, 0);
  await quiet();
});

test('either end ends its half, and the other goes on', async () => {
  const found = await page.evaluate(async (size) => {
    const { readable, writable, closed } = await client.connect({ host: 'web', port: lab.port.closing });
    const { done } = await readable.getReader().read();
    const early = await Promise.race([closed.then(() => 'closed'), 'open']);
    await lab.write(writable, size);
    await closed;
    return { done, early };
  }, MB);
  assert.deepEqual(found, { done: true, early: 'open' });
  const { received } = await quiet();
  assert.equal(received - traffic.received, MB);
});

test('a connection that the peer resets, or refuses, says so', async () => {
  const found = await page.evaluate(async () => {
    const { readable, writable, closed } = await client.connect({ host: 'web', port: lab.port.reset });
    const reader = readable.getReader();
    const reading = lab.reason(reader.read());
    const writing = lab.reason(lab.write(writable, 1e9));
    return {
      reading: await reading, writing: await writing, closed: await lab.reason(closed),
      again: await lab.reason(reader.read()),
      connect: await lab.reason(client.connect({ host: 'web', port: lab.port.nobody })), fetch: await lab.reason(client.fetch(`http://web:${lab.port.nobody}/`)),
    };
  });
  assert.deepEqual(found, { reading: 'reset', writing: 'reset', closed: 'reset', again: 'reset', connect: 'refused', fetch: 'refused' });
  await quiet();
});

test('a connection is given up at every step', async () => {
  const found = await page.evaluate(async () => {
    const silent = client.netmap.Peers.find(({ Name, IsWireGuardOnly }) => !IsWireGuardOnly && !/^(web|outsider)\./.test(Name)).Name;
    const given = new AbortController();
    given.abort('given up');
    const dialing = new AbortController();
    const attempt = lab.reason(client.connect({ host: silent, port: 7, signal: dialing.signal }));
    await client.ping('web');
    dialing.abort('dialing');
    const result = { before: await lab.reason(client.connect({ host: 'web', port: 7, signal: given.signal })), dialing: await attempt };

    const reading = await client.connect({ host: 'web', port: lab.port.echo });
    const reader = reading.readable.getReader();
    const read = reader.read();
    await reader.cancel('reading');
    result.reading = await read;
    await reading.writable.close(); // the other half goes on
    await reading.closed;

    const both = await client.connect({ host: 'web', port: lab.port.echo });
    const pending = lab.reason(both.readable.getReader().read());
    await both.writable.abort('writing');
    Object.assign(result, { writing: await lab.reason(both.closed), pending: await pending });

    // At once, and while the answer is on its way.
    const outcomes = new Set();
    for (let i = 0; i < 50; i++) {
      const late = new AbortController();
      const connecting = client.connect({ host: 'web', port: 7, signal: late.signal });
      setTimeout(() => late.abort('late'), i);
      try {
        const { readable, writable } = await connecting;
        await Promise.all([readable.cancel(), writable.abort()]);
        if (late.signal.aborted) outcomes.add('connected after all');
      } catch (error) {
        if (error !== 'late') outcomes.add(String(error));
      }
    }
    return { ...result, outcomes: [...outcomes] };
  });
  assert.deepEqual(found, { before: 'given up', dialing: 'dialing', reading: { done: true }, writing: 'writing', pending: 'writing', outcomes: [] });
  await quiet();
});

test('a tab that dies in the middle of a transfer leaves the client to the next', async (t) => {
  const context = await pages.browser.createBrowserContext();
  t.after(() => context.close());
  for (const end of ['close', 'crash', 'reload']) {
    const first = await openClient(context, pages.tailnet.origin);
    await first.evaluate(async (size) => {
      const { readable } = await client.connect({ host: 'web', port: lab.port.pattern });
      globalThis.check = await new lab.Check(readable).until(size);
      check.until();
    }, MB);
    if (end === 'close') await first.close();
    if (end === 'crash') {
      await first.goto('chrome://crash').catch(() => {});
      await first.close();
    }
    if (end === 'reload') await first.reload();
    const second = end === 'reload' ? first : await context.newPage();
    if (end !== 'reload') await second.goto(pages.tailnet.origin);
    const found = await second.evaluate(async () => {
      const client = await startClient({ database: 'client', controlURL: location.origin, hostname: 'browser', ephemeral: false, worker: true }).catch(({ code }) => code);
      if (typeof client === 'string') return client;
      await until(client, () => client.state.name === 'live');
      const text = await (await client.fetch('http://web/')).text();
      await client.close();
      return text;
    });
    assert.match(found, /Hello from web/, end);
    await second.close();
  }
});

test('a body is streamed, whatever its size', async (t) => {
  const { memory } = await held(page);
  const read = await page.evaluate(async (size, first) => {
    globalThis.response = await client.fetch(`http://web/pattern?size=${size}`);
    globalThis.check = await new lab.Check(response.body).until(first);
    return check.size;
  }, body, MB);
  const waiting = (await peer()).sent - traffic.sent - read;
  assert.ok(waiting < heldMost, `${waiting} bytes were sent before anyone asked for them`);
  const found = await page.evaluate(async () => {
    await check.until();
    return { length: response.headers.get('Content-Length'), size: check.size, wrong: check.wrong };
  });
  assert.deepEqual(found, { length: String(body), size: body, wrong: -1 });
  const grown = (await held(page)).memory - memory;
  t.diagnostic(`memory has grown by ${grown} bytes`);
  assert.ok(grown < heldMost, `memory has grown by ${grown} bytes`);
  await quiet(idle);
});

test('a body that nobody reads waits at the peer', async () => {
  const found = await page.evaluate(async () => {
    globalThis.response = await client.fetch('http://web/pattern?size=1000000000');
    return response.status;
  });
  assert.equal(found, 200);
  const sent = await still(async () => (await peer()).sent);
  assert.ok(sent - traffic.sent < heldMost, `${sent - traffic.sent} bytes are on their way`);
  await page.evaluate(() => response.body.cancel());
  await quiet(idle);
});

test('uploads are streamed, from pieces that stay the application’s', async (t) => {
  const found = await page.evaluate(async (size) => {
    globalThis.post = async (path, body) => {
      const response = await client.fetch(`http://web/${path}`, { method: 'POST', body });
      return response.text();
    };
    const large = lab.piece(0, size);
    return {
      bytes: await post('check', large), one: await post('check', new ReadableStream({ start: (c) => void (c.enqueue(large), c.close()) })),
      again: await post('redirect?to=/check&code=307', large.subarray(0, 1e6)), text: await lab.reason(post('check', new ReadableStream({ start: (c) => void (c.enqueue('text'), c.close()) }))),
      kept: large.length,
    };
  }, size);
  assert.deepEqual(found, { bytes: String(size), one: String(size), again: String(MB), text: 'network', kept: size });
  const { memory } = await held(page);
  const before = await peer();
  await page.evaluate((size, first) => {
    const more = new Promise((resolve) => (globalThis.more = resolve));
    globalThis.posting = post('check', lab.patternStream(size, (at) => (at < first ? undefined : more)));
  }, uploaded, MB);
  await until('what there is before the rest', peer, ({ received }) => received - before.received > MB / 2);
  assert.equal(await page.evaluate(() => (more(), posting)), String(uploaded));
  const grown = (await held(page)).memory - memory;
  t.diagnostic(`memory has grown by ${grown} bytes`);
  assert.ok(grown < heldMost, `memory has grown by ${grown} bytes`);
  await quiet(idle);
});

test('an upload that the peer doesn’t want, or nobody any more, is told so', async () => {
  const found = await page.evaluate(async () => {
    const upload = (path, signal) => {
      let told;
      const given = new Promise((resolve) => (told = resolve));
      let pulls = 0;
      const body = new ReadableStream({
        pull: (c) => (pulls++ < 3 ? c.enqueue(new Uint8Array(1000)) : new Promise(() => {})),
        cancel: () => told('told'),
      });
      return { given, answered: client.fetch(`http://web/${path}`, { method: 'POST', body, signal }) };
    };
    const early = upload('early');
    const response = await early.answered;
    await response.text();
    const giving = new AbortController();
    const never = upload('check', giving.signal);
    const reason = lab.reason(never.answered);
    await client.ping('web');
    giving.abort('given up');
    const broken = new ReadableStream({ pull: (c) => c.error(null) });
    return { status: response.status, given: [await early.given, await never.given], reason: await reason, broken: await lab.reason(client.fetch('http://web/check', { method: 'POST', body: broken })) };
  });
  assert.deepEqual(found, { status: 413, given: ['told', 'told'], reason: 'given up', broken: 'network' });
  await quiet(idle);
});

test('redirects, statuses, names that nobody has', async () => {
  const found = await page.evaluate(async () => {
    const to = async (url, redirect, init) => {
      const response = await client.fetch(url, { redirect, ...init });
      await response.body?.cancel();
      return [response.status, new URL(response.url).pathname, response.redirected];
    };
    const lead = 'http://web/redirect?to=/there';
    const name = (url) => lab.reason(client.fetch(url));
    const answers = {};
    for (const code of [200, 204, 304, 404, 500, 599]) answers[code] = (await to(`http://web/status?code=${code}`))[0];
    return {
      follow: await to(lead, 'follow'), manual: await to(lead, 'manual'), error: await lab.reason(to(lead, 'error')), post: await to(lead, 'follow', { method: 'POST', body: 'a' }),
      loop: await lab.reason(to('http://web/redirect?to=/redirect?to=/redirect', 'follow')), out: await lab.reason(to('http://web/redirect?to=https://example.com/')),
      answers, unknown: await name('http://web/status?code=700'), text: await (await client.fetch('http://web/status?code=404')).text(),
      nobody: await name('http://nobody/'), outside: await name('http://example.com/'), address: await name('http://192.0.2.1/'), empty: await name('http:///'), scheme: await name('ftp://web/'), port: await name('http://web:0/'),
    };
  });
  assert.deepEqual(found, {
    follow: [200, '/there', true], manual: [302, '/redirect', false], error: 'redirect', post: [200, '/there', true],
    loop: 'no error', out: 'redirect',
    answers: { 200: 200, 204: 204, 304: 304, 404: 404, 500: 500, 599: 599 }, unknown: 'failed', text: 'code=404\n',
    nobody: 'no-peer', outside: 'no-peer', address: 'no-peer', empty: 'invalid-argument', scheme: 'invalid-argument', port: 'refused',
  });
});

test('a server that never answers is left, and a body in the middle', async () => {
  const found = await page.evaluate(async () => {
    const controller = new AbortController();
    const asking = lab.reason(client.fetch('http://web/never', { signal: controller.signal }));
    const early = await Promise.race([asking, client.ping('web').then(() => 'waits')]);
    controller.abort('enough');
    const inMiddle = new AbortController();
    const response = await client.fetch('http://web/pattern?size=1000000000', { signal: inMiddle.signal });
    const check = await new lab.Check(response.body).until(1e6);
    const reading = lab.reason(check.until());
    inMiddle.abort('in the middle');
    const outcomes = new Set();
    for (let i = 0; i < 50; i++) {
      const late = new AbortController();
      setTimeout(() => late.abort('late'), i);
      const read = client.fetch('http://web/pattern?size=1000000000', { signal: late.signal }).then(({ body }) => new lab.Check(body).until());
      outcomes.add(await lab.reason(read));
    }
    return { early, asking: await asking, reading: await reading, outcomes: [...outcomes], timeout: await lab.reason(client.fetch('http://web/never', { signal: AbortSignal.timeout(500) }).catch(({ name }) => Promise.reject(name))) };
  });
  assert.deepEqual(found, { early: 'waits', asking: 'enough', reading: 'in the middle', outcomes: ['late'], timeout: 'TimeoutError' });
  await quiet(idle);
});

test('nothing is left of connections that have ended, in whatever way', async (t) => {
  const ways = ['echo', 'abort', 'refused', 'reset', 'upload', 'leave'];
  const run = (count) => page.evaluate(async (count, ways) => {
    const nothing = () => {};
    const one = {
      async echo() {
        const { readable, writable, closed } = await client.connect({ host: 'web', port: lab.port.echo });
        await Promise.all([lab.write(writable, 1000), new lab.Check(readable).until()]);
        await closed;
      },
      async abort() {
        const { readable, writable } = await client.connect({ host: 'web', port: lab.port.echo });
        readable.getReader().read().catch(nothing);
        await writable.abort();
      },
      refused: () => lab.reason(client.connect({ host: 'web', port: lab.port.nobody })),
      async reset() {
        const { readable, writable, closed } = await client.connect({ host: 'web', port: lab.port.reset });
        lab.reason(lab.write(writable, 1e5));
        await lab.reason(new lab.Check(readable).until());
        await lab.reason(closed);
      },
      upload: async () => (await client.fetch('http://web/check', { method: 'POST', body: lab.patternStream(1000) })).text(),
      async leave() {
        const controller = new AbortController();
        const asking = lab.reason(client.fetch('http://web/never', { method: 'POST', body: lab.patternStream(1000), signal: controller.signal }));
        await new Promise((resolve) => setTimeout(resolve));
        controller.abort();
        await asking;
      },
    };
    for (let done = 0; done < count;) {
      const some = Array.from({ length: Math.min(20, count - done) }, (_, i) => one[ways[(done + i) % ways.length]]());
      await Promise.all(some);
      done += some.length;
    }
  }, count, ways);
  await run(connections);
  await quiet(idle);
  // The network stack remembers each for a minute, in about 10 kB.
  if (torture) await new Promise((resolve) => setTimeout(resolve, 65_000));
  const before = await held(page);
  await run(connections);
  await quiet(idle);
  // Values go when Go collects garbage, which it does as it works.
  const now = await until('what was held to be let go', async () => {
    await page.evaluate(async () => (await client.fetch('http://web/pattern?size=3000000')).arrayBuffer());
    return held(page);
  }, ({ ports, values }) => ports <= before.ports && values < before.values + connections / 4);
  t.diagnostic(`before ${JSON.stringify(before)}, now ${JSON.stringify(now)}`);
  assert.ok(now.memory - before.memory < heldMost, `memory has grown by ${now.memory - before.memory} bytes`);
});

// fresh has a tailnet of its own in the place of the others' until the test ends.
async function fresh(t) {
  const others = [pages, page, traffic];
  t.after(async () => {
    await pages.close();
    [pages, page, traffic] = others;
  });
  pages = await startPages();
  page = await openClient(await pages.browser.createBrowserContext(), pages.tailnet.origin);
  traffic = await peer();
}

test('the relay is started anew, and bytes go on', async (t) => {
  await fresh(t);
  await page.evaluate(async (size) => {
    globalThis.down = await client.connect({ host: 'web', port: lab.port.pattern });
    globalThis.check = await new lab.Check(down.readable).until(size);
    globalThis.up = await client.connect({ host: 'web', port: lab.port.check });
    globalThis.writing = lab.write(up.writable, 10 * size, (at) => (globalThis.sent = at));
  }, MB);
  await until('the first bytes', () => page.evaluate(() => globalThis.sent), (sent) => sent > MB);
  await pages.tailnet.ask('relay', { up: false });
  await pages.tailnet.ask('relay', { up: true });
  const found = await page.evaluate(async (size) => {
    await writing;
    const told = await new Response(up.readable).text();
    await check.until(check.size + size);
    await check.cancel();
    await down.writable.abort();
    return { told, wrong: check.wrong };
  }, 4 * MB);
  assert.deepEqual(found, { told: String(10 * MB), wrong: -1 });
});

test('a peer that is gone keeps who waits for it until that gives up, and is reached after its return', async (t) => {
  await fresh(t);
  await page.evaluate(async (size) => {
    globalThis.down = await client.connect({ host: 'web', port: lab.port.pattern });
    globalThis.check = await new lab.Check(down.readable).until(size);
    globalThis.reading = lab.reason(check.until());
  }, MB);
  await pages.tailnet.ask('peer', { name: 'web', up: false });
  const gone = await page.evaluate(async () => {
    const asking = new AbortController();
    const answer = lab.reason(client.fetch('http://web/', { signal: asking.signal }));
    await lab.reason(client.ping('web', { signal: AbortSignal.timeout(3000) })); // in vain
    asking.abort('no patience');
    await down.writable.abort('no patience');
    return [await answer, await reading];
  });
  assert.deepEqual(gone, ['no patience', 'no patience']);
  await pages.tailnet.ask('peer', { name: 'web', up: true });
  const back = await page.evaluate(async () => {
    while (await lab.reason(client.ping('web')) !== 'no error');
    const text = await (await client.fetch('http://web/')).text();
    return text;
  });
  assert.match(back, /Hello from web/);
});
