// The worker that has the network map, in the form of an index: it finds, sorts, compares and draws, so that
// the page only ever handles what can be seen.

import { expose } from 'comlink';

import { compare } from './changes.js';
import { describeNetwork } from './describe.js';
import { describe as describePeer } from './describe-peer.js';
import { nodeName, relayName } from './format.js';
import { draw } from './map-drawing.js';
import { Layout } from './map-layout.js';
import { PeerIndex } from './peer-index.js';

let netmap;
let index = new PeerIndex();
let total = 0; // peers of the network map; more than the index has while they are on their way
let question = {};
let rows = []; // what the question selects
let tell; // tells the page what it is to show

let arriving; // the network map that is on its way, and what came with it
let whole = Promise.resolve(); // fulfilled once all peers of the network map are here
let markWhole = () => {};
const waiting = new Set(); // functions that look whether the rows they wait for are here

let saved; // the network map as it was saved before this session, and when: { netmap, at }
let changes; // what had changed when the control plane told of it: { since, added, removed, changed, restless }

// take takes what the network worker sends: a network map, if there is one, with the first of its peers and their users, and then the others.
function take({ start, peers, users }) {
  if (start) arriving = { ...start, index: new PeerIndex() };
  if (!arriving) return; // the rest of a network map that was forgotten meanwhile
  if (arriving.netmap) Object.assign((arriving.netmap.UserProfiles ??= {}), users);
  arriving.index.add(arriving.netmap, peers);
  if (arriving.index.rows.length >= arriving.total) complete();
  else if (start && !netmap && isPlain(question)) glance();
  for (const look of waiting) look();
}

// glance shows what there is of the first network map, since it takes a while until all of it is there.
function glance() {
  ({ netmap, index, total } = arriving);
  rows = index.rows;
  whole = new Promise((resolve) => (markWhole = resolve));
  const { heard, live } = arriving;
  tell({ heard, live, shown: describeNetwork(netmap, index), complete: false, ...totals() });
}

function complete() {
  const { live, heard, confirmedAt } = arriving;
  ({ netmap, index, total } = arriving);
  arriving = undefined;
  index.settle();
  if (netmap) netmap.Peers = index.rows.map(({ node }) => node);
  if (!live && netmap) saved = { netmap, at: confirmedAt };
  if (!netmap) saved = changes = undefined;
  if (live && saved) {
    changes = { since: saved.at, ...compare(saved.netmap, netmap) };
    saved = undefined;
  }
  rows = index.find(question);
  place();
  markWhole();
  tell({
    heard,
    live,
    shown: netmap && describeNetwork(netmap, index),
    complete: true,
    changes: changes && summary(changes),
    ...totals(),
    choices: Object.fromEntries(['tag', 'owner', 'system', 'relay'].map((field) => [field, index.choices(field).slice(0, mostChoices)])),
  });
}

// isPlain reports whether a question is for all peers in order of their names, which is how they come.
const isPlain = ({ sort = 'name', ...rest }) => sort === 'name' && !Object.values(rest).some(Boolean);

const mostChoices = 100; // of a filter; the search finds the rest
const mostChanges = 100; // of a kind that reach the page

function summary({ added, removed, changed, ...rest }) {
  const cut = (list) => ({ all: list.length, list: list.slice(0, mostChanges) });
  return { ...rest, added: cut(added), removed: cut(removed), changed: cut(changed) };
}

function totals() {
  const here = index.rows.length === total;
  return { peers: total, online: here ? index.online() : undefined, matching: here ? rows.length : total };
}

// arrived is fulfilled when the first n rows are here, or all.
function arrived(n) {
  return new Promise((resolve) => {
    const look = () => {
      if (index.rows.length < Math.min(n, total)) return;
      waiting.delete(look);
      resolve();
    };
    waiting.add(look);
    look();
  });
}

// The map

const layout = new Layout();
let by = 'relay';
let canvas;
let context;
let theme;
let view; // see draw
const marks = {};
let drawing = false;

function place() {
  if (!netmap) {
    layout.place(index, by, []);
  } else {
    const relays = Object.values(netmap.DERPMap?.Regions ?? {}).filter(Boolean).map(({ RegionName }) => RegionName);
    layout.place(index, by, relays);
    Object.assign(marks, { self: nodeName(netmap.SelfNode), home: by === 'relay' ? relayName(netmap, netmap.SelfNode.HomeDERP) : undefined });
  }
  note();
}

function note() {
  marks.found = rows.length < index.rows.length ? new Set(rows.map(({ id }) => id)) : undefined;
  redraw();
}

function redraw() {
  if (drawing || !context || !view || !theme) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (canvas.width !== view.width * view.ratio || canvas.height !== view.height * view.ratio) {
      Object.assign(canvas, { width: view.width * view.ratio, height: view.height * view.ratio });
    }
    draw(context, layout, view, marks, theme);
  });
}

function at(x, y) {
  return layout.find((x - view.x) / view.k, (y - view.y) / view.k, 6 / view.k);
}

expose({
  start(port, listener) {
    tell = listener;
    port.onmessage = ({ data }) => take(data);
  },

  // find sets the question, and tells how many peers it selects.
  async find(asked) {
    await whole;
    question = asked;
    rows = index.find(question);
    note();
    return totals();
  },

  async rows(from, to) {
    await arrived(to);
    return rows.slice(from, to).map(({ id, name, address, holder, tag, system, relay, status, seen }) =>
      ({ id, name, address, holder, tagged: tag.length > 0, system, relay, status, seen }));
  },

  // position tells where in the table a peer is; -1 for nowhere.
  position: (id) => rows.findIndex((row) => row.id === id),

  peer(id) {
    const row = index.byID.get(id);
    return row && describePeer(netmap, row.node);
  },

  peerJSON: (id) => JSON.stringify(index.byID.get(id)?.node, undefined, 2),

  setCanvas(given) {
    canvas = given;
    context = canvas.getContext('2d');
    redraw();
  },

  setTheme(given) {
    theme = given;
    redraw();
  },

  setView(given) {
    view = given;
    redraw();
  },

  // groupBy divides the map anew.
  async groupBy(given) {
    await whole;
    by = given;
    place();
  },

  // extent returns the box around the map, and the groups for a list of them.
  extent: () => ({ box: layout.box, groups: layout.groups.map(({ key, x, y, r, rows: members, online }) => ({ key, x, y, r, peers: members.length, online })) }),

  // whereIs returns where a peer is on the map.
  whereIs(id) {
    const found = layout.byID?.get(id);
    return found && { x: found.group.x + found.group.xs[found.i], y: found.group.y + found.group.ys[found.i] };
  },

  // pick tells what is at a place of the canvas: a peer, or a group.
  pick(x, y) {
    const found = view && at(x, y);
    const row = found?.group.rows[found.i];
    if (row) return { id: row.id, text: `${row.name}\n${row.address}\n${[row.holder, row.status].filter(Boolean).join(', ')}` };
    return found && { group: found.group.key, x: found.group.x, y: found.group.y, r: found.group.r };
  },

  hover(id) {
    if (marks.hovered === id) return;
    marks.hovered = id;
    redraw();
  },

  select(id) {
    marks.selected = id;
    redraw();
  },
});
