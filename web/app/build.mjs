// Builds the page into dist/page, or the folder given: the page itself, its two workers and what starts them, and the service
// worker with the list of all files that it keeps. Needs the client in dist/.

import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { bundled, writeNotices } from '../../tools/notices.mjs';
import { options as common } from '../bundle.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const out = process.argv[2] ?? join(dist, 'page');

// The client in dist/ is served beside the page. The module's own program only writes, which the page never does.
const programs = (await readdir(dist)).filter((name) => name === 'client.wasm');

const options = {
  ...common(dist),
  absWorkingDir: here,
  minify: true,
  metafile: true,
  legalComments: 'eof',
  outdir: out,
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const made = [
  await build({ ...options, splitting: true, chunkNames: '[name]', entryPoints: { page: 'main.js' } }),
  await build({ ...options, entryPoints: { 'network-worker': 'network-worker.js', 'model-worker': 'model-worker.js' } }),
  await build({ ...options, format: 'iife', entryPoints: ['workers.js'] }),
];
await build({ ...options, entryPoints: { page: 'page.css' } });
for (const name of ['../index.html', 'manifest.webmanifest', 'icon.svg', 'icon-maskable.svg']) await cp(join(here, name), join(out, basename(name)));
writeNotices(join(out, 'THIRD_PARTY_NOTICES.txt'), [
  ...bundled(here, made),
  ...programs.map((name) => [name, [join(dist, `${name}.THIRD_PARTY_NOTICES.txt`)]]),
]);

// The service worker, last: its list has the digest of each file, and it changes with any of them.
const files = {};
for (const name of (await readdir(out)).sort()) files[name] = await digest(join(out, name));
for (const name of programs) files[name] = await digest(join(dist, name));
const version = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16);
await build({ ...options, format: 'iife', entryPoints: ['sw.js'], define: { FILES: JSON.stringify(files), VERSION: JSON.stringify(version) } });

async function digest(path) {
  return `sha256-${createHash('sha256').update(await readFile(path)).digest('base64')}`;
}
