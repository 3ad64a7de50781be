// An index of a network's peers: what the table shows of them, in the order and the selection asked for.

import { searchText } from '../cache/names.js';
import { addresses, nameKey, nodeName, parseTime } from './format.js';
import { namesOf, visible } from './names.js';
import { searcher } from './search.js';

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
const expiresSoon = 14 * 24 * 3600_000; // milliseconds

// The statuses, in the order in which peers sort by them.
const statuses = { online: 0, offline: 1, expired: 2 };

export class PeerIndex {
  rows = []; // one for each peer, in order of their names
  byID = new Map(); // from stable ID to row
  names = namesOf(undefined);

  // add adds peers of a network map that follow, by name, those that are here. Others take a settle afterwards.
  add(netmap, nodes) {
    for (const node of nodes) {
      const row = makeRow(netmap, node);
      row.nameOrder = this.rows.push(row);
      this.byID.set(row.id, row);
    }
  }

  // settle puts the rows in order, and names users and relays as they are called in a network map.
  settle(netmap) {
    this.names = namesOf(netmap);
    this.rows.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : Number(BigInt(a.node.ID) - BigInt(b.node.ID)))); // IDs above 2^53 are strings
    this.rows.forEach((row, i) => (row.nameOrder = i));
  }

  // update puts peers in place of others or beside them, takes out those with other IDs, and follows the names of users
  // and relays.
  update(netmap, nodes, gone) {
    const old = new Set([...gone, ...nodes.map(({ ID }) => ID)]);
    const rows = this.rows.filter(({ node }) => !old.has(node.ID)).map((row) => (row.searched === searchText(netmap, row.node) ? row : makeRow(netmap, row.node)));
    this.rows = rows.concat(nodes.map((node) => makeRow(netmap, node)));
    this.settle(netmap);
    this.byID = new Map(this.rows.map((row) => [row.id, row]));
  }

  nodes() {
    return this.rows.map(({ node }) => node);
  }

  // find returns the rows that a question selects: { search, sort, descending, status, system, tag, owner, relay, badge }.
  find({ search = '', sort = 'name', descending = false, ...filters }) {
    const matches = searcher(search, this.names);
    const wanted = Object.entries(filters).filter(([, value]) => value);
    const found = this.rows.filter((row) => wanted.every(([field, value]) => has(row, field, value)) && matches(row));
    const order = orders[sort] ?? orders.name;
    const sign = descending ? -1 : 1;
    return found.sort((a, b) => sign * order(a, b, this) || a.nameOrder - b.nameOrder);
  }

  // label returns what a value of a field is called.
  label(field, value) {
    if (field === 'owner') return this.names.user(value);
    return field === 'relay' ? this.names.relay(value) : value;
  }

  // holder returns the tags of a peer, or else its owner.
  holder({ tag, owner }) {
    return tag.length > 0 ? tag.join(', ') : this.names.user(owner);
  }

  // counts returns how often each value occurs in a field.
  counts(field) {
    const counts = new Map();
    const add = (value) => value && counts.set(value, (counts.get(value) ?? 0) + 1);
    for (const row of this.rows) {
      const value = row[fieldOf(field)];
      if (Array.isArray(value)) value.forEach(add);
      else add(value);
    }
    return counts;
  }

  // choices returns the values that occur in a field, with how often and what they are called, the most frequent first.
  choices(field) {
    return [...this.counts(field)].map(([value, n]) => [value, n, this.label(field, value)]).sort((a, b) => b[1] - a[1] || collator.compare(a[2], b[2]));
  }
}

const fieldOf = (field) => (field === 'badge' ? 'badges' : field);

function has(row, field, value) {
  const own = row[fieldOf(field)];
  return Array.isArray(own) ? own.includes(value) : own === value;
}

export const isExit = (route) => route === '0.0.0.0/0' || route === '::/0';

// routesOf returns the routes of a node beyond its own addresses, those of an exit node included.
export const routesOf = (node) => (node.AllowedIPs ?? []).filter((prefix) => !node.Addresses?.includes(prefix));

// servicesOf returns what a node says that it serves to others, in words.
export const servicesOf = ({ Services }) => (Services ?? []).filter(({ Proto = '' }) => !Proto.startsWith('peerapi'))
  .map(({ Proto, Port, Description }) => `${Port}/${Proto} ${Description ?? ''}`.trim());

function makeRow(netmap, node) {
  const name = visible(nodeName(node)) || `(no name) ${node.StableID}`;
  const host = node.Hostinfo ?? {};
  const tag = node.Tags ?? [];
  const owner = tag.length ? '' : String(node.Sharer || node.User || '');
  const addrs = addresses(node);
  const routes = routesOf(node);
  const status = node.Expired ? 'expired' : node.Online ? 'online' : 'offline';
  const version = host.IPNVersion?.split('-')[0] ?? '';
  const searched = searchText(netmap, node);
  const expiry = parseTime(node.KeyExpiry);
  const row = {
    id: node.StableID,
    node,
    searched,
    text: [searched, status, version, host.OSVersion, host.Distro, ...routes, ...servicesOf(host)].join('\n').toLowerCase(),
    name,
    key: nameKey(name),
    address: addrs[0] ?? '',
    tag,
    owner,
    login: owner ? (netmap.UserProfiles?.[owner]?.LoginName ?? '').toLowerCase() : '',
    system: host.OS ?? '',
    version,
    routes,
    relay: String(node.HomeDERP || ''),
    status,
    seen: node.Online ? undefined : parseTime(node.LastSeen),
    badges: [
      routes.some(isExit) && 'exit',
      routes.some((route) => !isExit(route)) && 'router',
      expiry && !node.Expired && expiry - Date.now() < expiresSoon && 'expiring',
      node.Sharer && 'shared',
      host.sshHostKeys?.length > 0 && 'ssh',
    ].filter(Boolean),
  };
  row.addressOrder = addressOrder(row.address);
  return row;
}

// addressOrder returns a number, or a string for IPv6, by which addresses sort.
function addressOrder(address) {
  const parts = address.split('.');
  return parts.length === 4 ? parts.reduce((sum, part) => sum * 256 + Number(part), 0) : Infinity;
}

const orders = {
  name: (a, b) => a.nameOrder - b.nameOrder,
  address: (a, b) => a.addressOrder - b.addressOrder || collator.compare(a.address, b.address),
  holder: (a, b, index) => collator.compare(index.holder(a), index.holder(b)),
  system: (a, b) => collator.compare(a.system, b.system),
  relay: (a, b, { names }) => collator.compare(names.relay(a.relay), names.relay(b.relay)),
  status: (a, b) => statuses[a.status] - statuses[b.status] || (b.seen ?? 0) - (a.seen ?? 0),
};
