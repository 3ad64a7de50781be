// The network map as the program tells it, piece by piece.

export class Netmap {
  live = false; // it came from control, and not from the cache
  #rest; // all but peers and users, as tailcfg has it
  #peers = new Map();
  #users = new Map();
  #whole;

  // take takes the news of the program: the JSON text of a News of client/internal/node.
  take(text) {
    const { whole, live, netmap, peers = [], gone = [], users = {} } = JSON.parse(text);
    if (whole) {
      this.#peers.clear();
      this.#users.clear();
    }
    this.live = live;
    this.#rest = netmap ?? this.#rest;
    for (const peer of peers) this.#peers.set(peer.ID, peer);
    for (const id of gone) this.#peers.delete(id);
    for (const [id, user] of Object.entries(users)) {
      if (user) this.#users.set(id, user);
      else this.#users.delete(id);
    }
    this.#whole = undefined;
  }

  // whole returns the network map as netmapcache's load does, or undefined if there is none.
  whole() {
    if (!this.#rest) return undefined;
    this.#whole ??= { ...this.#rest, Peers: [...this.#peers.values()], UserProfiles: Object.fromEntries(this.#users) };
    return this.#whole;
  }
}
