// Compares the JavaScript reader with Go, on equal bytes: netmaps of all kinds, accidents, and attacks. Go tells what it
// makes of them: e2e/reader.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { NetmapCacheError } from '../web/cache/error.js';
import { toJSON } from '../web/cache/json.js';
import { readExported, writeExported } from '../web/cache/reader/exported.js';
import { decode, list } from '../web/cache/reader/decoder.js';
import { pieces } from '../web/cache/reader/pieces.js';
import { checkUse, columnKeys, openRoot, Snapshot } from '../web/cache/reader/snapshot.js';
import { tailcfgFilterRule, tailcfgNode, tailcfgSSHAction, tailcfgSSHPolicy, tailcfgUserProfile } from '../web/cache/reader/structs.js';

const n = process.env.TORTURE ? 5000 : 150;

// load returns the network map in a database, which is an object from keys to bytes.
async function load(database) {
  const root = await openRoot(database.self);
  const values = columnKeys(database.self).map((key) => database[key]);
  return Snapshot.make(database.self, root, values);
}

// whole returns the network map of a snapshot in one piece.
async function whole(snapshot) {
  const { netmap, peers, users } = await snapshot.decode();
  return { ...netmap, Peers: peers, UserProfiles: users };
}

// apart returns the same by way of only checking what isn't asked for.
async function apart(snapshot) {
  const { netmap, peers, users } = await snapshot.check();
  const profiles = users && Object.fromEntries(Object.entries(users).map(([id, place]) => [id, snapshot.userAt(place)]));
  assert.deepEqual((await snapshot.withoutPeers()).users, profiles);
  return { ...netmap, Peers: peers && (await snapshot.peers({ offset: 0, limit: peers.length, search: '' })).peers, UserProfiles: profiles };
}

const verdict = (promise) => promise.then(() => undefined, (err) => err.code ?? err);

const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'));

// cases yields what e2e/reader writes.
async function* cases(...args) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const go = spawn('go', ['run', './e2e/reader', ...args], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => go.on('close', resolve));
  let base = {};
  for await (const line of createInterface({ input: go.stdout })) {
    const { Name, Base, Values, Code, Netmap } = JSON.parse(line);
    const database = Base ? {} : { ...base };
    for (const [key, value] of Object.entries(Values)) {
      if (value === null) delete database[key];
      else database[key] = bytes(value);
    }
    if (Base) base = database;
    yield { name: Name, database, code: Code, netmap: Netmap };
  }
  assert.equal(await ended, 0, 'e2e/reader failed');
}

test('what JavaScript reads is what Go reads', async (t) => {
  const counts = {};
  for await (const { name, database, code, netmap } of cases('-n', String(n), '-step', process.env.TORTURE ? '1' : '7')) {
    const snapshot = await load(database).catch(() => {});
    if (snapshot) assert.equal(await verdict(snapshot.check()), code, `${name}: only checked`);
    let actual;
    try {
      actual = await whole(await load(database));
    } catch (err) {
      assert.ok(err instanceof NetmapCacheError, `${name}: ${err.stack}`);
      assert.equal(err.code, code, `${name}: ${err.message}, where Go has ${code ?? 'a network map'}`);
      counts[code] = (counts[code] ?? 0) + 1;
      continue;
    }
    assert.equal(code, undefined, `${name}: read, where Go has an error`);
    if (netmap) assert.deepEqual(actual, netmap, name);
    assert.deepEqual(await apart(snapshot), actual, name);
    counts[netmap ? 'equal' : 'beyond JSON'] = (counts[netmap ? 'equal' : 'beyond JSON'] ?? 0) + 1;
  }
  t.diagnostic(JSON.stringify(counts));
});

// Databases with two peers, and with some more.
let little;
let realistic;
before(async () => {
  for await (const { name, database } of cases('-netmaps', '-n', '40')) {
    if (name === 'realistic 1000002') little = database;
    if (name === 'realistic 1000039') realistic = database;
  }
});

const rejects = (promise, code) => assert.rejects(promise, (err) => err instanceof NetmapCacheError && err.code === code);

test('an exported snapshot', async () => {
  const snapshot = await load(realistic);
  const values = snapshot.values();
  const file = writeExported(values);
  assert.deepEqual(await whole(await readExported(file)), await whole(snapshot));
  for (let length = 0; length < file.length; length += 37) await rejects(readExported(file.subarray(0, length)), 'corrupt');
  for (const wrong of [
    [], [values[0]], values.slice(0, -1), [...values, values.at(-1)], values.slice(1), values.toSpliced(1, 2, values[2], values[1]),
  ]) await rejects(readExported(writeExported(wrong)), 'corrupt');
});

test('every bit and every length of every column', async () => {
  const { columns } = await openRoot(little.self);
  for (const column of columns) {
    const value = little[column.key];
    const damaged = (data) => rejects(Snapshot.make(little.self, { columns: [column] }, [data]), 'corrupt');
    for (let i = 0; i < value.length; i++) {
      const flips = Array.from({ length: 8 }, (_, bit) => value.with(i, value[i] ^ (1 << bit)));
      await Promise.all([damaged(value.subarray(0, i)), ...flips.map(damaged)]);
    }
  }
});

test('the file that the command is tested with is one that a page writes', async () => {
  const file = await readFile(new URL('../cmd/netmapcache/testdata/page.netmap', import.meta.url));
  const snapshot = await readExported(new Uint8Array(file));
  assert.deepEqual(writeExported(snapshot.values()), new Uint8Array(file));
});

test('elements of another part', async () => {
  const database = realistic;
  const root = await openRoot(database.self);
  const values = columnKeys(database.self).map((key) => database[key]);
  const parts = { PeerParts: 4, UserParts: 4 };
  assert.ok(root.PeerParts === 1 && root.UserParts === 1);
  for (const [field, n] of Object.entries(parts)) {
    const snapshot = await Snapshot.make(database.self, { ...root, [field]: n }, values);
    await rejects(snapshot.decode(), 'corrupt');
  }
});

test('fields that the writer had no numbers for', () => {
  const text = (value) => {
    const utf8 = new TextEncoder().encode(value);
    return [0x78, utf8.length, ...utf8];
  };
  const read = (...entries) => decode(Uint8Array.of(0xa0 + entries.length, ...entries.flat()), tailcfgUserProfile);
  const zero = { ID: 0, LoginName: '', DisplayName: '' };
  assert.deepEqual(read([0x20, ...text('{"New":{"a":[1]},"__proto__":2}')]), { ...zero, New: { a: [1] }, ['__proto__']: 2 });
  assert.deepEqual(read([1, 7], [0x20, ...text('{"New":"x","ID":8}')]), { ...zero, ID: 7, New: 'x' });
  for (const wrong of [['[]'], ['1'], ['null'], ['{'], ['']]) assert.throws(() => read([0x20, ...text(...wrong)]), /JSON object/);
  assert.throws(() => read([0x20, ...text('{}')], [1, 7]), /after the last/);
  assert.throws(() => read([0x21, 0]), /another kind/);
});

test('a name that begins like another one begins like that of the same peer', () => {
  const name = [3, 0x63, 0x61, 0x62, 0x63];
  const likeName = [21, 3]; // its first three bytes
  for (const brief of [false, true]) {
    const read = (...data) => decode(Uint8Array.of(0x82, 0xa2, ...name, ...likeName, ...data), () => list(tailcfgNode), brief);
    read(0xa2, ...name, ...likeName);
    for (const without of [[0xa1, ...likeName], [0xa2, 2, 0x63, 0x61, 0x62, 0x63, ...likeName]]) assert.throws(() => read(...without), /wrong length/);
  }
});

test('durations that a number of JavaScript cannot hold', () => {
  const read = (...bytes) => decode(Uint8Array.of(0xa1, 4, ...bytes), tailcfgSSHAction).sessionDuration;
  assert.equal(read(0x1b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), Number.MAX_SAFE_INTEGER);
  assert.equal(read(0x1b, 0, 0x20, 0, 0, 0, 0, 0, 1), '9007199254740993');
  assert.equal(read(0x3b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), '-9007199254740992');
});

test('whose snapshot, and how old', () => {
  const day = 24 * 3600_000;
  const root = (confirmed, Owner = 'alice') => ({ confirmed: Date.now() + confirmed, Owner });
  const code = (...args) => {
    try {
      checkUse(...args);
    } catch (err) {
      return err.code;
    }
  };
  assert.equal(code(root(-day), { owner: 'bob', maxAge: 1 }), 'wrong-owner');
  assert.equal(code(root(-day), { owner: 'alice', maxAge: 2 * day }), undefined);
  assert.equal(code(root(-day), { owner: '', maxAge: day / 2 }), 'expired');
  assert.equal(code(root(day / 2), { owner: '', maxAge: 1000 }), undefined);
  assert.equal(code(root(2 * day), { owner: '', maxAge: 1000 }), 'expired');
  assert.equal(code(root(2 * day), { owner: '', maxAge: 0 }), undefined);
});

test('arguments are written as JSON', async () => {
  const map = await whole(await load(realistic));
  const odd = { a: [undefined, 1, [2], () => {}], b: undefined, c() {}, d: { e: undefined, f: { g: null } }, 'x"': 'y', time: new Date(0), __proto__: { h: 1 } };
  for (const value of [map, { Update: map.Peers, Remove: [] }, map.UserProfiles, map.PacketFilterRules, odd, [], {}, [{ a: 1 }, null, undefined]]) {
    assert.equal(await toJSON(value), JSON.stringify(value));
  }
  const cyclic = { Peers: [{}] };
  cyclic.Peers[0].self = cyclic;
  await rejects(toJSON(cyclic), 'invalid-argument');
});

// Lists of what takes a byte each. Structs are the worst, and so their number is bounded.
test('memory is in proportion to what is read', (t) => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  const join = (...pieces) => new Uint8Array(Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
  const many = (byte, n) => join([0x9a, n >> 24, n >> 16, n >> 8, n], new Uint8Array(n).fill(byte));
  const million = 1 << 20;
  const noise = million; // of the heap
  const columns = {
    'empty peers': [many(0xa0, million), () => list(tailcfgNode), 0],
    'as many as there may be': [many(0xa0, 80_000), () => list(tailcfgNode), 100],
    'empty texts': [join([0xa1, 16], many(0x60, million)), tailcfgNode, 16],
    'no resolvers': [join([0xa1, 0x18, 35], many(0xf6, million)), tailcfgNode, 16],
    'empty resolvers': [join([0xa1, 0x18, 35], many(0xa0, million)), tailcfgNode, 0],
    'empty rules': [many(0xa0, million), () => list(tailcfgFilterRule), 0],
    'no rules': [join([0xa1, 1], many(0xf6, million)), tailcfgSSHPolicy, 16],
  };
  const outcome = (...args) => {
    try {
      return decode(...args);
    } catch (err) {
      return err;
    }
  };
  // measure returns how much memory what is made of data takes.
  const measure = (...args) => {
    gc();
    const before = process.memoryUsage().heapUsed;
    const kept = outcome(...args);
    gc();
    return [process.memoryUsage().heapUsed - before, kept?.message ?? 'read'];
  };
  for (const [name, [data, value, most]] of Object.entries(columns)) {
    for (const brief of [false, true]) {
      const [taken, how] = measure(data, value, brief);
      t.diagnostic(`${name}${brief ? ', only checked' : ''}: ${how}, ${(taken / data.length).toFixed(1)} times its bytes`);
      assert.ok(taken < noise + (brief ? 0 : most * data.length), `${name}: ${taken} bytes`);
    }
  }
});

// Work on columns of some 50 peers, and on peers, is done in pieces of one at most.
test('long work lets others have their turn', async (t) => {
  const snapshot = await load(realistic);
  const columns = snapshot.root.columns.length;
  const map = await whole(snapshot);
  const peers = map.Peers.length;
  const users = Object.keys(map.UserProfiles).length;
  const last = async (all) => {
    for await (const piece of all) if (!piece.peers) return;
  };
  const work = {
    decode: [columns, () => snapshot.decode()],
    withoutPeers: [columns, () => snapshot.withoutPeers()],
    check: [columns, () => snapshot.check()],
    names: [columns, () => snapshot.names()],
    peers: [peers, () => snapshot.peers({ offset: 0, limit: peers, search: '' })],
    search: [columns + peers, () => snapshot.peers({ offset: 0, limit: 1, search: 'linux' })],
    pieces: [columns + 2 * peers + users, () => last(pieces(snapshot))],
    json: [peers, () => toJSON(map)],
  };
  let now = 0;
  t.mock.method(performance, 'now', () => (now += 100)); // as if each look at the clock took as long
  for (const [name, [least, run]] of Object.entries(work)) {
    let turns = 0;
    let done = false;
    const count = () => done || (turns++, setImmediate(count));
    setImmediate(count);
    await run();
    done = true;
    assert.ok(turns >= least - 1, `${name}: ${turns} turns, want ${least}`);
  }
});
