// Attacks the page in Chromium: by the names of peers, by code put into it, and from pages of other origins.
// Needs what `make run` needs: the page's files and programs in dist/.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch } from './browser.mjs';
import { serve } from './serve.mjs';
import { frames, inState, joined, keptOffline, openPeer, patience, peers as peersOf, saved, setControl, text } from './page.mjs';
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
    // A name in which nothing can be seen has the ID in its place.
    if (/[\p{L}\p{N}\p{P}\p{S}]/u.test(owner ?? '')) assert.ok(shown.get(id).owner.startsWith(owner), `${shown.get(id).owner} for ${owner}`); // with the login, where others are called the same
  }
  // The same, without the cache as a witness.
  const text = rows.flat(2).join('\n');
  for (const name of ['<script>alert(document.domain)</script>', '"><img src=x onerror=alert(1)>', '&lt;b&gt;&amp;amp;', 'javascript:alert(1)//', '\u202etxt.exe\u202c', '__proto__']) {
    assert.ok(text.includes(name), `${name} is shown as it is`);
  }
  const elements = await page.$$eval('#network *', (all) => [...new Set(all.filter(({ id }) => id !== 'reach-frame').map((element) => element.localName))].sort());
  const plain = ['a', 'button', 'canvas', 'dd', 'details', 'div', 'dl', 'dt', 'form', 'h2', 'input', 'label', 'li', 'ol', 'option', 'p', 'section', 'select', 'span', 'strong', 'summary', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'];
  assert.deepEqual(elements.filter((name) => !plain.includes(name)), [], 'no element is made of a name');
  assert.ok(await page.$$eval('#network a', (links) => links.length > 0 && links.every((link) => link.getAttribute('href').startsWith('#'))), 'all links are to the page itself');
  assert.deepEqual(await page.evaluate(() => [...document.scripts].map((script) => script.getAttribute('src'))), ['workers.js', 'page.js']);
  assert.match(await page.title(), /^Network map( \(saved\))?$/);
  assert.deepEqual(await violations(page), [], 'no name even tried');
}

test('names are text, live and from the cache', async () => {
  await page.waitForFunction(() => document.body.dataset.saved === 'true', patience);
  await checkNames();
  await setControl(page, false);
  await page.reload();
  await inState(page, 'cached');
  await checkNames();
  await setControl(page, true);
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

// hostilePage returns a page that tries all that HTML has to run code, to load, to lead elsewhere, and to hint to the browser
// what to look up, connect to or load soon.
function hostilePage(to) {
  const rels = [
    'dns-prefetch', 'preconnect', 'prefetch', 'prerender', 'preload', 'modulepreload', 'stylesheet', 'alternate stylesheet', 'icon', 'shortcut icon',
    'apple-touch-icon', 'mask-icon', 'manifest', 'compression-dictionary', 'pingback', 'search', 'next', 'prev', 'import', 'expect', 'canonical', 'alternate',
  ];
  const kinds = ['fetch', 'script', 'style', 'image', 'font', 'document', 'track'];
  const hints = [
    ...rels.flatMap((rel) => [`<link rel="${rel}" href="${to}">`, `<link rel="${rel}" href="${to}" crossorigin>`]),
    ...kinds.flatMap((as) => [`<link rel="preload" as="${as}" href="${to}">`, `<link rel="prefetch" as="${as}" href="${to}">`]),
    `<link rel="preload" as="image" imagesrcset="${to} 1x">`,
    '<meta http-equiv="x-dns-prefetch-control" content="on">',
    `<meta http-equiv="refresh" content="0;url=${to}"><meta http-equiv="Link" content="<${to}>; rel=preconnect">`,
    `<script type="speculationrules">{"prefetch": [{"source": "list", "urls": ["${to}"]}], "prerender": [{"source": "list", "urls": ["${to}"]}]}</script>`,
  ].join('\n');
  return `<!doctype html><html manifest="${to}"><head><base href="${to}" target="_top">${hints}
    <style>@import "${to}"; @font-face { font-family: x; src: url(${to}) } body { background: url(${to}); font-family: x }</style></head>
    <body background="${to}" onload="alert('load')">
    <h1>shown</h1><p>text <b>bold</b></p><table><thead><tr><th colspan="2">head</th></tr></thead><tr><td>one</td><td>two</td></tr></table>
    <img alt="dot" src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==">
    ${hints}
    <img src="${to}" srcset="${to} 2x" lowsrc="${to}" onerror="alert('handler')"><picture><source srcset="${to}"><img src="data:,x"></picture>
    <iframe src="${to}"></iframe><iframe srcdoc="${hints.replaceAll('"', '&quot;')}"></iframe><fencedframe></fencedframe>
    <object data="${to}"></object><embed src="${to}"><applet code="${to}"></applet><portal src="${to}"></portal>
    <video src="${to}" poster="${to}" autoplay><source src="${to}"><track default src="${to}"></video><audio src="${to}" autoplay></audio>
    <p style="background: url(${to})">styled</p><table background="${to}"><tr><td background="${to}">cell</td></tr></table>
    <script>alert('script'); document.body.title = 'ran'; top.location = '${to}'; parent.document.title = 'ran'; open('${to}');</script>
    <script src="${to}"></script><script type="module">import '${to}';</script>
    <svg onload="alert('svg')"><image href="${to}"/><use href="${to}#x"/><feImage href="${to}"/><style>@import "${to}";</style><a href="${to}"><text>svg</text></a></svg>
    <math href="${to}"><mtext><style><img src="${to}" onerror="alert('mutated')"></style></mtext></math>
    <noscript><p title="</noscript><img src=${to} onerror=alert(1)>"></p></noscript><template><img src="${to}"></template>
    <a href="${to}" ping="${to}">out</a><a target="_self" href="${to}">here</a><a target="_blank" href="${to}">tab</a><a href="javascript:alert('link')">code</a>
    <form action="${to}"><button>send</button><input type="image" src="${to}"><button formaction="${to}">send</button></form>
    <blockquote cite="${to}">quoted</blockquote></body></html>`;
}

test('what a peer sends runs nothing, loads nothing, connects to nothing and leads nowhere', async () => {
  const elsewhere = await serve('.');
  const witness = await serve('.'); // to which the page itself is made to connect, later
  const to = `${elsewhere.origin}/`;
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-hostile-'));
  await writeFile(join(folder, 'page.html'), hostilePage(to));
  const tailnet = await startTailnet('-peers', '3', '-churn', '0', '-native-page', join(folder, 'page.html'));
  const page = await openPage();
  try {
    await page.goto(tailnet.origin);
    await inState(page, 'live');
    await joined(page);
    const { state, note } = await openPeer(page, 'http://web/');
    assert.equal(state, 'answered', note);
    const frame = await (await page.waitForSelector('#reach-frame')).contentFrame();
    await frame.waitForSelector('h1', { timeout: 30_000 }); // unless the frame was led elsewhere
    const tabs = (await browser.pages()).length;
    const at = page.url();
    assert.ok(at.startsWith(`${tailnet.origin}/`), at);
    for (const element of await frame.$$('a, button, summary')) {
      await element.evaluate((element) => element.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true })));
      await frames(page);
    }
    await page.evaluate((to) => document.head.insertAdjacentHTML('beforeend', `<link rel="preconnect" href="${to}">`), witness.origin);
    while (witness.connections() === 0) await frames(page);
    assert.equal(elsewhere.connections(), 0);

    const found = await frame.evaluate(() => ({
      text: document.body.innerText.replace(/\s+/g, ' '),
      elements: [...new Set([...document.body.querySelectorAll('*')].map(({ localName }) => localName))].sort(),
      attributes: [...new Set([...document.body.querySelectorAll('*')].flatMap((element) => element.getAttributeNames()))].sort(),
      sources: [...document.querySelectorAll('[src]')].map((element) => element.getAttribute('src').split(',')[0]),
      head: [...document.head.children].map((element) => `${element.localName} ${element.content}`),
      title: document.body.title,
    }));
    assert.match(found.text, /^shown text bold head one two .*cell .*out ?here ?tab ?code .*quoted$/);
    assert.deepEqual(found.elements, ['a', 'b', 'blockquote', 'h1', 'img', 'p', 'table', 'tbody', 'td', 'th', 'thead', 'tr']);
    assert.deepEqual(found.attributes, ['alt', 'colspan', 'src']);
    assert.ok(found.sources.length > 0 && found.sources.every((source) => source.startsWith('data:')), String(found.sources));
    assert.deepEqual(found.head, ['meta ', "meta default-src 'none'; img-src data:", 'meta light dark']);
    assert.equal(found.title, '', 'no script ran');
    assert.equal(page.url(), at);
    assert.equal((await browser.pages()).length, tabs);
    assert.match(await page.title(), /^Network map/);
    assert.deepEqual(dialogs, []);
  } finally {
    await page.close();
    await elsewhere.close();
    await witness.close();
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
          sockets: await Promise.all([['ts2021'], ['derp', 'derp']].map(([path, protocol]) => new Promise((resolve) => {
            const socket = new WebSocket(`${origin.replace('http', 'ws')}/${path}`, protocol);
            socket.onopen = () => resolve('open');
            socket.onerror = () => resolve('refused');
          }))),
        };
      }, origin);
      assert.deepEqual(got, { plain: 'opaque', json: 'refused', state: 'refused', client: 'refused', sockets: ['refused', 'refused'] }, from);

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

// takeOver ends a server and listens on its port. The new one serves a page of its own under every path.
async function takeOver({ server, origin }) {
  server.kill('SIGKILL');
  await once(server, 'exit');
  const other = createServer((request, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>taken over</title>'));
  other.listen(new URL(origin).port, '127.0.0.1');
  await once(other, 'listening');
  return other;
}

test('whoever takes the port over has the saved network, but no key of a real one', async () => {
  const real = await startTailnet('-peers', '3', '-native=false', '-churn', '0');
  const front = await startTailnet('-control', real.origin);
  const context = await browser.createBrowserContext();
  let other;
  try {
    const page = await context.newPage();
    await page.goto(front.origin);
    await inState(page, 'live');
    await saved(page);
    await keptOffline(page);
    assert.match(await text(page, 'storage'), /Private keysnot saved/);
    await page.close();

    other = await takeOver(front);
    const opened = await context.newPage();
    await opened.goto(front.origin);
    assert.match(await opened.title(), /^Network map/, 'the page as it was saved');
    await opened.goto(`${front.origin}/any`); // the service worker keeps no such path
    assert.equal(await opened.title(), 'taken over');
    const stored = await opened.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    assert.deepEqual(stored, ['network']);
  } finally {
    await context.close();
    other?.closeAllConnections();
    other?.close();
    for (const { server } of [front, real]) server.kill('SIGINT');
  }
});

test('with a certificate, which no other program has, keys are kept', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-certificate-'));
  const generator = join(execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim(), 'src/crypto/tls/generate_cert.go');
  execFileSync('go', ['run', generator, '-host', '127.0.0.1', '-ecdsa-curve', 'P256'], { cwd: folder, stdio: 'ignore' });
  const real = await startTailnet('-peers', '3', '-native=false', '-churn', '0');
  const front = await startTailnet('-control', real.origin, '-cert', join(folder, 'cert.pem'), '-key', join(folder, 'key.pem'));
  const trusting = await launch({ acceptInsecureCerts: true });
  try {
    const page = await trusting.newPage();
    assert.match(front.origin, /^https:/);
    await page.goto(front.origin);
    await page.waitForFunction(() => document.querySelector('#storage').textContent.includes('Private keyssaved, encrypted'), patience);
    await page.waitForFunction(async () => (await indexedDB.databases()).some(({ name }) => name === 'network-keys'), { ...patience, polling: 200 });
  } finally {
    await trusting.close();
    for (const { server } of [front, real]) server.kill('SIGINT');
    await rm(folder, { recursive: true });
  }
});
