// Writes the licenses and notices of all that a Go program links, but this repository's own:
//
//	node tools/notices.mjs FILE PACKAGE
//
// GOOS, GOARCH and GOFLAGS tell of the build, and PACKAGE is in the module of the current folder. The builds of the
// JavaScript module and of the page use writeNotices and bundled for what they bundle.

import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const isLicense = (name) => /^(licen[cs]es?|copying|copyright|notices?|patents)\b/i.test(name) && !/\.(go|js|ts)$/.test(name);

// licensesIn returns the paths of the files with licenses in a folder and in those above it, up to root.
function licensesIn(folder, root) {
  const found = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && isLicense(entry.name));
  const here = found.map(({ name }) => join(folder, name)).sort();
  return folder === root ? here : [...licensesIn(dirname(folder), root), ...here];
}

// writeNotices writes what a product is made of besides its own code: parts are pairs of a name and the paths of its licenses.
export function writeNotices(file, parts) {
  const line = '='.repeat(80);
  const text = ['Third-party notices: the code of others that is in here, and its licenses.\n'];
  for (const [name, paths] of parts) {
    if (paths.length === 0) throw new Error(`no license of ${name} was found`);
    text.push(`${line}\n${name}\n${line}\n`, ...paths.map((path) => `${readFileSync(path, 'utf8').trimEnd()}\n`));
  }
  writeFileSync(file, text.join('\n'));
}

// bundled returns the parts of results of esbuild in a folder: the npm packages of which something is in them.
export function bundled(folder, results) {
  const outputs = results.flatMap(({ metafile }) => Object.values(metafile.outputs));
  const inputs = outputs.flatMap((output) => Object.keys(output.inputs));
  const packages = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  return [...packages].sort().map((path) => {
    const root = join(folder, path);
    const { name, version } = JSON.parse(readFileSync(join(root, 'package.json')));
    return [`${name} ${version}`, licensesIn(root, root)];
  });
}

// linked returns the parts of a Go program.
function linked(program) {
  const go = (...args) => execFileSync('go', args, { encoding: 'utf8', maxBuffer: 1 << 26 }).trim();
  const [version, root] = go('env', 'GOVERSION', 'GOROOT').split('\n');
  const parts = new Map([[`The standard library and runtime of ${version}`, new Set(licensesIn(root, root))]]);
  const template = '{{with .Module}}{{if not (or .Main .Replace)}}{{.Path}} {{.Version}}\t{{.Dir}}\t{{$.Dir}}{{end}}{{end}}';
  for (const row of go('list', '-deps', '-f', template, program).split('\n').filter(Boolean).sort()) {
    const [module, top, folder] = row.split('\t');
    if (!parts.has(module)) parts.set(module, new Set());
    for (const path of licensesIn(folder, top)) parts.get(module).add(path);
  }
  return [...parts].map(([name, paths]) => [name, [...paths]]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, program] = process.argv.slice(2);
  writeNotices(file, linked(program));
}
