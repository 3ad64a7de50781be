// Attacks the page in Chromium: by the names of peers, by code put into it, and from pages of other origins.
// Needs what `make run` needs: the page's files and programs in dist/.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch } from './browser.mjs';
import { serve } from './serve.mjs';
import { frames, inState, joined, openPeer, patience, peers as peersOf } from './page.mjs';
import { startTailnet } from './tailnet.mjs';


const policy = {
  'default-src': "'none'",
  'script-src': "'self' 'wasm-unsafe-eval'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'worker-src': "'self'",
  'manifest-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

let server;
let origin;
let browser;
let page; // the page of the reference client
const dialogs = []; // what a script that ran would have opened

before(async () => {
  ({ server, origin } = await startTailnet('-peers', '60', '-native=false', '-churn', '0', '-hostile-names'));
  browser = await launch();
  page = await openPage();
});

after(async () => {
  await browser?.close();
  server?.kill('SIGINT');
});

// openPage opens an empty tab that notes dialogs, and violations of the policy.
async function openPage() {
  const page = await browser.newPage();
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    dialog.dismiss();
  });
  await page.evaluateOnNewDocument(() => {
    globalThis.violations = [];
    addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective), true);
  });
  return page;
}

const violations = (page) => page.evaluate(() => globalThis.violations);

// ask sends a request with any headers, which browsers and fetch don't let one set.
async function ask(method, path, headers = {}, body = '') {
  const sent = request(origin + path, { method, headers });
  sent.end(body);
  const [response] = await once(sent, 'response');
  response.resume();
  await once(response, 'end');
  return response;
}

async function controlIsUp() {
  return (await (await fetch(`${origin}/-/control`)).json()).up;
}

test('every answer has the policy', async () => {
  for (const path of ['/', '/page.js', '/workers.js', '/model-worker.js', '/sw.js', '/page.css', '/netmapcache.js', '/client.wasm', '/missing']) {
    const { headers } = await ask('GET', path);
    const directives = (headers['content-security-policy'] ?? '').split(';').map((directive) => directive.trim().split(/ (.*)/s));
    assert.deepEqual(Object.fromEntries(directives.map(([name, value]) => [name, value])), policy, path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.equal(headers['access-control-allow-origin'], undefined, path);
  }
});

test('the page runs under it, WebAssembly included', async () => {
  await page.goto(origin);
  await inState(page, 'live');
  assert.deepEqual(await violations(page), []);
  const html = await (await fetch(origin)).text();
  assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)|\son\w+\s*=|\sstyle\s*=|javascript:/i, 'nothing inline');
});

test('who comes by the name localhost is sent to the address', async () => {
  const other = await openPage();
  await other.goto(`${origin.replace('127.0.0.1', 'localhost')}/?from=localhost`);
  assert.equal(other.url(), `${origin}/?from=localhost`);
  await other.close();
});

// checkNames compares what the page shows of each peer with the netmap in its cache.
async function checkNames() {
  const rows = Object.entries(await peersOf(page));
  const peers = await page.evaluate(async (database) => {
    const { openCache } = await import('/netmapcache.js');
    const cache = await openCache({ database });
    const { Peers, UserProfiles } = await cache.load();
    cache.close();
    return Peers.map((peer) => ({
      id: peer.StableID,
      owner: peer.Tags?.length ? peer.Tags.join(', ') : UserProfiles[peer.Sharer || peer.User]?.DisplayName,
      system: peer.Hostinfo?.OS ?? '',
    }));
  }, 'network');
  assert.equal(rows.length, 60);
  assert.equal(peers.length, 60);
  const shown = new Map(rows.map(([id, [, , owner, system]]) => [id, { owner, system }]));
  for (const { id, owner, system } of peers) {
    assert.equal(shown.get(id).system, system);
    if (owner) assert.equal(shown.get(id).owner, owner);
  }
  // The same, without the cache as a witness.
  const text = rows.flat(2).join('\n');
  for (const name of ['<script>alert(document.domain)</script>', '"><img src=x onerror=alert(1)>', '&lt;b&gt;&amp;amp;', 'javascript:alert(1)//', '\u202etxt.exe\u202c', '__proto__']) {
    assert.ok(text.includes(name), `${name} is shown as it is`);
  }
  const elements = await page.$$eval('#network *', (all) => [...new Set(all.map((element) => element.localName))].sort());
  const plain = ['button', 'canvas', 'dd', 'details', 'div', 'dl', 'dt', 'h2', 'input', 'label', 'li', 'ol', 'option', 'p', 'section', 'select', 'span', 'strong', 'summary', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'];
  assert.deepEqual(elements.filter((name) => !plain.includes(name)), [], 'no element is made of a name');
  assert.deepEqual(await page.evaluate(() => [...document.scripts].map((script) => script.getAttribute('src'))), ['workers.js', 'page.js']);
  assert.match(await page.title(), /^Network map( \(saved\))?$/);
  assert.deepEqual(await violations(page), [], 'no name even tried');
}

test('names are text, live and from the cache', async () => {
  await page.waitForFunction(() => document.body.dataset.saved === 'true', patience);
  await checkNames();
  await page.click('#control');
  await page.waitForFunction(() => document.body.dataset.control === 'down', patience);
  await page.reload();
  await inState(page, 'cached');
  await checkNames();
  await page.click('#control');
  await inState(page, 'live');
});

test('what is put into the page does not run, and reaches nobody', async () => {
  const tries = {
    'an inline script': [() => {
      const script = document.createElement('script');
      script.textContent = 'alert("inline")';
      document.body.append(script);
    }, 'script-src-elem'],
    'markup with a handler': [() => document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="alert(1)">'), 'script-src-attr'],
    'a script of another origin': [() => {
      const script = document.createElement('script');
      script.src = 'http://localhost:9/x.js';
      document.body.append(script);
    }, 'script-src-elem'],
    'a javascript: link': [() => {
      const link = document.createElement('a');
      link.href = 'javascript:alert(1)';
      document.body.append(link);
      link.click();
    }, 'script-src-elem'],
    'text as code': [() => {
      const script = document.createElement('script');
      script.src = URL.createObjectURL(new Blob(['alert(1)']));
      document.body.append(script);
    }, 'script-src-elem'],
    'a request to another origin': [() => fetch('http://localhost:9/').catch(() => {}), 'connect-src'],
    'an image of another origin': [() => (new Image().src = 'http://localhost:9/?secret'), 'img-src'],
    'a form': [() => {
      const form = document.createElement('form');
      form.action = 'http://localhost:9/';
      document.body.append(form);
      form.submit();
    }, 'form-action'],
    'a base': [() => {
      const base = document.createElement('base');
      base.href = 'http://localhost:9/';
      document.head.append(base);
    }, 'base-uri'],
    'a frame': [() => {
      const frame = document.createElement('iframe');
      frame.src = 'http://localhost:9/';
      document.body.append(frame);
    }, 'frame-src'],
  };
  for (const [name, [attack, directive]] of Object.entries(tries)) {
    await page.evaluate(() => (globalThis.violations = []));
    await page.evaluate(attack);
    await page.waitForFunction((directive) => globalThis.violations.includes(directive), { timeout: 20_000 }, directive).catch(() => {
      assert.fail(`${name} was not stopped by ${directive}`);
    });
  }
  assert.deepEqual(dialogs, []);
});

test('what a peer sends runs nothing, loads nothing and leads nowhere', async () => {
  const asked = [];
  const elsewhere = await serve('.', { '/': (request, response) => {
    asked.push(request.url);
    response.end();
  } });
  const to = `${elsewhere.origin}/`;
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-hostile-'));
  await writeFile(join(folder, 'page.html'), `<!doctype html><base target="_top"><meta http-equiv="refresh" content="0;url=${to}">
    <link rel="stylesheet" href="${to}"><style>@import "${to}"; body { background: url(${to}) }</style>
    <p id="shown">shown</p><img src="${to}" onerror="alert('handler')"><iframe src="${to}"></iframe><object data="${to}"></object>
    <script>alert('script'); document.body.id = 'ran'; top.location = '${to}'; parent.document.title = 'ran'; open('${to}');</script>
    <script src="${to}"></script><svg onload="alert('svg')"></svg>
    <a id="out" href="${to}">out</a><a id="here" target="_self" href="${to}">here</a><a id="tab" target="_blank" href="${to}">tab</a>
    <a id="code" href="javascript:alert('link')">code</a><form action="${to}"><button id="send">send</button></form>`);
  const tailnet = await startTailnet('-peers', '3', '-churn', '0', '-native-page', join(folder, 'page.html'));
  const page = await openPage();
  try {
    await page.goto(tailnet.origin);
    await inState(page, 'live');
    await joined(page);
    const { state, note } = await openPeer(page, 'http://web/');
    assert.equal(state, 'answered', note);
    const frame = await (await page.waitForSelector('#reach-frame')).contentFrame();
    await frame.waitForSelector('#shown', { timeout: 30_000 }); // unless the frame was led elsewhere
    const tabs = (await browser.pages()).length;
    assert.equal(await frame.$eval('body', (body) => body.id), '', 'no script ran');
    for (const id of ['out', 'tab', 'code', 'send', 'here']) { // the last one leaves an error page in the frame
      await frame.$eval(`#${id}`, (element) => element.click());
      await frames(page);
    }
    assert.equal(page.url(), `${tailnet.origin}/`);
    assert.equal((await browser.pages()).length, tabs);
    assert.match(await page.title(), /^Network map/);
    assert.deepEqual(dialogs, []);
    assert.deepEqual(asked, []);
  } finally {
    await page.close();
    await elsewhere.close();
    tailnet.server.kill('SIGINT');
    await rm(folder, { recursive: true });
  }
});

test('the switch obeys no request that a foreign page can make', async () => {
  const json = { 'Content-Type': 'application/json' };
  const off = '{"up": false}';
  const cases = [
    [{ ...json, Origin: 'http://evil.example' }, 403],
    [{ ...json, Origin: 'null' }, 403],
    [{ ...json, Origin: origin.replace('127.0.0.1', 'localhost') }, 403],
    [{ ...json, Origin: origin.replace(/\d+$/, '9') }, 403],
    [{ ...json, 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ ...json, 'Sec-Fetch-Site': 'same-site' }, 403],
    [{ ...json, Host: 'rebound.example' }, 403],
    [{ ...json, Host: 'rebound.example', Origin: 'http://rebound.example' }, 403],
    [{ 'Content-Type': 'text/plain' }, 415],
    [{ 'Content-Type': 'application/x-www-form-urlencoded' }, 415],
  ];
  for (const [headers, status] of cases) {
    assert.equal((await ask('POST', '/-/control', headers, off)).statusCode, status, JSON.stringify(headers));
  }
  assert.equal((await ask('GET', '/-/control?up=false')).statusCode, 200);
  assert.equal(await controlIsUp(), true);
});

test('a page of another origin gets nothing and changes nothing', async () => {
  const html = (request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>elsewhere</title>');
  };
  const elsewhere = await serve('.', { '/': html });
  try {
    // Another port is another origin of the same site; another name for the machine, another site.
    for (const from of [elsewhere.origin, elsewhere.origin.replace('127.0.0.1', 'localhost')]) {
      const foreign = await openPage();
      await foreign.goto(from);
      const got = await foreign.evaluate(async (origin) => {
        const post = (options) => fetch(`${origin}/-/control`, { method: 'POST', body: '{"up": false}', ...options });
        const outcome = (promise) => promise.then((response) => response.type, () => 'refused');
        return {
          plain: await outcome(post({ mode: 'no-cors' })), // sent; the page can't see the answer
          json: await outcome(post({ headers: { 'Content-Type': 'application/json' } })),
          state: await outcome(fetch(`${origin}/-/control`)),
          client: await outcome(fetch(`${origin}/client.wasm`)),
          socket: await new Promise((resolve) => {
            const socket = new WebSocket(`${origin.replace('http', 'ws')}/ts2021`);
            socket.onopen = () => resolve('open');
            socket.onerror = () => resolve('refused');
          }),
        };
      }, origin);
      assert.deepEqual(got, { plain: 'opaque', json: 'refused', state: 'refused', client: 'refused', socket: 'refused' }, from);

      const answer = foreign.waitForNavigation(patience);
      await foreign.evaluate((origin) => {
        const form = document.createElement('form');
        form.method = 'post';
        form.enctype = 'text/plain';
        form.action = `${origin}/-/control`;
        document.body.append(form);
        form.submit();
      }, origin);
      assert.equal((await answer).status(), 403);

      await foreign.goto(from);
      const framed = await foreign.evaluate(async (origin) => {
        const frame = document.createElement('iframe');
        frame.src = origin;
        const loaded = new Promise((resolve) => (frame.onload = resolve));
        document.body.append(frame);
        await loaded;
      }, origin).then(() => foreign.frames().map((frame) => frame.url()));
      assert.ok(!framed.some((url) => url.startsWith(origin)), `framed: ${framed}`);
      assert.equal(await controlIsUp(), true);
      await foreign.close();
    }
  } finally {
    await elsewhere.close();
  }
});
