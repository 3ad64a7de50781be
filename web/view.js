// Shows a network map. All of its text is put in as text, never as markup.

import { addresses, ago, bytes, clock, count, nodeName, shortKey, userName } from './format.js';

const pageSize = 200; // peers shown at a time; more on demand
let shown = pageSize;
let current; // the network map on display

const byId = (id) => document.getElementById(id);

byId('search').addEventListener('input', () => {
  shown = pageSize;
  showPeers();
});
byId('more').addEventListener('click', () => {
  shown += pageSize;
  showPeers();
});

// showNetwork shows a network map, or none.
export function showNetwork(netmap) {
  current = netmap;
  byId('network').hidden = !netmap;
  if (!netmap) return;
  showSelf();
  showPeers();
  showDNS();
  showRelays();
  showFilter();
}

// showSession shows what is known of the session and of the cache: either may be undefined.
export function showSession(client, info) {
  fill('session', [
    ['Node key', shortKey(client?.nodeKey)],
    ['Control', client && location.host],
    ['Full maps', client && client.fullMaps.toLocaleString()],
    ['Changes', client && client.deltas.toLocaleString()],
    ['Saved', info && `${ago(info.savedAt)} (${clock(info.savedAt)})`],
    ['Generation', info && String(info.generation)],
    ['Cache', info && `${count(info.peers, 'peer')}, ${count(info.users, 'user')}, ${count(info.columns, 'column')}, ${bytes(info.bytes)}`],
  ]);
}

function showSelf() {
  const self = current.SelfNode;
  fill('self', [
    ['Name', self.Name?.replace(/\.$/, '')],
    ['Addresses', addresses(self).join(', ')],
    ['Node key', shortKey(self.Key)],
    ['User', userName(current, self.User)],
    ['Tailnet', current.Domain],
    ['Key expires', self.KeyExpiry && !self.KeyExpiry.startsWith('0001') && clock(self.KeyExpiry)],
  ]);
}

function showPeers() {
  const all = current?.Peers ?? [];
  const wanted = byId('search').value.trim().toLowerCase();
  const matching = wanted ? all.filter((peer) => searchText(peer).includes(wanted)) : all;
  matching.sort((a, b) => compare(nodeName(a), nodeName(b)));
  byId('peers').replaceChildren(...matching.slice(0, shown).map(peerRow));
  const online = all.filter((peer) => peer.Online).length;
  const found = wanted ? `${count(matching.length, 'match', 'matches')} of ` : '';
  byId('peers-count').textContent = `${found}${count(all.length, 'peer')}, ${online.toLocaleString()} online`;
  byId('more').hidden = matching.length <= shown;
}

const compare = new Intl.Collator(undefined, { numeric: true }).compare;

function owner(peer) {
  return peer.Tags?.length ? peer.Tags.join(', ') : userName(current, peer.Sharer || peer.User);
}

function searchText(peer) {
  return [peer.Name, ...addresses(peer), owner(peer), peer.Hostinfo?.OS].join(' ').toLowerCase();
}

function peerRow(peer) {
  const row = tableRow([
    nodeName(peer),
    addresses(peer)[0],
    owner(peer),
    peer.Hostinfo?.OS,
    relayName(peer.HomeDERP),
    peer.Online ? 'online' : peer.LastSeen ? `offline, seen ${ago(Date.parse(peer.LastSeen))}` : 'offline',
  ]);
  row.lastChild.className = peer.Online ? 'online' : 'offline';
  row.dataset.id = peer.StableID;
  return row;
}

function relayName(region) {
  return current.DERPMap?.Regions?.[region]?.RegionName ?? '';
}

function showDNS() {
  const dns = current.DNS ?? {};
  const list = (resolvers) => (resolvers ?? []).map((resolver) => resolver.Addr).join(', ');
  fill('dns', [
    ['MagicDNS', dns.Proxied ? 'on' : 'off'],
    ['Search domains', dns.Domains?.join(', ')],
    ['Resolvers', list(dns.Resolvers)],
    ...Object.entries(dns.Routes ?? {}).map(([domain, resolvers]) => [domain, list(resolvers) || 'this device']),
    ...(dns.ExtraRecords ?? []).map((record) => [record.Name, record.Value]),
  ]);
}

function showRelays() {
  const homes = new Map();
  for (const peer of current.Peers ?? []) homes.set(peer.HomeDERP, (homes.get(peer.HomeDERP) ?? 0) + 1);
  const regions = Object.values(current.DERPMap?.Regions ?? {}).sort((a, b) => compare(a.RegionName, b.RegionName));
  byId('relays').replaceChildren(
    ...regions.map((region) => {
      const item = element('li', `${region.RegionName} `);
      item.append(element('span', count(homes.get(region.RegionID) ?? 0, 'peer'), 'count'));
      return item;
    }),
  );
}

function showFilter() {
  byId('filter').replaceChildren(...(current.PacketFilterRules ?? []).map((rule) => {
    const to = (rule.DstPorts ?? []).map(({ IP, Ports }) => `${IP}:${portRange(Ports)}`);
    const grants = (rule.CapGrant ?? []).flatMap((grant) => [...(grant.Caps ?? []), ...Object.keys(grant.CapMap ?? {})]);
    const protocols = (rule.IPProto ?? []).map((number) => ({ 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6' })[number] ?? number);
    return tableRow([some(rule.SrcIPs ?? []), some(to), protocols.join(', '), some(grants)]);
  }));
}

function portRange({ First, Last }) {
  if (First === 0 && Last === 65535) return '*';
  return First === Last ? String(First) : `${First}-${Last}`;
}

// some joins the first few of a list, and tells how many more there are.
function some(list) {
  const most = 4;
  const more = list.length > most ? ` and ${list.length - most} more` : '';
  return list.slice(0, most).join(', ') + more;
}

// fill fills a description list with those pairs that have a value.
function fill(id, pairs) {
  byId(id).replaceChildren(...pairs.filter(([, value]) => value).flatMap(([term, value]) => [element('dt', term), element('dd', value)]));
}

function tableRow(cells) {
  const row = document.createElement('tr');
  row.append(...cells.map((text) => element('td', text)));
  return row;
}

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text ?? '';
  if (className) made.className = className;
  return made;
}
