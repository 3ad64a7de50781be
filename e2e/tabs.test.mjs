// Has several tabs commit to one database and load from it at the same time.

import assert from 'node:assert/strict';
import { after as afterAll, before, test } from 'node:test';

import { launch } from './browser.mjs';
import { after, written } from './history.mjs';
import { openPage, startServer } from './lab.mjs';

const torture = Boolean(process.env.TORTURE);

let server;
let browser;

before(async () => {
  server = await startServer();
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

// work has a page make calls as a writer, and loads beside them through another cache. It
// returns what each did and when: no earlier than begin, before end.
const work = (page, database, writer, calls) =>
  page.evaluate(
    async (database, writer, calls) => {
      const caches = [await lab.openCache({ database }), await lab.openCache({ database })];
      const history = [];
      const record = async (type, k, promise) => {
        const begin = Date.now();
        const value = await promise();
        history.push({ type, writer, k, begin, end: Date.now() + 1, value });
      };
      let writing = true;
      await Promise.all([
        (async () => {
          for (let k = 0; k < calls; k++) await record('call', k, () => lab.attempt(lab.perform(caches[0], writer, k)));
          writing = false;
        })(),
        (async () => {
          while (writing) await record('load', 0, () => lab.loaded(caches[1]));
        })(),
      ]);
      return history;
    },
    database,
    writer,
    calls,
  );

const parts = ['self', 'peer', 'others', 'profile', 'filter'];

// callsByMark returns the calls of a history by the mark that they leave.
function callsByMark(history) {
  const calls = new Map();
  for (const { type, writer, k, begin, end } of history) {
    if (type === 'call') calls.set(`${writer}-${k}`, { mark: `${writer}-${k}`, writes: written(writer, k), begin, end });
  }
  return calls;
}

// checkAtomic checks a history of calls and loads for an order of them in which each load
// gives what the calls before it left, and which keeps those apart that didn't overlap.
function checkAtomic(history) {
  const calls = callsByMark(history);
  const loads = history.filter(({ type }) => type === 'load');
  for (const { value } of loads) {
    if (value !== 'not-available') checkLoad(value, calls);
  }
  for (const part of parts) checkPart(part, [...calls.values()].filter(({ writes }) => part in writes), loads);
}

// checkLoad checks one load. Where it saw a call in one part, it saw in each other part that
// this call writes either the same call, or one that came later.
function checkLoad(value, calls) {
  const seen = Object.fromEntries(parts.map((part) => [part, calls.get(value[part])]));
  for (const part of parts) assert.ok(seen[part] && part in seen[part].writes, `no call left ${value[part]} in ${part}`);
  assert.equal(value.peers, seen.others.writes.peers, `peers of ${value.others}`);
  for (const a of parts) {
    for (const b of parts) {
      const [first, later] = [seen[a], seen[b]];
      if (first === later || !(b in first.writes)) continue;
      const mixed = `a load gave ${JSON.stringify(value)}: ${later.mark} in ${b}, but not in ${a}, which ${first.mark} wrote`;
      assert.ok(!(a in later.writes), mixed);
      assert.ok(later.end > first.begin, `${mixed} after it`);
    }
  }
}

// checkPart checks one part of the map as a register. By P. Gibbons and E. Korach, Testing
// Shared Memories, SIAM J. Comput. 26 (1997), for writes of distinct values: a zone spans the
// operations that saw a value. Zones between an operation that ended and one that began later
// exclude each other, and hold no zone of operations that all overlapped.
function checkPart(part, calls, loads) {
  const start = { mark: 'the start', begin: 0, ended: 0, begun: 0 };
  const zones = new Map(calls.map(({ mark, begin, end }) => [mark, { mark, begin, ended: end, begun: begin }]));
  for (const { value, begin, end } of loads) {
    const zone = value === 'not-available' ? start : zones.get(value[part]);
    assert.ok(end > zone.begin, `${zone.mark} was loaded before it began`);
    zone.ended = Math.min(zone.ended, end);
    zone.begun = Math.max(zone.begun, begin);
  }
  const all = [start, ...zones.values()];
  const forward = all.filter((zone) => zone.ended < zone.begun).sort((a, b) => a.ended - b.ended);
  for (let i = 1; i < forward.length; i++) {
    const [a, b] = [forward[i - 1], forward[i]];
    assert.ok(a.begun <= b.ended, `${a.mark} was current in ${part} after ${b.mark} replaced it`);
  }
  for (const { mark, ended, begun } of all) {
    if (ended < begun) continue;
    const around = forward.find((zone) => zone.ended < begun && ended < zone.begun);
    assert.ok(!around, `${mark} came and went in ${part} while ${around?.mark} was current`);
  }
}

for (const [tabs, calls] of torture ? [[2, 1000], [8, 100]] : [[2, 100], [8, 10]]) {
  test(`${tabs} tabs at once`, async (t) => {
    const database = `${tabs} tabs`;
    const pages = await Promise.all(Array.from({ length: tabs }, () => openPage(browser, server.origin)));
    // The database is made by all of them.
    const histories = await Promise.all(pages.map((page, i) => work(page, database, `tab ${i}`, calls)));
    const last = await work(pages[1], database, 'last', 1);
    const history = [...histories.flat(), ...last];

    assert.deepEqual(
      history.filter(({ type, value }) => type === 'call' && value !== 'fulfilled'),
      [],
    );
    checkAtomic(history);
    const end = await pages[0].evaluate(async (database) => {
      const cache = await lab.openCache({ database });
      return [await lab.loaded(cache), await lab.orphans(cache, database)];
    }, database);
    assert.deepEqual(end, [after('last', 0), 0]);
    t.diagnostic(`${tabs * calls} calls, ${history.filter(({ type }) => type === 'load').length} loads`);
    await Promise.all(pages.map((page) => page.close()));
  });
}
