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

// after returns the marks of the map that is stored once the k-th call is done: the
// same as marks returns of that map.
export function after(writer, k) {
  const first = k - (k % 5);
  const all = markOf(writer, first);
  const result = { peers: peersOf(first), self: all, peer: all, others: all, profile: all, filter: all };
  for (let i = first + 1; i <= k; i++) {
    const mark = markOf(writer, i);
    if (i % 5 === 1) result.peer = mark;
    if (i % 5 === 2) result.self = result.filter = mark;
    if (i % 5 === 3) result.profile = mark;
    if (i % 5 === 4) result.filter = mark;
  }
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
  const others = new Set(map.Peers.filter((peer) => peer.ID !== 2).map((peer) => peer.Name));
  const peer = map.Peers.find((peer) => peer.ID === 2).Name;
  return {
    peers: map.Peers.length,
    self: [...self].join(' and '),
    peer,
    others: [...others].join(' and '),
    profile: map.UserProfiles[100].DisplayName,
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
