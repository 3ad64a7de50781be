// Checks the module's types: with a program that uses all of them, and with a network map as it comes out.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { database, page } from './module-pages.mjs';
import { netmap } from './netmap.mjs';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const here = fileURLToPath(new URL('.', import.meta.url));

// compile returns what the compiler says of a project: nothing if all is well.
function compile(project) {
  const { status, stdout } = spawnSync(process.execPath, [tsc, '--project', project], { encoding: 'utf8' });
  return status ? stdout : '';
}

test('usage.ts compiles', () => {
  assert.equal(compile(here), '');
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
    compilerOptions: { paths: { netmapcache: [join(here, '../web/netmapcache.d.ts')] } },
    files: ['out.ts'],
  }));
  assert.equal(compile(folder), '');
});
