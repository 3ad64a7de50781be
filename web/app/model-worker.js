// The worker that has the network map, in the form of an index: it finds, sorts, compares and draws, so that
// the page only ever handles what can be seen.

import { expose } from 'comlink';

import { describe as describePeer } from './describe-peer.js';
import { nodeName } from './format.js';
import { listAs } from './list-file.js';
import { lookUp } from './lookup.js';
import { draw } from './map-drawing.js';
import { Model } from './model.js';
import { visible } from './names.js';

let tell; // tells the page what it is to show
const waiting = new Set(); // functions that look whether the rows they wait for are here

const model = new Model((update) => {
  if (update.complete) note(); // of what was glanced at there is no map yet
  tell(update);
});

// take takes what the network worker sends.
/** @param {any} message */
function take({ news, ...rest }) {
  if (news) model.follow(JSON.parse(news), rest);
  else model.take(rest);
  for (const look of waiting) look();
}

// arrived is fulfilled when the first n rows are here, or all.
function arrived(n) {
  return new Promise((resolve) => {
    const look = () => {
      if (model.index.rows.length < Math.min(n, model.total)) return;
      waiting.delete(look);
      resolve();
    };
    waiting.add(look);
    look();
  });
}

// The map

let canvas;
let context;
let theme;
let view; // see draw
const marks = {};
let drawing = false;

// note marks on the map what is special.
function note() {
  const { netmap, index, rows, by, matching } = model;
  marks.found = matching < index.rows.length ? new Set(rows.map(({ id }) => id)) : undefined;
  if (netmap) Object.assign(marks, { self: visible(nodeName(netmap.SelfNode)), home: by === 'relay' ? String(netmap.SelfNode.HomeDERP) : undefined });
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
    draw(context, model.layout, view, marks, theme);
  });
}

function at(x, y) {
  return model.layout.find((x - view.x) / view.k, (y - view.y) / view.k, 6 / view.k);
}

expose({
  start(port, listener) {
    tell = listener;
    port.onmessage = ({ data }) => take(data);
  },

  // find sets the question, and tells how many peers it selects.
  async find(question) {
    await model.whole;
    model.find(question);
    note();
    return model.totals();
  },

  // hold has the rows keep their places, or no more.
  async hold(held) {
    await model.whole;
    model.hold(held);
    return model.totals();
  },

  async rows(from, to) {
    await arrived(to);
    const { index } = model;
    return model.rows.slice(from, to).map((row) => {
      const { id, name, address, tag, owner, system, relay, status, seen, badges } = row;
      return { id, name, address, tag, owner, holder: index.holder(row), system, relay, relayName: index.names.relay(relay), status, seen, badges };
    });
  },

  // position tells where in the table a peer is; -1 for nowhere.
  position: (id) => model.rows.findIndex((row) => row.id === id),

  peer(id) {
    const row = model.index.byID.get(id);
    return row && describePeer(model.netmap, model.index, row);
  },

  // peerJSON returns a peer as JSON; undefined if it is gone.
  peerJSON(id) {
    const row = model.index.byID.get(id);
    return row && JSON.stringify(row.node, undefined, 2);
  },

  // list returns the peers in the table as a file: 'csv' or 'json'.
  list: (kind) => listAs(kind, model.rows, model.index),

  // lookUp returns the addresses that MagicDNS has for a name.
  lookUp: (name) => lookUp(model.netmap, model.index, name),

  // relayName returns what a relay is called.
  relayName: (id) => model.index.names.relay(id),

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
  async groupBy(by) {
    await model.whole;
    model.groupBy(by);
    note();
  },

  // extent returns the box around the map, and the groups for a list of them.
  extent: () => ({ box: model.layout.box, groups: model.layout.groups.map(({ key, label, x, y, r, rows: members, online }) => ({ key, label, x, y, r, peers: members.length, online })) }),

  // whereIs returns where a peer is on the map.
  whereIs(id) {
    const found = model.layout.byID.get(id);
    return found && { x: found.group.x + found.group.xs[found.i], y: found.group.y + found.group.ys[found.i] };
  },

  // pick tells what is at a place of the canvas: a peer, or a group.
  pick(left, top) {
    const found = view && at(left, top);
    const row = found?.i === undefined ? undefined : found.group.rows[found.i];
    if (row) return { id: row.id, text: [row.name, row.address, model.index.holder(row)].filter(Boolean), status: row.status };
    if (!found) return undefined;
    const { key, label, x, y, r, rows, online } = found.group;
    return { text: [label], group: key, x, y, r, peers: rows.length, online };
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
