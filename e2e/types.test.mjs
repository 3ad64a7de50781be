// Checks the module's types: with a program that uses all of them, and with a network map as it comes out.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { database, page } from './module-pages.mjs';
import { netmap } from './netmap.mjs';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const tsc54 = createRequire(new URL('./package/package.json', import.meta.url)).resolve('typescript-5.4/bin/tsc');
const here = fileURLToPath(new URL('.', import.meta.url));

// compile returns what the compiler says of a project: nothing if all is well.
function compile(project, compiler = tsc, ...options) {
  const { status, stdout } = spawnSync(process.execPath, [compiler, '--project', project, ...options], { encoding: 'utf8' });
  return status ? stdout : '';
}

test('usage.ts compiles', () => {
  assert.equal(compile(here), '');
});

test('usage.ts compiles with TypeScript 5.4', () => {
  assert.equal(compile(here, tsc54), '');
});

for (const [resolution, module] of [['node10', 'ESNext'], ['node16', 'Node16'], ['bundler', 'ESNext']]) {
  test(`the package is found by moduleResolution ${resolution}`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'netmapcache-types-'));
    t.after(() => rm(folder, { recursive: true }));
    const installed = join(folder, 'node_modules/netmapcache');
    await mkdir(installed, { recursive: true });
    for (const name of ['netmapcache.d.ts', 'netmap.d.ts', 'netmapcache.wasm.d.ts', 'program.d.ts', 'worker.d.ts', 'package.json']) await cp(join(here, '../web/cache', name), join(installed, name));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'app.ts'), `
      import { openCache } from 'netmapcache';
      import 'netmapcache/program';
      import 'netmapcache/worker';
      import wasm from 'netmapcache/netmapcache.wasm';
      export const peers: number = (await (await openCache({ wasm })).info()).peers;
    `);
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({
      compilerOptions: { noEmit: true, strict: true, target: 'ES2022', lib: ['ES2022', 'DOM'], types: [], module, moduleResolution: resolution },
      files: ['app.ts'],
    }));
    assert.equal(compile(folder, tsc54), '');
    assert.equal(compile(folder), '');
  });
}

// snippets returns the examples in a file that import the module.
async function snippets(file) {
  const text = await readFile(new URL(file, import.meta.url), 'utf8');
  return [...text.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code).filter((code) => /from 'netmapcache/.test(code));
}

test('the examples of the documentation compile', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-types-'));
  t.after(() => rm(folder, { recursive: true }));
  const examples = (await Promise.all(['../README.md', '../web/cache/README.md', '../web/client/README.md', '../web/cache/netmapcache.d.ts', '../web/cache/names.d.ts', '../web/client/program.d.ts'].map(snippets))).flat();
  assert.ok(examples.length >= 5, `${examples.length} examples`);
  const files = examples.map((_, i) => `example${i}.ts`);
  await Promise.all(examples.map((code, i) => writeFile(join(folder, files[i]), code.replace(/^ \* ?/gm, ''))));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({
    extends: join(here, 'tsconfig.json'),
    compilerOptions: {
      paths: { netmapcache: [join(here, '../web/cache/netmapcache.d.ts')], 'netmapcache/netmapcache.wasm': [join(here, '../web/cache/netmapcache.wasm.d.ts')], 'netmapcache/names': [join(here, '../web/cache/names.d.ts')], 'netmapcache-client': [join(here, '../web/client/client.d.ts')], 'netmapcache-client/*': [join(here, '../web/client/*.d.ts')] },
      noUnusedLocals: false,
    },
    files: ['built.d.ts', ...files],
  }));
  await writeFile(join(folder, 'built.d.ts'), 'declare const VERSION: string; declare const FILES: Record<string, string>;'); // which a build fills in
  assert.equal(compile(folder), '');
});

test('the hook for React compiles', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-types-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({
    extends: join(here, 'tsconfig.json'),
    compilerOptions: { paths: { netmapcache: [join(here, '../web/cache/netmapcache.d.ts')], react: [join(here, 'package/node_modules/@types/react/index.d.ts')] }, skipLibCheck: true },
    files: [join(here, '../examples/react/use-netmap.ts')],
  }));
  assert.equal(compile(folder), '');
});

// A literal may have no field that its type doesn't declare.
test('all fields are declared', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-types-'));
  t.after(() => rm(folder, { recursive: true }));
  const { stdout } = spawnSync('go', ['run', './e2e/reader', '-netmaps', '-n', '10'], { cwd: join(here, '..'), encoding: 'utf8', maxBuffer: 1 << 30 });
  const maps = stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter(({ Name }) => /^hostile \d/.test(Name));
  assert.equal(maps.length, 10);
  const lines = maps.map(({ Netmap }, i) => `export const map${i} = ${JSON.stringify(Netmap)} satisfies Netmap;`);
  await writeFile(join(folder, 'all.ts'), ["import type { Netmap } from 'netmapcache';", ...lines].join('\n'));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({
    extends: join(here, 'tsconfig.json'),
    compilerOptions: { paths: { netmapcache: [join(here, '../web/cache/netmapcache.d.ts')] } },
    files: ['all.ts'],
  }));
  assert.equal(compile(folder), '');
});

test('what comes out has the types that are declared', async (t) => {
  const out = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    await cache.store(map);
    const { savedAt, confirmedAt, ...info } = await cache.info();
    return { map: await cache.load(), lean: await cache.load({ peers: false }), peers: await cache.peers(), info };
  }, database, netmap(2));
  const folder = await mkdtemp(join(tmpdir(), 'netmapcache-types-'));
  t.after(() => rm(folder, { recursive: true }));
  // A literal may have no field that its type doesn't declare. That those that are declared are there,
  // as far as a netmap of the tests has them, is told by Required.
  await writeFile(join(folder, 'out.ts'), `
    import type { Info, Netmap, Peers } from 'netmapcache';
    export const map = ${JSON.stringify(out.map)} satisfies Required<Netmap>;
    export const lean = ${JSON.stringify(out.lean)} satisfies Required<Omit<Netmap, 'Peers'>>;
    export const peers = ${JSON.stringify(out.peers)} satisfies Peers;
    export const info = ${JSON.stringify(out.info)} satisfies Omit<Info, 'savedAt' | 'confirmedAt'>;
  `);
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({
    extends: join(here, 'tsconfig.json'),
    compilerOptions: { paths: { netmapcache: [join(here, '../web/cache/netmapcache.d.ts')] } },
    files: ['out.ts'],
  }));
  assert.equal(compile(folder), '');
});
