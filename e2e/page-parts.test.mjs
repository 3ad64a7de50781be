// What the page makes of a network map, without a browser: whose is what, what a search finds, what is known, and when.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { accessOf } from '../web/app/access.js';
import { Contact, silence } from '../web/app/contact.js';
import { knowledgeOf } from '../web/app/knowledge.js';
import { listAs } from '../web/app/list-file.js';
import { lookUp } from '../web/app/lookup.js';
import { draw } from '../web/app/map-drawing.js';
import { Model } from '../web/app/model.js';
import { netmap } from './netmap.mjs';

// told returns what a model tells of a network map, and the model.
function told(map) {
  let last;
  const model = new Model((update) => (last = update));
  const { Peers: peers, UserProfiles: users, ...rest } = map;
  model.follow({ whole: true, live: true, netmap: rest, peers, users }, { heard: 1 });
  return { model, last };
}

const found = (model, question) => {
  model.find(question);
  return model.rows.map(({ id }) => id);
};

// twins is a network whose users and relays are called the same.
function twins() {
  const map = netmap(5);
  map.Peers.forEach((peer, i) => Object.assign(peer, { Tags: undefined, User: [1, 1, 2, 3, 3][i], HomeDERP: [1, 1, 1, 2, 2][i] }));
  map.SelfNode.User = 2;
  map.UserProfiles = Object.fromEntries([1, 2, 3].map((ID) => [ID, { ID, LoginName: `ada${ID}@example.com`, DisplayName: 'Ada' }]));
  map.DERPMap.Regions = Object.fromEntries([1, 2].map((RegionID) => [RegionID, { RegionID, RegionCode: `r${RegionID}`, RegionName: 'Paris', Nodes: [] }]));
  map.SelfNode.HomeDERP = 2;
  return map;
}

test('users and relays of one name are several', () => {
  const { model, last } = told(twins());
  const { users, relays } = last.shown;
  assert.deepEqual(users.list.map(({ login, devices, self }) => [login, devices, self]), [['ada2@example.com', 1, true], ['ada1@example.com', 2, false], ['ada3@example.com', 2, false]]);
  assert.equal(new Set(users.list.map(({ name }) => name)).size, 3);
  assert.deepEqual(relays.list.map(({ code, peers, home }) => [code, peers, home]), [['r2', 2, true], ['r1', 3, false]]);
  for (const [field, sizes] of [['owner', [2, 2, 1]], ['relay', [3, 2]]]) {
    const { list } = last.choices[field];
    assert.deepEqual(list.map(([, n]) => n), sizes, field);
    assert.equal(new Set(list.map(([, , label]) => label)).size, sizes.length, field);
    for (const [value, n] of list) assert.equal(found(model, { [field]: value }).length, n, field);
    model.groupBy(field);
    assert.deepEqual(model.layout.groups.map(({ rows }) => rows.length).sort((a, b) => b - a), sizes, field);
  }
});

test('relays keep their places on the map, with that of this device first', () => {
  const map = netmap(40);
  map.DERPMap.Regions = Object.fromEntries([1, 2, 3, 10].map((RegionID) => [RegionID, { RegionID, RegionCode: `r${RegionID}`, RegionName: `Relay ${RegionID}`, Nodes: [] }]));
  map.SelfNode.HomeDERP = 3;
  map.Peers.forEach((peer, i) => (peer.HomeDERP = [1, 2, 2, 10, 10, 10, 10, 3][i % 8]));
  const places = (model) => model.layout.groups.map(({ key, x, y, r }) => [key, x, y, r]);
  const { model } = told(map);
  const before = places(model);
  assert.deepEqual(before.map(([key]) => key), ['3', '1', '2', '10']);
  assert.deepEqual(places(told({ ...map, Peers: map.Peers.toReversed() }).model), before, 'whatever the order of peers');
  model.follow({ peers: map.Peers.map((peer) => ({ ...peer, Online: !peer.Online })), live: true }, { heard: 2 });
  assert.deepEqual(places(model), before, 'whoever comes and goes');
  model.follow({ gone: map.Peers.filter(({ HomeDERP }) => HomeDERP === 10).map(({ ID }) => ID), live: true }, { heard: 3 });
  assert.deepEqual(places(model).map(([key]) => key), ['3', '1', '2', '10'], 'a relay without peers too');
});

// drawn draws the map of a model on nothing, and returns what was written: { text, box } for each name.
function drawn(model, size) {
  const written = [];
  const width = (text) => 6.5 * text.length;
  const context = new Proxy({}, {
    get: (_, name) => ({
      measureText: (text) => ({ width: width(text) }),
      fillText: (text, x, y) => written.push({ text, box: [x - width(text) / 2, y - 9, x + width(text) / 2, y + 2] }),
    })[name] ?? (() => {}),
    set: () => true,
  });
  const { left, right, top, bottom } = model.layout.box;
  const k = size / Math.max(right - left, bottom - top);
  const view = { width: size, height: size, ratio: 1, x: -left * k, y: -top * k, k };
  draw(context, model.layout, view, { self: '' }, {});
  return { written, circles: model.layout.groups.map(({ label, x, y, r, rows }) => ({ label, peers: rows.length, x: view.x + k * x, y: view.y + k * y, r: k * r })) };
}

test('names of groups cross neither circles nor each other, and where there is room the largest has its own', (t) => {
  globalThis.Path2D = class {
    rect() {}
    moveTo() {}
    lineTo() {}
    arc() {}
  };
  t.after(() => delete globalThis.Path2D);
  const map = netmap(2000);
  map.DERPMap.Regions = Object.fromEntries(Array.from({ length: 26 }, (_, i) => [i + 1, { RegionID: i + 1, RegionCode: `r${i + 1}`, RegionName: `Relay in city ${i + 1}`, Nodes: [] }]));
  map.Peers.forEach((peer, i) => (peer.HomeDERP = i < 600 ? 26 : 1 + (i % 25)));
  const { model } = told(map);
  for (const size of [300, 500, 1000]) {
    const { written, circles } = drawn(model, size);
    const names = written.filter(({ text }) => text.startsWith('Relay'));
    assert.ok(size < 500 || names.some(({ text }) => text.startsWith('Relay in city 26')), `at ${size} pixels`);
    for (const { text, box: [left, top, right, bottom] } of names) {
      const label = text.split('  ')[0];
      const crossed = circles.filter((circle) => circle.label !== label && Math.hypot(circle.x - Math.min(Math.max(circle.x, left), right), circle.y - Math.min(Math.max(circle.y, top), bottom)) < circle.r);
      assert.deepEqual(crossed, [], `${text} at ${size} pixels`);
      const others = names.filter((other) => other.text !== text && other.box[0] < right && left < other.box[2] && other.box[1] < bottom && top < other.box[3]);
      assert.deepEqual(others, [], `${text} at ${size} pixels`);
    }
    t.diagnostic(`${names.length} of ${circles.length} names at ${size} pixels`);
  }
});

test('statuses on the map and their colours: at least 3:1', async () => {
  const css = await readFile(new URL('../web/app/page.css', import.meta.url), 'utf8');
  const light = (hex) => {
    const [r, g, b] = hex.match(/../g).map((part) => parseInt(part, 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  for (const theme of [':root {', '[data-theme="dark"] {']) {
    const rules = css.slice(css.indexOf(theme), css.indexOf('}', css.indexOf(theme)));
    const color = (name) => light(new RegExp(`--${name}: #([0-9a-f]{6})`).exec(rules)[1]);
    for (const name of ['live', 'soft', 'idle', 'danger', 'relay', 'accent']) {
      const [dark, bright] = [color(name), color('sunken')].sort((a, b) => a - b);
      assert.ok((bright + 0.05) / (dark + 0.05) >= 3, `${name} in ${theme}`);
    }
  }
});

test('names that can’t be seen', () => {
  const map = netmap(1);
  map.Peers[0].Tags = undefined;
  map.Peers[0].User = 100;
  map.Peers[0].Name = '\u3164\u200b.example.com.';
  map.UserProfiles[100] = { ID: 100, LoginName: ' ', DisplayName: '\u2800' };
  map.DERPMap.Regions[1].RegionName = '';
  const { model, last } = told(map);
  assert.equal(model.rows[0].name, '(no name) n2CNTRL');
  assert.ok(last.shown.users.list.some(({ name }) => name === 'user 100'));
  assert.equal(last.shown.relays.list[0].name, 'nyc');
});

test('a search finds logins, services, versions, routes and statuses, and takes words for fields', () => {
  const map = netmap(4);
  const [a, b, c, d] = map.Peers;
  for (const peer of map.Peers) peer.User = '9007199254740993';
  Object.assign(a, { Tags: undefined, User: 100, AllowedIPs: [...a.Addresses, '10.20.0.0/16'] });
  Object.assign(b, { Tags: ['tag:db', 'tag:prod'], AllowedIPs: [...b.Addresses, '0.0.0.0/0', '::/0'], Online: true });
  Object.assign(c, { Tags: ['tag:web'], Online: false, AllowedIPs: c.Addresses, Hostinfo: { ...c.Hostinfo, OS: 'windows', IPNVersion: '1.80.2-t123', Services: [{ Proto: 'tcp', Port: 5432, Description: 'postgres' }], sshHostKeys: ['ssh-ed25519 x'] } });
  Object.assign(d, { Tags: ['tag:db'], AllowedIPs: d.Addresses, Expired: true });
  const { model } = told(map);
  const ids = { a: a.StableID, b: b.StableID, c: c.StableID, d: d.StableID };
  const cases = {
    'alice@example': 'a',
    '10.20.0': 'a',
    postgres: 'c',
    '5432/tcp': 'c',
    '1.80': 'c',
    'is:online': 'b',
    expired: 'd',
    'is:exit': 'b',
    'is:router': 'a',
    'is:ssh': 'c',
    'tag:db': 'bd',
    'tag:tag:db -is:expired': 'b',
    'os:windows': 'c',
    '-os:windows -tag:db': 'a',
    'owner:alice': 'a',
    'owner:"älice 🦊"': 'a',
    'version:1.8': 'c',
    'version:80': '',
    'route:10.20': 'a',
    'relay:"new york"': 'abcd',
    'constructor:x': '',
    '-': 'abcd', // as typed so far
    'is:': 'abcd',
  };
  for (const [search, wanted] of Object.entries(cases)) assert.deepEqual(found(model, { search }).sort(), [...wanted].map((key) => ids[key]).sort(), search);
});

test('counts are those of what matches', () => {
  const { model } = told(netmap(10)); // of which every third is online
  model.find({ search: 'host-3' });
  assert.deepEqual([model.totals().matching, model.totals().online], [1, 1]);
  model.find({ search: 'host-4' });
  assert.deepEqual([model.totals().matching, model.totals().online], [1, 0]);
});

test('filters tell how many choices they leave out', () => {
  const map = netmap(150);
  map.Peers.forEach((peer, i) => (peer.Tags = [`tag:${i}`]));
  const { tag } = told(map).last.choices;
  assert.deepEqual([tag.all, tag.list.length], [150, 100]);
});

test('rows that are held keep their places', () => {
  const { model } = told(netmap(6));
  const before = model.rows.map(({ id }) => id);
  model.hold(true);
  const [first, ...rest] = model.index.nodes();
  model.follow({ peers: [{ ...rest[0], Name: 'zzz.example.com.' }, { ...netmap(9).Peers[8], Name: 'aaa.example.com.' }], gone: [first.ID], live: true }, { heard: 2 });
  assert.deepEqual(model.rows.map(({ id }) => id), before);
  assert.deepEqual(model.rows.slice(0, 2).map(({ name, status }) => [name, status === 'gone']), [['host-1', true], ['zzz', false]]);
  assert.equal(model.totals().moved, 2, 'one is gone, one is new');
  model.hold(false);
  assert.deepEqual([model.rows[0].name, model.rows.at(-1).name, model.totals().moved], ['aaa', 'zzz', 0]);
});

test('what is so now, and from where', () => {
  const shown = { started: true, network: {}, live: true };
  const live = { wanted: true, contact: { at: 1, quiet: false }, state: { phase: 'live', fullMaps: 1 } };
  const elsewhere = { live: true, heardAt: 1, at: 1000 };
  // [name, shown, told, phase, why, source, current]
  const cases = [
    ['nothing yet', { started: false }, {}, 'starting', undefined, 'none', false],
    ['live', shown, live, 'live', undefined, 'control', true],
    ['silent', shown, { ...live, contact: { at: 1, quiet: true } }, 'offline', 'silent', 'control', false],
    ['lost', shown, { ...live, state: { phase: 'waiting', error: 'lost', fullMaps: 1 } }, 'offline', 'lost', 'control', false],
    ['unreached', { ...shown, live: false }, { wanted: true, state: { phase: 'waiting', error: 'no', fullMaps: 0 } }, 'offline', 'unreached', 'saved', false],
    ['saved, on its way', { ...shown, live: false }, { wanted: true, state: { phase: 'connecting' } }, 'resumed', undefined, 'saved', false],
    ['live, and not shown yet', { ...shown, live: false }, live, 'resumed', undefined, 'saved', false],
    ['disconnected', shown, { wanted: false }, 'offline', 'off', 'control', false],
    ['expired', shown, { ...live, state: { phase: 'login', keyExpired: 1 } }, 'expired', undefined, 'control', false],
    ['to be let in by an administrator', { ...shown, live: false }, { state: { phase: 'approval' } }, 'approval', undefined, 'saved', false],
    ['to sign in', { started: true }, { state: { phase: 'login' } }, 'login', undefined, 'none', false],
    ['following a tab that is live', { ...shown, live: false }, { wanted: true, waiting: true, elsewhere }, 'following', undefined, 'saved', true],
    ['following one that isn’t', { ...shown, live: false }, { wanted: true, waiting: true, elsewhere: { ...elsewhere, live: false } }, 'following', undefined, 'saved', false],
    ['following one that tells nothing any more', { ...shown, live: false }, { wanted: true, waiting: true, elsewhere: { ...elsewhere, at: -100_000 } }, 'following', undefined, 'saved', false],
    ['forgotten', { started: true }, { forgotten: true, wanted: false }, 'forgotten', undefined, 'none', false],
    ['nothing', { started: true }, { wanted: true, state: { phase: 'waiting', error: 'no' } }, 'empty', undefined, 'none', false],
  ];
  for (const [name, view, told, phase, why, source, current] of cases) {
    const got = knowledgeOf(view, told, 2000);
    assert.deepEqual([got.phase, got.why, got.source, got.current], [phase, why, source, current], name);
  }
});

test('control is asked for a sign of life once it has been silent for long, or is in doubt', async () => {
  let now = 1000;
  let answers = true;
  const asked = [];
  const contact = new Contact(async () => {
    asked.push(now);
    if (!answers) throw new Error('no answer');
  }, () => {}, () => now);
  const look = async (at) => {
    now = at;
    await contact.look();
    return [contact.at, contact.quiet, asked.length];
  };
  contact.heard();
  assert.deepEqual(await look(1000 + silence - 1), [1000, false, 0]);
  assert.deepEqual(await look(1000 + silence), [1000 + silence, false, 1]);
  answers = false;
  assert.deepEqual(await look(1000 + 2 * silence), [1000 + silence, true, 2]);
  assert.deepEqual(await look(1001 + 2 * silence), [1000 + silence, true, 3], 'again at once');
  answers = true;
  assert.deepEqual(await look(1002 + 2 * silence), [1002 + 2 * silence, false, 4]);
  contact.doubt();
  assert.equal(contact.quiet, true);
  assert.deepEqual(await look(1003 + 2 * silence), [1003 + 2 * silence, false, 5]);
});

test('what others may reach, in names', () => {
  const map = netmap(3);
  map.SelfNode.Addresses = ['100.64.0.0/32', 'fd7a:115c:a1e0::1/128'];
  const ports = (First, Last = First) => ({ First, Last });
  map.PacketFilterRules = [
    { SrcIPs: ['100.64.0.1/32', '100.64.0.2'], DstPorts: [{ IP: '100.64.0.0/32', Ports: ports(22) }], IPProto: [6] },
    { SrcIPs: ['100.64.0.2-100.64.0.9'], DstPorts: [{ IP: 'fd7a:115c:a1e0::/48', Ports: ports(80, 90) }] },
    { SrcIPs: ['*'], DstPorts: [{ IP: '10.1.0.0/16', Ports: ports(0, 65535) }] },
    { SrcIPs: ['fd7a::/16'], DstPorts: [{ IP: '*', Ports: ports(1) }] },
  ];
  const { model, last } = told(map);
  assert.deepEqual(last.shown.filter.list.slice(0, 2).map(({ from, to }) => [from, to]), [
    ['host-1; host-2', 'this device, port 22'],
    ['100.64.0.2-100.64.0.9', 'fd7a:115c:a1e0::/48, port 80-90'],
  ]);
  const reach = (i) => accessOf(map, map.Peers[i]);
  assert.deepEqual(reach(0), ['port 22 by TCP', '10.1.0.0/16, all ports, through this device']);
  assert.deepEqual(reach(1), ['port 22 by TCP', 'port 80-90', '10.1.0.0/16, all ports, through this device']);
  assert.deepEqual(accessOf({ ...map, PacketFilterRules: [] }, map.Peers[0]), ['nothing']);
  assert.ok(model.rows.length === 3);
});

test('the list as a file: formulas of spreadsheets are text', async () => {
  const map = netmap(2);
  map.Peers[0].Name = '=1+1.example.com.';
  map.Peers[1].Name = 'a"b, c.example.com.';
  const { model } = told(map);
  const lines = (await listAs('csv', model.rows, model.index).text()).split('\r\n');
  assert.match(lines[0], /^(\ufeff)?name,addresses,owner/);
  assert.match(lines[1], /^'=1\+1,100\.64\.0\.1,/);
  assert.match(lines[2], /^"a""b, c",/);
  assert.equal(JSON.parse(await listAs('json', model.rows, model.index).text())[0].name, '=1+1');
});

test('MagicDNS answers for names with and without the domain', () => {
  const map = netmap(2);
  const { model } = told(map);
  assert.deepEqual(lookUp(model.netmap, model.index, 'Host-1'), ['100.64.0.1']);
  assert.deepEqual(lookUp(model.netmap, model.index, 'host-0.tail1234.ts.net.'), ['100.64.0.0']);
  assert.deepEqual(lookUp(model.netmap, model.index, 'wiki.tail1234.ts.net'), ['A 100.64.0.9']);
  assert.deepEqual(lookUp(model.netmap, model.index, 'nobody'), []);
});
