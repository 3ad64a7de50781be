// Has several tabs commit to one database and load from it at the same time.

import assert from 'node:assert/strict';
import { after as afterAll, before, test } from 'node:test';

import { launch } from './browser.mjs';
import { after } from './history.mjs';
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

// zones returns, for each call of a history, the time by which some operation that saw its
// value must have ended, and the last time at which such an operation can have begun.
function zones(history) {
  const name = (value) => JSON.stringify(value);
  const zones = new Map([[name('not-available'), { call: 'the start', ended: 0, begun: 0, written: 0 }]]);
  for (const { type, writer, k, begin, end } of history) {
    if (type === 'call') zones.set(name(after(writer, k)), { call: `${writer}-${k}`, ended: end, begun: begin, written: begin });
  }
  for (const { type, value, begin, end } of history) {
    if (type !== 'load') continue;
    const zone = zones.get(name(value));
    assert.ok(zone, `a load gave ${name(value)}, which no call left`);
    assert.ok(end > zone.written, `${zone.call} was loaded before it began`);
    zone.ended = Math.min(zone.ended, end);
    zone.begun = Math.max(zone.begun, begin);
  }
  return [...zones.values()];
}

// checkAtomic checks that the operations of a history can be put in an order in which each
// load gives what the last call before it left, and which keeps those apart that didn't
// overlap. By P. Gibbons and E. Korach, Testing Shared Memories, SIAM J. Comput. 26 (1997),
// for writes of distinct values: zones between an operation that ended and one that began later
// exclude each other, and hold no zone of operations that all overlapped.
function checkAtomic(history) {
  const all = zones(history);
  const forward = all.filter((zone) => zone.ended < zone.begun).sort((a, b) => a.ended - b.ended);
  for (let i = 1; i < forward.length; i++) {
    const [a, b] = [forward[i - 1], forward[i]];
    assert.ok(a.begun <= b.ended, `${a.call} was current after ${b.call} replaced it`);
  }
  for (const { call, ended, begun } of all) {
    if (ended < begun) continue;
    const around = forward.find((zone) => zone.ended < begun && ended < zone.begun);
    assert.ok(!around, `${call} came and went while ${around?.call} was current`);
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
