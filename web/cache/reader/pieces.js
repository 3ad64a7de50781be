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
  const sorted = await byName((names ?? []).map((name, i) => name ?? nodeName(snapshot.peerAt(i))), check);
  const left = new Map(Object.entries(users ?? {}));
  const take = (ids) => {
    const taken = ids.map(String).filter((id) => left.has(id)).map((id) => [id, left.get(id)]);
    for (const [id] of taken) left.delete(id);
    return taken;
  };
  const breathe = breather(check);
  let next = 0;
  do {
    await breathe();
    const first = next === 0;
    const peers = sorted.slice(next, first ? atFirst : next + atOnce).map((i) => snapshot.peerAt(i));
    next += peers.length;
    const ids = new Set([...(first ? [netmap.SelfNode.User] : []), ...peers.flatMap(({ User, Sharer = 0 }) => [User, Sharer])]);
    const profiles = take([...ids]);
    if (next >= sorted.length) profiles.push(...left);
    yield { ...(first && { netmap }), total: sorted.length, peers, users: Object.fromEntries(profiles) };
  } while (next < sorted.length);
}

// byName returns the indices of names in their order.
async function byName(names, check) {
  const breathe = breather(check);
  const keys = [];
  for (const name of names) {
    keys.push(nameKey(name));
    await breathe();
  }
  return [...keys.keys()].sort((a, b) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : a - b));
}
