// Reads exported files with the JavaScript reader, each in a process of its own, and prints what that took:
//
//	node e2e/hostile.mjs FILE…
//
// The files are those that TestHostileFiles of Go keeps (-hostile.keep).

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

import { NetmapCacheError } from '../web/cache/error.js';
import { readExported } from '../web/cache/reader/exported.js';

// read prints what reading a file took beyond what the process had before.
async function read(path) {
  const file = new Uint8Array(await readFile(path));
  const before = process.resourceUsage();
  let outcome = 'read';
  try {
    await (await readExported(file)).decode();
  } catch (err) {
    if (!(err instanceof NetmapCacheError)) throw err;
    outcome = err.code;
  }
  const after = process.resourceUsage();
  const ms = (after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime) / 1000;
  console.log(`| ${basename(path)} | ${file.length} | ${Math.round((after.maxRSS - before.maxRSS) / 1024)} MiB | ${Math.round(ms)} ms | ${outcome} |`);
}

const [first, ...files] = process.argv.slice(2);
if (first === '--one') await read(files[0]);
else for (const file of [first, ...files]) process.stdout.write(execFileSync(process.execPath, [fileURLToPath(import.meta.url), '--one', file]));
