// Tests the snapshot in pieces, and in one piece.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nameKey, nodeName } from '../web/app/format.js';
import { database, page } from './module-pages.mjs';
import { netmap } from './netmap.mjs';

// Names whose order is easily got wrong, each the one label of a peer's name.
const names = ['b', 'B', 'a10', 'a9', 'a09', 'a', 'A2b', 'a-1', 'a1', 'a1x', '0', '00', '7', '1'.repeat(130), '2'.repeat(130), '~', '-', 'Z', '_', 'é', 'É', '\uffee', '\ue000', '\u{1f98a}', '\u{10ffff}', '\ud7ff', 'a'];

test('a netmap in pieces', async () => {
  const map = netmap(700);
  names.forEach((name, i) => (map.Peers[i].Name = `${name}.example.`));
  map.Peers[names.length].Name = '';
  map.Peers[names.length + 1].Name = '';
  map.Peers[names.length + 1].Hostinfo.Hostname = '';
  map.Peers[300].User = 101;
  map.Peers[500].Sharer = 102;
  for (const ID of [101, 102, 103]) map.UserProfiles[ID] = { ID, LoginName: `${ID}@example.com`, DisplayName: '' };
  const { pieces, all } = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    await cache.store(map);
    const pieces = [];
    await cache.stream((piece) => pieces.push(piece));
    return { pieces, all: await cache.load() };
  }, database, map);

  const { Peers, UserProfiles, ...rest } = all;
  assert.deepEqual(pieces[0].netmap, rest);
  assert.ok(pieces.slice(1).every((piece) => !('netmap' in piece)));
  assert.deepEqual(pieces.map(({ users }) => Object.keys(users)), [['100', '9007199254740993'], ['101'], ['102'], ['103']]);
  assert.deepEqual(Object.assign({}, ...pieces.map(({ users }) => users)), UserProfiles);
  assert.deepEqual(pieces.map(({ total, peers }) => [total, peers.length]), [[700, 100], [700, 256], [700, 256], [700, 88]]);
  const key = new Map(Peers.map((peer) => [peer, nameKey(nodeName(peer))]));
  const sorted = Peers.toSorted((a, b) => (key.get(a) < key.get(b) ? -1 : key.get(a) > key.get(b) ? 1 : 0));
  assert.deepEqual(pieces.flatMap(({ peers }) => peers).map(nodeName), sorted.map(nodeName));
  assert.deepEqual(pieces.flatMap(({ peers }) => peers), sorted);
});

test('the order of names is what people expect', () => {
  const sorted = ['b', 'a10', 'A9', 'a-1', 'c1'].toSorted((a, b) => (nameKey(a) < nameKey(b) ? -1 : 1));
  assert.deepEqual(sorted, ['a-1', 'A9', 'a10', 'b', 'c1']);
});

test('a netmap without peers is one piece', async () => {
  const pieces = await page.evaluate(async (database, maps) => {
    const cache = await test.openCache({ database });
    const pieces = [];
    for (const map of maps) {
      await cache.store(map);
      await cache.stream(({ total, peers }) => pieces.push([total, peers]));
    }
    return pieces;
  }, database, [{ ...netmap(0), Peers: null }, netmap(0)]);
  assert.deepEqual(pieces, [[0, []], [0, []]]);
});

test('a callback that throws ends the stream, and nothing else', async () => {
  const seen = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    await cache.store(map);
    let calls = 0;
    const thrown = await test.attempt(cache.stream(() => {
      calls++;
      throw new TypeError('no good');
    }));
    return { calls, thrown, afterwards: (await cache.load()).Peers.length, none: await test.attempt(cache.stream()) };
  }, database, netmap(500));
  assert.deepEqual(seen, { calls: 1, thrown: 'TypeError: no good', afterwards: 500, none: 'invalid-argument' });
});

test('the next piece waits for a callback', async () => {
  const seen = await page.evaluate(async (database, map) => {
    const cache = await test.openCache({ database });
    await cache.store(map);
    const steps = [];
    await cache.stream(async ({ peers }) => {
      steps.push(`begin ${peers.length}`);
      await cache.info();
      steps.push('end');
    });
    let pieces = 0;
    const rejected = await test.attempt(cache.stream(async () => {
      pieces++;
      await cache.info();
      throw new TypeError('enough');
    }));
    return { steps, rejected, pieces };
  }, database, netmap(300));
  assert.deepEqual(seen, { steps: ['begin 100', 'end', 'begin 200', 'end'], rejected: 'TypeError: enough', pieces: 1 });
});

test('what is exported can be imported elsewhere', async () => {
  const seen = await page.evaluate(async (database, map) => {
    const from = await test.openCache({ database, owner: 'alice' });
    await from.store(map);
    const snapshot = await from.export();
    const original = JSON.stringify(await from.load());
    const result = { type: snapshot.constructor.name, loaded: [] };
    const forms = { bytes: snapshot, buffer: snapshot.buffer, view: new DataView(new Uint8Array([0, ...snapshot]).buffer, 1), blob: new Blob([snapshot]) };
    for (const [name, form] of Object.entries(forms)) {
      const to = await test.openCache({ database: `${database} ${name}` });
      await to.import(form);
      const { owner, generation } = await to.info();
      result.loaded.push([JSON.stringify(await to.load()) === original, owner, generation]);
    }

    const kept = await test.openCache({ database: `${database} kept` });
    await kept.store({ ...map, Domain: 'kept.example.com' });
    const flipped = snapshot.slice();
    flipped[flipped.length - 1] ^= 1;
    result.refused = [];
    for (const bad of [flipped, snapshot.slice(0, -1), new Uint8Array(), 'text', null]) result.refused.push(await test.attempt(kept.import(bad)));
    const bob = await test.openCache({ database: `${database} kept`, owner: 'bob' });
    result.refused.push(await test.attempt(bob.import(snapshot)));
    result.kept = (await kept.load()).Domain;
    await kept.clear();
    result.nothing = await test.attempt(kept.export());
    return result;
  }, database, netmap(300));
  assert.deepEqual(seen, {
    type: 'Uint8Array',
    loaded: Array(4).fill([true, 'alice', 1]),
    refused: ['corrupt', 'corrupt', 'corrupt', 'invalid-argument', 'invalid-argument', 'wrong-owner'],
    kept: 'kept.example.com',
    nothing: 'not-available',
  });
});
