// What becomes of a client of the package netmapcache-client by what control says of it, in Chromium against a real control server: who
// is let in, who no longer is, and where control may be.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { launch } from './browser.mjs';
import { startPages } from './client-page.mjs';
import { startProxy } from './proxy.mjs';
import { startTailnet } from './tailnet.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const site = fileURLToPath(new URL('client-package', import.meta.url));

const patience = 30_000;

let pages;
let tailnet;
let browser;

before(async () => ({ tailnet, browser } = pages = await startPages()));

after(() => pages?.close());

// open opens a page that has no client yet.
async function open(t, { origin = tailnet.origin } = {}) {
  const context = await browser.createBrowserContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(origin);
  return page;
}

// admit has control let in whom it is told, until the test ends.
async function admit(t, wanted) {
  t.after(() => tailnet.ask('admission', {}));
  await tailnet.ask('admission', wanted);
}

// start starts a client in a page. It resolves to the error that this ended with, if it did.
const start = (page, options = {}) => page.evaluate(async (options) => {
  try {
    globalThis.client = await startClient({ database: 'client', controlURL: location.origin, hostname: 'browser', ephemeral: false, worker: true, ...options });
  } catch ({ name, code, message }) {
    return { name, code, message };
  }
  client.logins = [];
  client.addEventListener('login', ({ url }) => client.logins.push(url));
  return undefined;
}, options);

// state waits until the client is in a state, with as many peers and another node key if that is wanted. It resolves to the state,
// with how many peers it has and its node key. What it says is a part of its error; null waits until it has none.
const state = (page, wanted, { peers = 0, notKey, saying = '' } = {}) => page.evaluate((wanted, peers, notKey, saying, patience) => new Promise((resolve, reject) => {
  const look = () => {
    const { name, error, code, loginURL } = client.state;
    const found = { name, error, code, loginURL, peers: client.netmap?.Peers?.length ?? 0, key: client.netmap?.SelfNode?.Key };
    if (name === wanted && found.peers >= peers && (!notKey || found.key !== notKey) && (saying === null ? !error : (error ?? '').includes(saying))) resolve(found);
    return found;
  };
  for (const event of ['statechange', 'netmapchange']) client.addEventListener(event, look);
  look();
  setTimeout(() => reject(new Error(`waited for ${wanted} in vain: ${JSON.stringify(look())}`)), patience);
}), wanted, peers, notKey, saying, patience);

const close = (page) => page.evaluate(() => client.close());
const login = (page) => page.evaluate(() => client.login());
const reach = (page) => page.evaluate(async () => (await client.fetch('http://web/')).text());

// signIn opens the URL that the client's event named last, once there are as many as wanted.
async function signIn(page, wanted = 1) {
  await page.evaluate((wanted) => new Promise((resolve) => {
    const look = () => client.logins.length >= wanted && resolve();
    client.addEventListener('login', look);
    look();
  }), wanted);
  const url = await page.evaluate(() => client.logins.at(-1));
  const other = await page.browserContext().newPage();
  await other.goto(url);
  await Promise.all([other.waitForNavigation(), other.click('button')]);
  assert.match(await other.evaluate(() => document.body.textContent), /The device is in/);
  await other.close();
}

test('a person signs in at the URL of the event login', async (t) => {
  await admit(t, { login: true });
  const page = await open(t);
  await start(page);
  const { error, peers } = await state(page, 'needs-login');
  assert.deepEqual([error, peers], [undefined, 0]);
  await signIn(page);
  const { key } = await state(page, 'live', { peers: 10 });
  assert.match(key, /^nodekey:/);
  assert.match(await reach(page), /Hello from web/);
  await close(page);
  await start(page);
  assert.equal((await state(page, 'live', { peers: 10 })).key, key);
  assert.deepEqual(await page.evaluate(() => client.logins), []);
});

test('a key lets in, and another is refused with a code', async (t) => {
  await admit(t, { authKey: 'tskey-right' });
  const page = await open(t);
  await start(page, { authKey: 'tskey-wrong' });
  const refused = await state(page, 'needs-login');
  assert.equal(refused.code, 'login-refused');
  assert.match(refused.error, /invalid authkey/);
  assert.equal(await page.evaluate(() => client.fetch('http://web/').catch(({ code }) => code)), 'needs-login');
  await close(page);
  await start(page, { authKey: 'tskey-right' });
  const { error, code } = await state(page, 'live');
  assert.deepEqual([error, code], [undefined, undefined]);
});

test('who has to be approved is in when that is done', async (t) => {
  await admit(t, { approval: true });
  const page = await open(t);
  await start(page);
  assert.equal((await state(page, 'needs-approval')).peers, 0);
  await tailnet.ask('approve', {});
  await state(page, 'live', { peers: 10 });
});

test('a key that expires is renewed by signing in, in the same database', async (t) => {
  const page = await open(t);
  await start(page);
  const { key } = await state(page, 'live', { peers: 10 });
  await admit(t, { login: true });
  await tailnet.ask('expire', {});
  await state(page, 'expired');
  await close(page);
  await start(page);
  await state(page, 'expired');
  await login(page);
  await signIn(page);
  await state(page, 'live', { notKey: key });
  assert.match(await reach(page), /Hello from web/);
});

test('a node that control has removed is offered to sign in', async (t) => {
  const page = await open(t);
  await start(page);
  const { key } = await state(page, 'live', { peers: 10 });
  await admit(t, { login: true });
  await tailnet.ask('remove', {});
  const { code } = await state(page, 'needs-login');
  assert.equal(code, undefined);
  await signIn(page);
  await state(page, 'live', { notKey: key });
  assert.match(await reach(page), /Hello from web/);
});

test('control is told of a logout, and the next start is a new node', async (t) => {
  const page = await open(t);
  await start(page);
  const { key } = await state(page, 'live', { peers: 10 });
  const before = await tailnet.ask('admission');
  await page.evaluate(() => client.logout());
  const told = await tailnet.ask('admission');
  assert.equal(told.registrations, before.registrations + 1);
  await close(page);
  const databases = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  assert.equal((await tailnet.ask('admission')).browsers, 0);
  await start(page);
  await state(page, 'live', { notKey: key });
  assert.ok(databases.includes('client'), String(databases));
});

test("control's return is told, to the same client", async (t) => {
  const page = await open(t);
  await start(page);
  const { key } = await state(page, 'live', { peers: 10 });
  t.after(() => tailnet.ask('control', { up: true }));
  await tailnet.ask('control', { up: false });
  const { error, peers } = await state(page, 'saved');
  assert.ok(error && peers >= 10, `${error}, ${peers} peers`);
  await state(page, 'saved', { saying: 'register' }); // it asks whether it is still known
  assert.match(await reach(page), /Hello from web/);
  await tailnet.ask('control', { up: true });
  assert.equal((await state(page, 'live', { peers: 10 })).key, key);
  assert.deepEqual(await page.evaluate(() => client.logins), []);
});

test('a database is for one control server', async (t) => {
  const other = await startProxy(tailnet.origin, { path: '/other/' });
  t.after(() => other.close());
  const page = await open(t, other);
  const at = (path) => ({ controlURL: `${other.origin}${path}` });
  await start(page, at('/other/'));
  await state(page, 'live');
  await close(page);
  for (const [where, controlURL] of [['another origin', tailnet.origin], ['another path', `${other.origin}/else`], ['the same origin', other.origin]]) {
    for (const worker of [true, false]) {
      const { name, code, message } = await start(page, { controlURL, worker }) ?? {};
      assert.deepEqual([where, name, code], [where, 'ClientError', 'other-control']);
      assert.ok(message.includes(`${other.origin}/other`), message);
    }
  }
  await start(page, at('/other')); // the same, written otherwise
  await state(page, 'live');
  await page.evaluate(() => client.logout());
  await close(page);
  assert.equal(await start(page, at('/else')), undefined);
});

test('control is reached under a path, behind a proxy', async (t) => {
  const proxy = await startProxy(tailnet.origin, { path: '/some/path/' });
  t.after(() => proxy.close());
  const page = await open(t, proxy);
  await start(page, { controlURL: `${proxy.origin}/some/path/` });
  await state(page, 'live', { peers: 10 });
});

test('control is reached behind a proxy of its own host, and again when that has been away', async (t) => {
  const front = await startTailnet('-control', tailnet.origin, '-web', site, '-web', join(dist, 'client'));
  t.after(() => front.server.kill('SIGINT'));
  const page = await open(t, front);
  await start(page);
  await state(page, 'live', { peers: 10 });
  await front.ask('control', { up: false });
  await state(page, 'saved');
  await front.ask('control', { up: true });
  await state(page, 'live');
});

test('control is reached by https at a port of its own', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-certificate-'));
  t.after(() => rm(folder, { recursive: true }));
  const generator = join(execFileSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).trim(), 'src/crypto/tls/generate_cert.go');
  execFileSync('go', ['run', generator, '-host', '127.0.0.1', '-ecdsa-curve', 'P256'], { cwd: folder, stdio: 'ignore' });
  const tls = { key: await readFile(join(folder, 'key.pem')), cert: await readFile(join(folder, 'cert.pem')) };
  const trusting = await launch({ acceptInsecureCerts: true });
  t.after(() => trusting.close());
  for (const path of ['/', '/some/path/']) {
    const proxy = await startProxy(tailnet.origin, { path, tls });
    t.after(() => proxy.close());
    const page = await trusting.newPage();
    await page.goto(proxy.origin);
    await start(page, { controlURL: proxy.origin + path });
    await state(page, 'live', { peers: 10 });
    await close(page);
  }
});

test('a peer leads out of the tailnet, if it offers that', async (t) => {
  const outside = 'http://203.0.113.5/'; // for documentation: nothing but the peer's own page is there
  const page = await open(t);
  const ask = () => page.evaluate((url) => client.fetch(url).then((response) => response.text(), ({ code }) => code), outside);
  await start(page);
  await state(page, 'live', { peers: 10 });
  assert.equal(await ask(), 'no-peer');
  await close(page);

  await start(page, { exitNode: 'nobody' });
  const none = await state(page, 'live', { saying: 'nobody' });
  assert.deepEqual([none.code, await ask()], ['exit-node', 'exit-node']);
  assert.match(await reach(page), /Hello from web/);
  await close(page);

  await start(page, { exitNode: 'web' });
  const unwilling = await state(page, 'live', { saying: 'offers no way out' });
  assert.deepEqual([unwilling.code, await ask()], ['exit-node', 'exit-node']);
  t.after(() => tailnet.ask('exit', { peer: 'web', offer: false }));
  await tailnet.ask('exit', { peer: 'web', offer: true });
  await state(page, 'live', { saying: null });
  assert.match(await ask(), /beyond the tailnet/);
  const { address, id } = await page.evaluate(() => {
    const { Addresses, StableID } = client.netmap.Peers.find(({ Name }) => Name.startsWith('web.'));
    return { address: Addresses[0].replace(/\/.*/, ''), id: StableID };
  });
  await close(page);

  for (const exitNode of [address, id]) {
    await start(page, { exitNode });
    await state(page, 'live', { peers: 10, saying: null });
    assert.match(await ask(), /beyond the tailnet/);
    await close(page);
  }
  await start(page);
  await state(page, 'live');
  assert.equal(await ask(), 'no-peer');
});

test('a program of another version is refused before it does anything', async (t) => {
  const context = await browser.createBrowserContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const { version } = JSON.parse(await readFile(join(dist, 'client/package.json'), 'utf8'));
  await page.setRequestInterception(true);
  page.on('request', async (request) => {
    const [chunk] = /chunk-[^/]*\.js$/.exec(request.url()) ?? [];
    if (!chunk) return request.continue();
    const body = (await readFile(join(dist, 'client', chunk), 'utf8')).replace(`"${version}"`, '"9.9.9"');
    return request.respond({ contentType: 'text/javascript', body });
  });
  await page.goto(tailnet.origin);
  const { name, code, message } = await start(page, { worker: false }) ?? {};
  assert.deepEqual([name, code], ['ClientError', 'version']);
  assert.ok(message.includes('9.9.9') && message.includes(version), message);
  assert.deepEqual(await page.evaluate(() => indexedDB.databases()), []);
});

test('an application that its service worker keeps starts without its server, and without control', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-application-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(site, folder, { recursive: true });
  for (const name of await readdir(join(dist, 'client'))) if (/\.(js|wasm)$/.test(name)) await cp(join(dist, 'client', name), join(folder, name));
  const files = {};
  for (const name of await readdir(folder)) files[name] = `sha256-${createHash('sha256').update(await readFile(join(folder, name))).digest('base64')}`;
  const worker = async (version) => {
    const path = join(folder, 'sw.js');
    await writeFile(path, `import { keep } from './keep.js';\nkeep(${JSON.stringify({ name: 'app', version: String(version), files })});\n`);
    await utimes(path, version, version); // of one second the server would tell the browser that it is unchanged
  };
  const server = await startTailnet('-web', folder, '-peers', '3', '-churn', '0');
  t.after(() => server.server.kill('SIGINT'));
  const page = await open(t, server);
  // install resolves to what became of the service worker that there is now.
  const install = () => page.evaluate(async () => {
    const known = await navigator.serviceWorker.getRegistration();
    const registration = known ?? await navigator.serviceWorker.register('sw.js', { type: 'module' });
    const found = new Promise((resolve) => registration.addEventListener('updatefound', () => resolve(registration.installing)));
    if (known) registration.update().catch(() => {}); // the worker's state tells
    const worker = known ? await found : registration.installing ?? registration.waiting ?? registration.active;
    await new Promise((resolve) => {
      const look = () => ['installed', 'activated', 'redundant'].includes(worker.state) && resolve();
      worker.addEventListener('statechange', look);
      look();
    });
    return { state: worker.state, caches: await caches.keys() };
  });
  await worker(1);
  assert.deepEqual((await install()).caches, ['app-1']);
  files['start.js'] = files['index.html'];
  await worker(2); // which isn't as it was built
  assert.deepEqual(await install(), { state: 'redundant', caches: ['app-1'] });
  await start(page);
  await state(page, 'live', { peers: 3 });
  await close(page);
  await page.close();

  await rm(folder, { recursive: true });
  await server.ask('control', { up: false });
  assert.equal((await fetch(server.origin)).status, 404);
  const again = await page.browserContext().newPage();
  await again.goto(server.origin);
  await start(again);
  await state(again, 'saved', { peers: 3 });
  assert.match(await reach(again), /Hello from web/);
});
