// Builds the npm package into dist/, or the folder given, where wasm/build.sh has put the program and Go's support code.
// What reading takes is apart from what runs the program. The worker is one file, for bundlers that take it as it is, and so are the rules for names.

import { cp, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

import { build } from 'esbuild';

import { bundled, writeNotices } from '../../tools/notices.mjs';
import { options as common } from '../bundle.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = resolve(process.argv[2] ?? fileURLToPath(new URL('../../dist', import.meta.url)));
const budget = 15 * 1024; // bytes of brotli of what reading takes, minified as bundlers do

const options = {
  ...common(dist),
  absWorkingDir: here,
  charset: 'utf8',
  outdir: dist,
};

for (const name of await readdir(dist)) if (/^(chunk|sha2)-.*\.js$/.test(name)) await rm(join(dist, name)); // of an earlier build
const entries = { entryPoints: ['netmapcache.js', 'program.js'], splitting: true };
await build({ ...options, ...entries });
await build({ ...options, entryPoints: ['worker.js', 'names.js'] });
for (const name of ['netmapcache.d.ts', 'netmap.d.ts', 'names.d.ts', 'program.d.ts', 'worker.d.ts', 'netmapcache.wasm.d.ts', 'package.json', '../../LICENSE']) await cp(join(here, name), join(dist, name.replace(/^.*\//, '')));

const { outputFiles, metafile } = await build({ ...options, ...entries, minify: true, write: false, metafile: true });
const size = reading('netmapcache.js').reduce((sum, { contents }) => sum + brotliCompressSync(contents).length, 0);
console.log(`reading: ${size} bytes of brotli, minified, of ${budget}`);
if (size > budget) throw new Error('netmapcache.js is above its budget');

const program = 'netmapcache.wasm';
writeNotices(join(dist, 'THIRD_PARTY_NOTICES.txt'), [...bundled(here, [{ metafile }]), [program, [join(dist, `${program}.THIRD_PARTY_NOTICES.txt`)]]]);

// reading returns a file and those that it imports at once.
function reading(name) {
  const file = outputFiles.find(({ path }) => path === join(dist, name));
  const { imports } = Object.entries(metafile.outputs).find(([path]) => path.endsWith(name))[1];
  return [file, ...imports.filter(({ kind }) => kind === 'import-statement').flatMap(({ path }) => reading(path.replace(/^.*\//, '')))];
}
