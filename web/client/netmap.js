// The network map as the program tells it, piece by piece.

import { matcher, nameKey, nodeName, searchText } from '../cache/reader/names.js';

export class Netmap {
  #live = false; // it came from control, and not from the cache
  #rest; // all but peers and users, as tailcfg has it
  #peers = new Map();
  #users = new Map();
  #made = {}; // from it, since it has changed last

  // take takes news of the program: a News of client/internal/node.
  take({ whole, live, netmap, peers = [], gone = [], users = {} }) {
    if (whole) {
      this.#peers.clear();
      this.#users.clear();
    }
    this.#live = live;
    this.#rest = netmap ?? this.#rest;
    for (const peer of peers) this.#peers.set(peer.ID, peer);
    for (const id of gone) this.#peers.delete(id);
    for (const [id, user] of Object.entries(users)) {
      if (user) this.#users.set(id, user);
      else this.#users.delete(id);
    }
    this.#made = {};
  }

  // known reports whether there is one.
  get known() {
    return Boolean(this.#rest);
  }

  // all returns news of all there is, or undefined if that is nothing.
  all() {
    return this.#rest && { whole: true, live: this.#live, netmap: this.#rest, peers: [...this.#peers.values()], users: Object.fromEntries(this.#users) };
  }

  // whole returns the network map as netmapcache's load does, or undefined if there is none.
  whole() {
    if (!this.known) return undefined;
    this.#made.whole ??= { ...this.#rest, Peers: inOrder([...this.#peers.values()], ({ ID }) => BigInt(ID)), UserProfiles: Object.fromEntries(this.#users) };
    return this.#made.whole;
  }

  // find returns those of the peers, in their order, from the offset on that a search finds, and how many it finds in all.
  find({ search = '', sort = 'ID', offset = 0, limit = 100 }) {
    let found = this.whole()?.Peers ?? [];
    if (sort === 'name') found = this.#made.byName ??= inOrder(found, (peer) => nameKey(nodeName(peer)));
    if (search.trim()) {
      this.#made.texts ??= new Map(found.map((peer) => [peer, searchText(this.#made.whole, peer)]));
      const match = matcher(search);
      found = found.filter((peer) => match(this.#made.texts.get(peer)));
    }
    return { total: found.length, peers: found.slice(offset, offset + limit) };
  }
}

// inOrder returns a list in the order of keys; what has the same keeps its order.
function inOrder(list, keyOf) {
  const keyed = list.map((item) => ({ item, key: keyOf(item) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key))).map(({ item }) => item);
}
