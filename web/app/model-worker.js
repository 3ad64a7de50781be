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
let question = {};
let rows = []; // what the question selects
let tell; // tells the page what it is to show

let saved; // the network map as it was saved before this session, and when: { netmap, at }
let changes; // what had changed when the control plane told of it: { since, added, removed, changed, restless }

// take takes what the network worker sends.
function take({ netmap: received, live, heard, confirmedAt }) {
  if (!live && received) saved = { netmap: received, at: confirmedAt };
  if (!received) saved = changes = undefined;
  if (live && saved) {
    changes = { since: saved.at, ...compare(saved.netmap, received) };
    saved = undefined;
  }
  netmap = received;
  index = new PeerIndex(netmap);
  rows = index.find(question);
  place();
  tell({
    heard,
    live,
    shown: netmap && describeNetwork(netmap, index),
    changes: changes && summary(changes),
    ...totals(),
    choices: Object.fromEntries(['tag', 'owner', 'system', 'relay'].map((field) => [field, index.choices(field).slice(0, mostChoices)])),
  });
}

const mostChoices = 100; // of a filter; the search finds the rest
const mostChanges = 100; // of a kind that reach the page

function summary({ added, removed, changed, ...rest }) {
  const cut = (list) => ({ all: list.length, list: list.slice(0, mostChanges) });
  return { ...rest, added: cut(added), removed: cut(removed), changed: cut(changed) };
}

function totals() {
  return { peers: index.rows.length, online: index.online(), matching: rows.length };
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
  find(asked) {
    question = asked;
    rows = index.find(question);
    note();
    return totals();
  },

  rows: (from, to) => rows.slice(from, to).map(({ id, name, address, holder, tag, system, relay, status, seen }) =>
    ({ id, name, address, holder, tagged: tag.length > 0, system, relay, status, seen })),

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
  groupBy(given) {
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
