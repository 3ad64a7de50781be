// What writers do in the tests of accidents: an endless history of calls, each of which
// leaves its mark in every part of the network map that it writes. So the parts of a map that
// was loaded tell of which calls it comes. It is used in the pages and in the tests.

import { netmap, node } from './netmap.mjs';

// perform makes the k-th call of a writer. Peers come and go, so that the number
// of columns changes.
export async function perform(cache, writer, k) {
  const mark = markOf(writer, k);
  switch (k % 5) {
    case 0:
      return cache.store(version(mark, peersOf(k)));
    case 1:
      return cache.updatePeers([marked(node(1), mark)], []);
    case 2:
      return cache.updateSelf(version(mark, 0));
    case 3:
      return cache.updateUserProfiles({ 100: profile(mark) });
    case 4:
      return cache.updatePacketFilter(filter(mark));
  }
}

// written returns the marks that the k-th call leaves, by the parts that it writes.
export function written(writer, k) {
  const mark = markOf(writer, k);
  switch (k % 5) {
    case 0:
      return { peers: peersOf(k), self: mark, peer: mark, others: mark, profile: mark, filter: mark };
    case 1:
      return { peer: mark };
    case 2:
      return { self: mark, filter: mark };
    case 3:
      return { profile: mark };
    case 4:
      return { filter: mark };
  }
}

// after returns the marks of the map that is stored once the k-th call of an only writer is
// done: the same as marks returns of that map.
export function after(writer, k) {
  const result = {};
  for (let i = k - (k % 5); i <= k; i++) Object.assign(result, written(writer, i));
  return result;
}

// marks returns whose a network map is, part by part.
export function marks(map) {
  const self = new Set([
    map.Domain,
    map.SelfNode.Name,
    map.DNS.Domains[0],
    map.DERPMap.Regions[1].RegionName,
    Object.keys(map.SSHPolicy.rules[0].sshUsers)[0],
  ]);
  const peers = map.Peers ?? []; // null if updateSelf was the first call that succeeded
  const others = new Set(peers.filter((peer) => peer.ID !== 2).map((peer) => peer.Name));
  const peer = peers.find((peer) => peer.ID === 2)?.Name;
  return {
    peers: peers.length,
    self: [...self].join(' and '),
    peer,
    others: [...others].join(' and '),
    profile: map.UserProfiles?.[100].DisplayName,
    filter: map.PacketFilterRules[0].CapGrant[0].CapMap.writer[0],
  };
}

const markOf = (writer, k) => `${writer}-${k}`;
const peersOf = (k) => 2 + ((k * 7) % 100);
const marked = (node, mark) => ({ ...node, Name: mark });
const profile = (mark) => ({ ID: 100, LoginName: 'alice@example.com', DisplayName: mark });
const filter = (mark) => [{ SrcIPs: ['*'], CapGrant: [{ Dsts: ['100.64.0.1/32'], CapMap: { writer: [mark] } }] }];

// version returns a whole network map with the mark in every part.
function version(mark, peers) {
  const map = netmap(peers);
  map.Domain = map.DNS.Domains[0] = map.DERPMap.Regions[1].RegionName = mark;
  map.SSHPolicy.rules[0].sshUsers = { [mark]: '=' };
  map.PacketFilterRules = filter(mark);
  map.UserProfiles[100] = profile(mark);
  map.SelfNode = marked(map.SelfNode, mark);
  map.Peers = map.Peers.map((peer) => marked(peer, mark));
  return map;
}
