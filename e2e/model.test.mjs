// Tests that what the page makes of a network map doesn't depend on how it came by it: one model follows the news of a client, change
// by change, another takes the network map anew each time.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { describe } from '../web/app/describe-peer.js';
import { groupings } from '../web/app/map-layout.js';
import { Model } from '../web/app/model.js';
import { netmap } from './netmap.mjs';

// random returns a function that returns integers from 0 to n - 1, always the same ones.
function random(seed) {
  return (n) => {
    seed = (seed * 48271) % 0x7fffffff;
    return seed % n;
  };
}

// IDs of users are beyond 32 bits: objects have smaller ones in their order.
const users = Array.from({ length: 9 }, (_, i) => 2 ** 33 + i);
const systems = ['linux', 'windows', 'macOS', ''];

// vary gives a node something of what the page shows, searches, sorts and groups by.
function vary(node, pick) {
  const address = `100.${pick(100)}.${pick(256)}.${pick(256)}/32`;
  return {
    ...node,
    Name: pick(20) ? `${['host', 'Host', 'db-'][pick(3)]}${pick(30)}.example.` : '',
    User: users[pick(9)],
    Sharer: pick(10) ? undefined : users[pick(9)],
    Tags: pick(3) ? undefined : [`tag:${pick(4)}`, ...(pick(2) ? [] : ['tag:more'])],
    Addresses: [address],
    HomeDERP: pick(5),
    Hostinfo: { ...node.Hostinfo, OS: systems[pick(systems.length)] },
    Online: pick(2) === 1,
    Expired: pick(20) === 0,
    LastSeen: `2026-11-0${1 + pick(9)}T00:00:00Z`,
  };
}

const profile = (ID, pick) => ({ ID, LoginName: `user${ID}@example.com`, DisplayName: ['', `User ${pick(3)}`][pick(2)] });

// network returns a network map as a client has it, with its peers and users by ID.
function network(peers, pick) {
  const { Peers, UserProfiles, ...rest } = netmap(peers);
  rest.SSHPolicy.rules[0].principals = [{ node: Peers[3].StableID }];
  return {
    rest,
    peers: new Map(Peers.map((node) => [node.ID, vary(node, pick)])),
    users: new Map(users.slice(1).map((id) => [id, profile(id, pick)])),
    absent: [],
  };
}

// The kinds of change, of which the first come more often. Each makes one and notes it in news.
const kinds = {
  user({ users: all }, news, pick) {
    const id = users[pick(9)];
    if (all.has(id) && pick(3) === 0) all.delete(id);
    else all.set(id, profile(id, pick));
    news.users.add(id);
  },
  change({ peers }, news, pick) {
    const id = [...peers.keys()][pick(peers.size)];
    peers.set(id, vary(peers.get(id), pick));
    news.peers.add(id);
  },
  flip({ peers }, news, pick) {
    const id = [...peers.keys()][pick(peers.size)];
    peers.set(id, { ...peers.get(id), Online: !peers.get(id).Online });
    news.peers.add(id);
  },
  remove({ peers, absent }, news, pick) {
    const id = [...peers.keys()][pick(peers.size)];
    absent.push(peers.get(id));
    peers.delete(id);
    news.peers.add(id);
  },
  add({ peers, absent }, news) {
    const node = absent.shift();
    if (!node) return;
    peers.set(node.ID, node);
    news.peers.add(node.ID);
  },
  relay({ rest }, news, pick) {
    const id = 1 + pick(4);
    rest.DERPMap = { Regions: { ...rest.DERPMap.Regions, [id]: { RegionID: id, RegionCode: `r${id}`, RegionName: `Region ${pick(6)}` } } };
    news.rest = true;
  },
  filter({ rest }, news, pick) {
    rest.PacketFilterRules = [{ SrcIPs: ['*'], DstPorts: [{ IP: '*', Ports: { First: 1, Last: pick(1000) } }] }];
    news.rest = true;
  },
};

const byID = (a, b) => a.ID - b.ID;
const sorted = (entries) => Object.fromEntries([...entries].sort(([a], [b]) => a - b));
const wholeOf = ({ rest, peers, users: all }) =>
  structuredClone({ whole: true, live: true, netmap: rest, peers: [...peers.values()].sort(byID), users: sorted(all) });

// newsOf returns what has changed, as client/internal/node tells it: what is empty is left out.
function newsOf({ rest, peers, users: all }, news) {
  const ids = [...news.peers].sort((a, b) => a - b);
  const parts = {
    netmap: news.rest ? rest : undefined,
    peers: ids.filter((id) => peers.has(id)).map((id) => peers.get(id)),
    gone: ids.filter((id) => !peers.has(id)),
    users: sorted([...news.users].map((id) => [id, all.get(id) ?? null])),
  };
  const some = Object.entries(parts).filter(([, part]) => part && Object.keys(part).length > 0);
  return structuredClone({ whole: false, live: true, ...Object.fromEntries(some) });
}

const questions = [
  {},
  { sort: 'address', descending: true },
  { sort: 'holder' },
  { search: 'is:online -tag:more os:linux' },
  { sort: 'system', status: 'online' },
  { sort: 'relay', search: 'host1' },
  { sort: 'status', tag: 'tag:1' },
  { owner: String(users[2]), sort: 'name', descending: true },
];

// shown returns all that a page can show of a model. Within a circle of the map, peers stay where they were: what counts is who is there.
function shown(model, told) {
  const tables = questions.map((question) => {
    model.find(question);
    return [model.totals(), model.rows.map(({ id }) => id), model.rows.map((row) => [model.index.holder(row), model.index.names.relay(row.relay)])];
  });
  model.find({});
  const maps = Object.keys(groupings).map((by) => {
    model.groupBy(by);
    const { box, groups, byID: places } = model.layout;
    for (const [id, { group, i }] of places) assert.equal(group.rows[i].id, id);
    assert.equal(places.size, model.index.rows.length);
    return [box, groups.map(({ rows, ...group }) => ({ ...group, ids: rows.map(({ id }) => id).sort() }))];
  });
  model.groupBy('relay');
  const details = model.rows.map(({ id }) => describe(model.netmap, model.index, model.index.byID.get(id)));
  return { told, rows: model.rows, tables, maps, details, ids: [...model.index.byID.keys()].sort() };
}

test('news come to the same as the whole network map', () => {
  const pick = random(7);
  let toldFollowing;
  let toldWhole;
  const following = new Model((update) => (toldFollowing = { ...toldFollowing, ...update }));
  const whole = new Model((update) => (toldWhole = update));
  const now = network(110, pick);

  // What was saved before, so that there is something to tell of.
  for (const model of [following, whole]) {
    const { peers, netmap: rest, users: all } = wholeOf(now);
    model.take({ start: { netmap: rest, total: peers.length, live: false, heard: 0, confirmedAt: 1 }, peers: peers.slice(0, 100), users: all });
    model.take({ peers: peers.slice(100) });
  }
  const ignored = { peers: new Set(), users: new Set() };
  for (let i = 0; i < 10; i++) Object.values(kinds)[1 + pick(4)](now, ignored, pick);
  for (const model of [following, whole]) model.follow(wholeOf(now), { heard: 1 });
  assert.ok(toldWhole.changes.removed.all > 0 && toldWhole.changes.changed.all > 0);

  for (let heard = 2; heard < 60; heard++) {
    const news = { peers: new Set(), users: new Set(), rest: false };
    for (let n = pick(6); n > 0; n--) Object.values(kinds)[pick(9) % 7](now, news, pick);
    following.follow(newsOf(now, news), { heard });
    whole.follow(wholeOf(now), { heard });
    assert.deepEqual(shown(following, toldFollowing), shown(whole, toldWhole), `after ${heard}: ${JSON.stringify(newsOf(now, news)).slice(0, 300)}`);
  }
});

test('the question stays while the network changes', () => {
  const pick = random(3);
  let told;
  const model = new Model((update) => (told = { ...told, ...update }));
  const now = network(50, pick);
  model.follow(wholeOf(now), { heard: 1 });
  model.find({ status: 'online' });
  const before = model.totals();
  const [[id, node]] = [...now.peers].filter(([, { Online, Expired }]) => !Online && !Expired);
  now.peers.set(id, { ...node, Online: true });
  model.follow(newsOf(now, { peers: new Set([id]), users: new Set() }), { heard: 2 });
  assert.equal(told.matching, before.matching + 1);
  assert.equal(told.online, before.online + 1);
  assert.ok(model.rows.some((row) => row.node.ID === id));
});

test('nothing new is told as that alone', () => {
  const pick = random(5);
  const updates = [];
  const model = new Model((update) => updates.push(update));
  model.follow(wholeOf(network(5, pick)), { heard: 1 });
  model.follow({ whole: false, live: true }, { heard: 2 });
  assert.deepEqual(updates[1], { heard: 2 });
});
