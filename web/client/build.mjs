// Builds the npm package netmapcache-client into dist/client/, from what client/build.sh has put into dist/.

import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { bundled, writeNotices } from '../../tools/notices.mjs';
import { options as common } from '../bundle.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const out = join(dist, 'client');
await mkdir(out, { recursive: true });

const options = {
  ...common(dist),
  absWorkingDir: here,
  charset: 'utf8',
  outdir: out,
  metafile: true,
};

for (const name of await readdir(out)) if (/^chunk-.*\.js$/.test(name)) await rm(join(out, name)); // of an earlier build
// The worker is one file, for bundlers that take it as it is.
const results = [
  await build({ ...options, splitting: true, entryPoints: ['client.js', 'program.js'] }),
  await build({ ...options, entryPoints: ['worker.js'] }),
  await build({ ...options, entryPoints: ['keep.js'] }),
];
for (const name of ['client.d.ts', 'program.d.ts', 'keep.d.ts', 'README.md', 'package.json', '../../LICENSE']) await cp(join(here, name), join(out, name.replace(/^.*\//, '')));
await cp(join(dist, 'client.wasm'), join(out, 'client.wasm'));
// It has the version of netmapcache, with which it is released, and whose types it names.
const { version } = JSON.parse(await readFile(join(here, '../cache/package.json'), 'utf8'));
const { name, private: _, ...rest } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
const published = { name, version, ...rest, peerDependencies: { netmapcache: version } };
await writeFile(join(out, 'package.json'), `${JSON.stringify(published, undefined, 2)}\n`);
writeNotices(join(out, 'THIRD_PARTY_NOTICES.txt'), [...bundled(here, results), ['client.wasm', [join(dist, 'client.wasm.THIRD_PARTY_NOTICES.txt')]]]);
