// A network map in pieces, so that the first can be shown before all have been.

import { breather } from './breathe.js';
import { nameKey, nodeName } from './names.js';

// How many peers a piece has. The first one has as many as fit on a screen.
const atFirst = 100;
const atOnce = 256;

// pieces yields a snapshot: the peers in order of their names, with the profiles of their users, unless these were in a piece
// before; the last piece has all other profiles as well.
export async function* pieces(snapshot, check) {
  const { netmap, peers: names, users } = await snapshot.names(check);
  const sorted = await byName(names ?? [], (i) => nodeName(snapshot.peerAt(i)), check);
  const left = new Map(Object.entries(users ?? {}));
  const breathe = breather(check);
  let next = 0;
  do {
    const first = next === 0;
    const peers = [];
    const profiles = {};
    for (const i of sorted.slice(next, first ? atFirst : next + atOnce)) {
      await breathe();
      peers.push(snapshot.peerAt(i));
    }
    next += peers.length;
    const ids = next >= sorted.length ? left.keys() : new Set([first ? netmap.SelfNode.User : 0, ...peers.flatMap(({ User, Sharer = 0 }) => [User, Sharer])]);
    for (const id of [...ids].map(String).filter((id) => left.has(id))) {
      await breathe();
      profiles[id] = snapshot.userAt(left.get(id));
      left.delete(id);
    }
    yield { ...(first && { netmap }), total: sorted.length, peers, users: profiles };
  } while (next < sorted.length);
}

// byName returns the indices of names in their order. Those that are undefined nameOf has to tell.
async function byName(names, nameOf, check) {
  const breathe = breather(check);
  const keys = [];
  for (const [i, name] of names.entries()) {
    keys.push(nameKey(name ?? nameOf(i)));
    await breathe();
  }
  return [...keys.keys()].sort((a, b) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : a - b));
}
