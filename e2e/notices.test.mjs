// The notices of what is linked and bundled, in each thing that is given to others, against what the linker and npm say is in it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = (name) => join(root, 'dist', name);

// sections returns the notices by what they are of.
const sections = async (file) => sectionsOf(await readFile(file, 'utf8'));

function sectionsOf(text) {
  const [, ...parts] = text.split(/^={80}\n/m);
  const found = {};
  for (let i = 0; i < parts.length; i += 2) found[parts[i].trim()] = parts[i + 1];
  return found;
}

// check sees that each of the names has a license with a copyright in the notices.
function check(notices, names) {
  assert.ok(names.length > 0, 'something is in it');
  for (const name of names) assert.match(notices[name] ?? '', /copyright/i, `a license of ${name}`);
}

for (const program of ['netmapcache.wasm', 'client.wasm', 'netmapcache', 'tailnet']) {
  test(`notices of what ${program} links`, async () => {
    const linked = (await readFile(dist(program), 'latin1')).matchAll(/^dep\t(\S+\t\S+)\th1:/gm); // as `go version -m` reads it
    const notices = await sections(dist(`${program}.THIRD_PARTY_NOTICES.txt`));
    const [ofGo] = Object.keys(notices).filter((name) => /^The standard library and runtime of go1\./.test(name));
    check(notices, [ofGo, ...new Set([...linked].map(([, module]) => module.replace('\t', ' ')))]);
  });
}

test('the npm package has those of its program, and of the npm packages in its module', async () => {
  const [name] = (await readdir(dist('.'))).filter((name) => /^netmapcache-\d.*\.tgz$/.test(name));
  const packed = execFileSync('tar', ['-xzOf', dist(name), 'package/THIRD_PARTY_NOTICES.txt'], { encoding: 'utf8' });
  const notices = sectionsOf(packed);
  for (const [name, text] of Object.entries(await sections(dist('netmapcache.wasm.THIRD_PARTY_NOTICES.txt')))) assert.equal(notices[name]?.trim(), text.trim(), name);
  const { packages } = JSON.parse(await readFile(join(root, 'web/package-lock.json'), 'utf8'));
  check(notices, ['idb', '@noble/hashes'].map((name) => `${name} ${packages[`node_modules/${name}`].version}`));
});

test('the page has those of its npm packages and programs, and keeps them offline', async () => {
  const notices = await sections(dist('page/THIRD_PARTY_NOTICES.txt'));
  const { packages } = JSON.parse(await readFile(join(root, 'web/app/package-lock.json'), 'utf8'));
  // esbuild makes the page, and isn't in it, nor are types.
  const others = Object.entries(packages).filter(([path, { optional }]) => path && path !== 'node_modules/esbuild' && !path.startsWith('node_modules/@types/') && !optional);
  check(notices, others.map(([path, { version }]) => `${path.replace('node_modules/', '')} ${version}`));
  for (const program of ['netmapcache.wasm', 'client.wasm']) {
    for (const [name, text] of Object.entries(await sections(dist(`${program}.THIRD_PARTY_NOTICES.txt`)))) assert.equal(notices[name], text, name);
  }
  assert.match(await readFile(dist('page/sw.js'), 'utf8'), /THIRD_PARTY_NOTICES\.txt/);
});
