// Searches for columns of which the JavaScript reader makes something else than Go, or which it fails over. Columns are changed at
// random; those that make the reader run code that no other did are kept and changed further. The corpus, what earlier searches
// kept, is in e2e/reader/corpus:
//
//   [TORTURE=1] [SEED=n] [KEEP=1] node --test reader-fuzz.test.mjs
//
// With KEEP what is found is added to the corpus.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { NetmapCacheError } from '../web/cache/error.js';
import { columnKeys, openRoot, Snapshot } from '../web/cache/reader/snapshot.js';

const n = process.env.TORTURE ? 100_000 : 1_500;
const { SEED = process.env.TORTURE ? String(Date.now() % 1e6) : '1', KEEP } = process.env;
const corpus = fileURLToPath(new URL('reader/corpus/', import.meta.url));

// random returns a function that returns whole numbers below a bound: mulberry32.
function random(seed) {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  };
}

const heads = [0, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1f, 0x20, 0x3b, 0x40, 0x44, 0x50, 0x58, 0x5f, 0x60, 0x61, 0x7f, 0x80, 0x82, 0x9f, 0xa0, 0xa1, 0xbf, 0xc0, 0xf4, 0xf5, 0xf6, 0xf8, 0xf9, 0xfb, 0xff];

// mutate returns data with one to three changes.
function mutate(below, data, others) {
  const bytes = [...data];
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const at = below(bytes.length + 1);
    const length = below(9);
    const other = others[below(others.length)].data;
    const from = below(other.length + 1);
    const change = [
      () => at < bytes.length && (bytes[at] ^= 1 << below(8)),
      () => at < bytes.length && (bytes[at] += below(3) - 1),
      () => at < bytes.length && (bytes[at] = heads[below(heads.length)]),
      () => bytes.splice(at, 0, heads[below(heads.length)]),
      () => bytes.splice(at, length),
      () => bytes.splice(at, 0, ...bytes.slice(at, at + length)),
      () => bytes.splice(at, length, ...other.slice(from, from + below(33))),
      () => bytes.splice(at, 0, ...Array.from({ length }, () => below(256))),
    ];
    change[below(change.length)]();
  }
  return Uint8Array.from(bytes);
}

// startJudge runs Go, which tells what it makes of columns: e2e/reader.
async function startJudge() {
  const go = spawn('go', ['run', './e2e/reader', '-judge'], { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: go.stdout })[Symbol.asyncIterator]();
  const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'));
  let base = {};
  const next = async () => {
    const { Values, Code, Netmap } = JSON.parse((await lines.next()).value);
    const database = { ...base };
    for (const [key, value] of Object.entries(Values)) database[key] = value === null ? undefined : bytes(value);
    return { database, code: Code, netmap: Netmap };
  };
  const first = await next();
  base = first.database;
  return {
    base,
    async ask({ index, data }) {
      go.stdin.write(`${JSON.stringify({ Index: index, Data: Buffer.from(data).toString('base64') })}\n`);
      return next();
    },
    end: () => go.stdin.end(),
  };
}

const open = async (database) => Snapshot.make(database.self, await openRoot(database.self), columnKeys(database.self).map((key) => database[key]));
const whole = ({ netmap, peers, users }) => ({ ...netmap, Peers: peers, UserProfiles: users });

// compare fails if the reader makes of a database something else than Go.
async function compare({ database, code, netmap }) {
  const outcome = (promise) => promise.then((value) => ({ value }), (err) => ({ code: err instanceof NetmapCacheError ? err.code : err }));
  const read = await outcome(open(database).then((snapshot) => snapshot.decode()));
  const checked = await outcome(open(database).then((snapshot) => snapshot.check()));
  assert.deepEqual([read.code, checked.code], [code, code]);
  if (netmap) assert.deepEqual(whole(read.value), netmap);
}

test('columns that were changed at random', async (t) => {
  t.diagnostic(`SEED=${SEED}`);
  const below = random(Number(SEED));
  const judge = await startJudge();
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const seen = new Set();
  // isNew reports whether code of the reader has run that had not before.
  const isNew = async () => {
    const before = seen.size;
    const { result } = await session.post('Profiler.takePreciseCoverage');
    for (const { url, functions } of result) {
      if (!url.includes('/web/cache/reader/')) continue;
      for (const { ranges } of functions) for (const { count, startOffset, endOffset } of ranges) if (count > 0) seen.add(`${url} ${startOffset} ${endOffset}`);
    }
    return seen.size > before;
  };

  const { columns } = await openRoot(judge.base.self);
  const kept = columns.map(({ key }, index) => ({ index, data: judge.base[key] }));
  for (const name of (await readdir(corpus)).sort()) kept.push({ index: Number(name.split('-')[0]), data: new Uint8Array(await readFile(corpus + name)) });
  const inCorpus = kept.length;
  try {
    for (const input of kept) {
      await compare(await judge.ask(input));
      await isNew();
    }
    for (let i = 0; i < n; i++) {
      const { index, data } = kept[below(kept.length)];
      const input = { index, data: mutate(below, data, kept) };
      await compare(await judge.ask(input)).catch((err) => {
        throw new Error(`column ${columns[index].name} of the bytes ${Buffer.from(input.data).toString('hex')}: ${err.message}`, { cause: err });
      });
      if (!(await isNew())) continue;
      kept.push(input);
      if (KEEP) await writeFile(`${corpus}${index}-${createHash('sha256').update(input.data).digest('hex').slice(0, 8)}`, input.data);
    }
  } finally {
    judge.end();
    session.disconnect();
  }
  t.diagnostic(`${inCorpus} columns to begin with, ${kept.length - inCorpus} more that ran other code, ${seen.size} pieces of code`);
});
