// The network map in the form of an index, and what the page shows of it. It takes whole maps, piece by piece, and what
// changes in them; what is shown is the same either way, but that peers keep their places within a circle of the map.

import { compare } from './changes.js';
import { describeNetwork } from './describe.js';
import { Layout } from './map-layout.js';
import { namesOf } from './names.js';
import { PeerIndex } from './peer-index.js';

const mostChoices = 100; // of a filter; the search finds the rest, by its words for these fields
const mostChanges = 100; // of a kind that reach the page

export class Model {
  netmap; // without its peers; undefined if there is none
  index = new PeerIndex();
  total = 0; // peers of the network map; more than the index has while they are on their way
  rows = []; // what the question selects
  matching = 0; // of the peers, how many the question selects
  matchingOnline = 0;
  moved = 0; // see totals
  layout = new Layout();
  by = 'relay'; // what the layout divides peers by
  whole = Promise.resolve(); // fulfilled once all peers of the network map are here

  #tell;
  #question = {};
  #held = false; // rows keep their places
  #arriving; // the network map that is on its way, and what came with it
  #markWhole = () => {};
  #saved; // the peers as they were saved before this session, and when: { nodes, at }
  #changes; // what had changed when the control plane told of it: { since, added, removed, changed, restless }

  // A model calls tell with what the page is to show, whenever there is news: { heard } alone if that changes nothing else.
  constructor(tell) {
    this.#tell = tell;
  }

  // take takes a network map, if there is one, with the first of its peers and their users, and then the others.
  take({ start, peers, users }) {
    if (start) this.#arriving = { ...start, index: new PeerIndex() };
    const arriving = this.#arriving;
    if (!arriving) return; // the rest of a network map that was forgotten meanwhile
    if (arriving.netmap) Object.assign((arriving.netmap.UserProfiles ??= {}), users);
    arriving.index.add(arriving.netmap, peers);
    if (arriving.index.rows.length >= arriving.total) this.#complete();
    else if (start && !this.netmap && isPlain(this.#question)) this.#glance();
  }

  // follow takes news of the client's network map: { whole, live, netmap, peers, gone, users }, as client/internal/node has them.
  follow({ whole, live, netmap, peers = [], gone = [], users = {} }, { heard, confirmedAt }) {
    if (whole) {
      this.take({ start: { netmap, total: peers.length, live, heard, confirmedAt }, peers, users });
    } else if (netmap || peers.length > 0 || gone.length > 0 || Object.keys(users).length > 0) {
      const profiles = this.netmap.UserProfiles;
      for (const [id, user] of Object.entries(users)) {
        if (user) profiles[id] = user;
        else delete profiles[id];
      }
      this.netmap = { ...(netmap ?? this.netmap), UserProfiles: profiles };
      this.index.update(this.netmap, peers, gone);
      this.total = this.index.rows.length;
      this.#show({ live, heard, confirmedAt });
    } else {
      this.#tell({ heard });
    }
  }

  // glance shows what there is of the first network map, since it takes a while until all of it is there.
  #glance() {
    const { live, heard, netmap, index, total } = this.#arriving;
    index.names = namesOf(netmap);
    Object.assign(this, { netmap, index, total, rows: index.rows });
    this.whole = new Promise((resolve) => (this.#markWhole = resolve));
    this.#tell({ heard, live, shown: describeNetwork(netmap, index), complete: false, ...this.totals() });
  }

  #complete() {
    const { netmap, index, total, ...rest } = this.#arriving;
    Object.assign(this, { netmap, index, total });
    this.#arriving = undefined;
    index.settle(netmap);
    this.#show(rest);
    this.#markWhole();
  }

  #show({ live, heard, confirmedAt }) {
    const { netmap, index } = this;
    if (!netmap) {
      this.#saved = this.#changes = undefined;
    } else if (!live) {
      this.#saved = { nodes: index.nodes(), at: confirmedAt };
    } else if (this.#saved) {
      this.#changes = { since: this.#saved.at, ...compare(this.#saved.nodes, index.nodes()) };
      this.#saved = undefined;
    }
    this.#find();
    this.#place();
    this.#tell({
      heard,
      live,
      shown: netmap && describeNetwork(netmap, index),
      complete: true,
      changes: this.#changes && summary(this.#changes),
      ...this.totals(),
      choices: Object.fromEntries(['tag', 'owner', 'system', 'relay', 'badge'].map((field) => [field, cut(index.choices(field), mostChoices)])),
    });
  }

  // find sets the question for the rows.
  find(question) {
    this.#question = question;
    this.#held = false;
    this.#find();
  }

  // hold has the rows keep their places while the network changes, so that none moves under a pointer. Those of peers that are
  // gone stay, with that for their status; the totals tell how many places have changed.
  hold(held) {
    this.#held = held;
    if (!held) this.#find();
  }

  #find() {
    const found = this.index.find(this.#question);
    this.matching = found.length;
    this.matchingOnline = found.reduce((sum, row) => sum + (row.status === 'online'), 0);
    this.moved = 0;
    if (!this.#held) {
      this.rows = found;
      return;
    }
    const ids = new Set(found.map(({ id }) => id));
    const staying = this.rows.reduce((sum, { id }) => sum + ids.has(id), 0);
    this.moved = found.length + this.rows.length - 2 * staying;
    this.rows = this.rows.map((row) => this.index.byID.get(row.id) ?? { ...row, status: 'gone' });
  }

  // groupBy divides the map anew.
  groupBy(by) {
    this.by = by;
    this.#place();
  }

  #place() {
    this.layout.place(this.index, this.by, this.netmap?.DERPMap?.Regions ?? {}, String(this.netmap?.SelfNode.HomeDERP ?? ''));
  }

  // totals tells how many peers there are, how many the question selects, how many of these are online, and how many rows
  // the table would have more or less if it weren't held.
  totals() {
    const here = this.index.rows.length === this.total;
    return {
      peers: this.total,
      rows: here ? this.rows.length : this.total,
      matching: here ? this.matching : this.total,
      online: here ? this.matchingOnline : undefined,
      moved: this.moved,
    };
  }
}

// isPlain reports whether a question is for all peers in order of their names, which is how they come.
const isPlain = ({ sort = 'name', ...rest }) => sort === 'name' && !Object.values(rest).some(Boolean);

function summary({ added, removed, changed, ...rest }) {
  return { ...rest, added: cut(added, mostChanges), removed: cut(removed, mostChanges), changed: cut(changed, mostChanges) };
}

const cut = (list, most) => ({ all: list.length, list: list.slice(0, most) });
