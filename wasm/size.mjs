// Prints the size of a WebAssembly file as it is, by gzip and by brotli, in bytes.
// Exits with 1 if brotli's, which is what a browser downloads, is above the budget.

import { readFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const budget = 1_400_000; // 1,391,483 by Go 1.27, the newest that is promised; 1,279,334 by Go 1.26

const file = process.argv[2];
const raw = readFileSync(file);
const gzip = gzipSync(raw, { level: 9 });
const brotli = brotliCompressSync(raw, {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
  },
});

const show = (n) => n.toLocaleString('en').padStart(10);
console.log(file);
console.log(`  raw    ${show(raw.length)}`);
console.log(`  gzip   ${show(gzip.length)}`);
console.log(`  brotli ${show(brotli.length)} of ${show(budget)}`);
if (brotli.length > budget) {
  console.error(`${file} is above its budget`);
  process.exit(1);
}
