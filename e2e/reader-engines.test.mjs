// Compares the JavaScript reader with Go in browsers, as reader.test.mjs does in Node.js, with fewer cases.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch } from './browser.mjs';
import { engines, startFor } from './engines.mjs';
import { report } from './report.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const script = `
  import { columnKeys, openRoot, Snapshot } from '/web/cache/reader/snapshot.js';

  const isObject = (value) => typeof value === 'object' && value !== null;
  const same = (a, b) => isObject(a) && isObject(b)
    ? Array.isArray(a) === Array.isArray(b) && Object.keys(a).length === Object.keys(b).length && Object.keys(a).every((name) => Object.hasOwn(b, name) && same(a[name], b[name]))
    : Object.is(a, b);
  const whole = ({ netmap, peers, users }) => ({ ...netmap, Peers: peers, UserProfiles: users });
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  const result = { cases: 0, equal: 0, wrong: [] };
  let base = {};
  for (const line of (await (await fetch('/cases')).text()).split('\\n').filter(Boolean)) {
    const { Name, Base, Values, Code, Netmap } = JSON.parse(line);
    const database = Base ? {} : { ...base };
    for (const [key, value] of Object.entries(Values)) database[key] = value === null ? undefined : bytes(value);
    if (Base) base = database;
    result.cases++;
    try {
      const root = await openRoot(database.self);
      const snapshot = await Snapshot.make(database.self, root, columnKeys(database.self).map((key) => database[key]));
      const map = whole(await snapshot.decode());
      if (Code || (Netmap && !same(map, Netmap))) result.wrong.push(Name);
      else if (Netmap) result.equal++;
    } catch (err) {
      if (err.code !== Code) result.wrong.push(Name + ': ' + err);
    }
  }
  await fetch('/result', { method: 'POST', body: JSON.stringify(result) });
`;

async function chromium() {
  const browser = await launch();
  return { open: async (url) => (await browser.newPage()).goto(url), close: () => browser.close(), gone: new Promise((resolve) => browser.on('disconnected', resolve)) };
}

for (const name of ['chromium', ...Object.keys(engines)]) {
  test(name, async (t) => {
    const browser = name === 'chromium' ? await chromium() : await startFor(t, name);
    if (!browser) return;
    const { cases, equal, wrong } = await report(browser, root, script, {
      '/cases': (_, response) => spawn('go', ['run', './e2e/reader', '-n', '30', '-one-in', '21'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] }).stdout.pipe(response),
    });
    t.diagnostic(`${cases} cases, ${equal} equal network maps`);
    assert.deepEqual(wrong, []);
    assert.ok(cases > 1000 && equal > 200, `${cases} cases, ${equal} equal`);
  });
}
