// Tests the npm package that make package made, in fresh projects that install it.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { launch } from './browser.mjs';
import { netmap } from './netmap.mjs';
import { serve } from './serve.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const example = fileURLToPath(new URL('../examples/vite', import.meta.url));
const checks = createRequire(new URL('./package/package.json', import.meta.url));

const sizeBudget = 1_850_000; // bytes of the tarball

let browser;
let tarball;
let project; // a folder, with the example and the package installed

before(async () => {
  const [name] = (await readdir(dist)).filter((name) => /^netmapcache-\d.*\.tgz$/.test(name));
  assert.ok(name, 'there is a package; make package makes it');
  tarball = join(dist, name);
  browser = await launch();

  project = await mkdtemp(join(tmpdir(), 'netmapcache-project-'));
  await cp(example, project, { recursive: true, filter: (source) => !source.endsWith('/node_modules') });
  const install = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  await run('npm', 'ci', ...install);
  await run('npm', 'install', '--no-save', ...install, tarball);
});

after(async () => {
  await browser?.close();
  if (project) await rm(project, { recursive: true, maxRetries: 5 });
});

// run runs a program in the project, and returns what it prints. It is an error if it fails.
async function run(program, ...args) {
  const { stdout } = await promisify(execFile)(program, args, { cwd: project }).catch((err) => {
    throw new Error(`${program} ${args.join(' ')}: ${err.stdout}${err.stderr}`);
  });
  return stdout;
}

const tool = (name, ...args) => run(process.execPath, join(project, 'node_modules', name), ...args);

// visit serves a folder beside the package as it was installed, stores a network as a
// client would, opens the app, and calls fn with its page.
async function visit(folder, fn) {
  await cp(join(project, 'node_modules/netmapcache'), join(folder, 'client'), { recursive: true });
  const server = await serve(folder, {
    '/seed': (_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html>'),
  });
  const page = await browser.newPage();
  try {
    await page.goto(`${server.origin}/seed`);
    await page.evaluate(async (map) => {
      const { openCache } = await import('/client/netmapcache.js');
      const cache = await openCache({ database: 'network' });
      await cache.store(map);
      await cache.close();
    }, netmap(120));
    const errors = [];
    page.on('pageerror', (err) => errors.push(String(err)));
    await page.goto(`${server.origin}/index.html`);
    await fn(page);
    assert.deepEqual(errors, []);
  } finally {
    await page.close();
    await server.close();
  }
}

const shows = (page, text) =>
  page.waitForFunction((text) => document.querySelector('#state').textContent.includes(text), { timeout: 120_000 }, text);

test('it is as small as it should be', async () => {
  const { size } = await stat(tarball);
  assert.ok(size <= sizeBudget, `${size} bytes, more than ${sizeBudget}`);
});

test('it names all that it contains', async () => {
  const notices = await readFile(join(project, 'node_modules/netmapcache/THIRD_PARTY_NOTICES.txt'), 'utf8');
  for (const name of ['standard library and runtime of go', 'tailscale.com', 'github.com/hack-pad/go-indexeddb', 'idb', '@noble/hashes']) {
    assert.ok(notices.includes(name), name);
  }
});

test('publint finds nothing', async () => {
  const { publint } = await import(checks.resolve('publint'));
  const { messages } = await publint({ pkgDir: join(project, 'node_modules/netmapcache'), pack: false, strict: true });
  assert.deepEqual(messages.filter(({ type }) => type !== 'suggestion'), []);
});

test('attw finds nothing', async () => {
  await run(process.execPath, checks.resolve('@arethetypeswrong/cli/package.json').replace('package.json', 'dist/index.js'),
    tarball, '--profile', 'esm-only', '--exclude-entrypoints', './netmapcache.wasm');
});

test('the example, built by Vite', async () => {
  await tool('vite/bin/vite.js', 'build');
  const built = join(project, 'dist');
  const assets = await readdir(join(built, 'assets'));
  assert.equal(assets.filter((name) => name.endsWith('.wasm')).length, 1, String(assets));
  await visit(built, async (page) => {
    await shows(page, '120 peers');
    assert.match(await page.$eval('#state', (state) => state.textContent), /^example\.com, as of .*: 120 peers$/);
    assert.equal((await page.$$('#peers li')).length, 50);
    await page.type('#search', 'host-77.');
    await shows(page, ': 1 peers');
    assert.match(await page.$eval('#peers', (list) => list.textContent), /^host-77\.tail1234\.ts\.net\. 100\.64\.0\.77\/32$/);
  });
});

test("the example on Vite's development server", async () => {
  const { createServer } = await import(join(project, 'node_modules/vite/dist/node/index.js'));
  const server = await createServer({ root: project, logLevel: 'error', server: { host: '127.0.0.1', ws: false, watch: null } });
  const page = await browser.newPage();
  try {
    await server.listen();
    await page.goto(server.resolvedUrls.local[0]);
    await shows(page, 'No network is known yet');
    await page.evaluate(async (map) => {
      const { openCache } = await import('/node_modules/netmapcache/netmapcache.js');
      const cache = await openCache({ database: 'network' });
      await cache.store(map);
    }, netmap(3));
    await shows(page, '3 peers'); // by its subscription
  } finally {
    await page.close();
    await server.close();
  }
});

// app returns a program that reads a network, and then has the Go program change it: with options for openCache, and imports.
const app = (options = '', imports = '') => `
  import { openCache } from 'netmapcache';
  ${imports}
  const cache = await openCache({ database: 'network', ${options} });
  const { total } = await cache.peers();
  await cache.updatePeers([], ['n2CNTRL']);
  document.querySelector('#state').textContent = total + ' peers, ' + (await cache.info()).peers + ' later';
`;

// visitApp opens the app in a folder.
async function visitApp(folder, head = '<script type="module" src="app.js"></script>') {
  await writeFile(join(folder, 'index.html'), `<!doctype html><p id="state"></p>${head}`);
  await visit(folder, (page) => shows(page, '120 peers, 119 later'));
}

// What bundlers that copy neither the WebAssembly file nor the worker are told.
const told = `wasm: new URL('./netmapcache.wasm', import.meta.url), worker: new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })`;

test('an app without a bundler, by an import map', async () => {
  const folder = join(project, 'plain');
  await mkdir(folder);
  await writeFile(join(folder, 'app.js'), app());
  await visitApp(folder, '<script type="importmap">{ "imports": { "netmapcache": "./client/netmapcache.js" } }</script><script type="module" src="app.js"></script>');
});

test('an app built by esbuild', async () => {
  const imports = "import wasm from 'netmapcache/netmapcache.wasm';";
  await writeFile(join(project, 'app.js'), app(told.replace("'./netmapcache.wasm'", 'wasm'), imports));
  const { build } = await import(checks.resolve('esbuild'));
  await build({
    absWorkingDir: project,
    entryPoints: { app: 'app.js', worker: 'netmapcache/worker' },
    bundle: true,
    format: 'esm',
    loader: { '.wasm': 'file' },
    outdir: 'by-esbuild',
  });
  await visitApp(join(project, 'by-esbuild'));
});

test('an app built by Rollup', async () => {
  await writeFile(join(project, 'app.js'), app(told));
  const { rollup } = await import(checks.resolve('rollup'));
  const { nodeResolve } = await import(checks.resolve('@rollup/plugin-node-resolve'));
  const bundle = await rollup({ input: { app: join(project, 'app.js'), worker: 'netmapcache/worker' }, plugins: [nodeResolve({ rootDir: project })] });
  const folder = join(project, 'by-rollup');
  await bundle.write({ dir: folder, format: 'es' });
  await bundle.close();
  await cp(join(project, 'node_modules/netmapcache/netmapcache.wasm'), join(folder, 'netmapcache.wasm'));
  await visitApp(folder);
});

test('an app built by webpack', async () => {
  await writeFile(join(project, 'app.js'), app());
  const { default: webpack } = await import(checks.resolve('webpack'));
  const folder = join(project, 'by-webpack');
  const stats = await promisify(webpack)({
    mode: 'production',
    context: project,
    entry: './app.js',
    output: { path: folder, filename: 'app.js' },
    performance: { hints: false },
  });
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] });
  const files = await readdir(folder);
  assert.equal(files.filter((name) => name.endsWith('.wasm')).length, 1, String(files));
  await visitApp(folder);
});

// bin returns the program of a tool of the checks.
const bin = (name, path) => join(dirname(checks.resolve(`${name}/package.json`)), path);

test('the example, built by Vite 7', async () => {
  await run(process.execPath, bin('vite7', 'bin/vite.js'), 'build', '--outDir', 'by-vite7');
  await visit(join(project, 'by-vite7'), (page) => shows(page, '120 peers'));
});

test('an app built by Parcel', async () => {
  const source = join(project, 'for-parcel');
  await mkdir(source);
  await writeFile(join(source, 'app.js'), app());
  await writeFile(join(source, 'index.html'), '<!doctype html><p id="state"></p><script type="module" src="app.js"></script>');
  const folder = join(project, 'by-parcel');
  await run(process.execPath, bin('parcel', 'lib/bin.js'), 'build', join(source, 'index.html'), '--dist-dir', folder, '--public-url', './', '--no-cache', '--no-autoinstall');
  await visit(folder, (page) => shows(page, '120 peers, 119 later'));
});

// The page is made on a server first, where only openCache can't be called.
test('an app built by Next', async () => {
  const source = join(project, 'for-next');
  await mkdir(join(source, 'app'), { recursive: true });
  await mkdir(join(source, 'node_modules'));
  for (const name of ['next', 'react', 'react-dom']) await symlink(dirname(checks.resolve(`${name}/package.json`)), join(source, 'node_modules', name));
  await cp(join(project, 'node_modules/netmapcache'), join(source, 'node_modules/netmapcache'), { recursive: true });
  await writeFile(join(source, 'package.json'), '{ "private": true, "type": "module" }');
  await writeFile(join(source, 'next.config.js'), "export default { output: 'export' };");
  await writeFile(join(source, 'app/layout.js'), 'export default ({ children }) => <html><body>{children}</body></html>;');
  await writeFile(join(source, 'app/page.js'), `'use client';
    import { openCache } from 'netmapcache';
    import { useEffect, useState } from 'react';

    export default function Page() {
      const [state, setState] = useState('');
      useEffect(() => {
        (async () => {
          const cache = await openCache({ database: 'network' });
          const { total } = await cache.peers();
          await cache.updatePeers([], ['n2CNTRL']);
          setState(total + ' peers, ' + (await cache.info()).peers + ' later');
        })();
      }, []);
      return <p id="state">{state}</p>;
    }
  `);
  // Vite has set NODE_ENV in this process.
  await promisify(execFile)(process.execPath, [bin('next', 'dist/bin/next'), 'build'], { cwd: source, env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', NEXT_IGNORE_INCORRECT_LOCKFILE: '1' } });
  await visit(join(source, 'out'), (page) => shows(page, '120 peers, 119 later'));
});
