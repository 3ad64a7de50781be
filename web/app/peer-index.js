// An index of a network's peers: what the table shows of them, in the order and the selection asked for.

import { addresses, nameKey, nodeName, parseTime, relayName, userName } from './format.js';

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

// The statuses, in the order in which peers sort by them.
const statuses = { online: 0, offline: 1, expired: 2 };

export class PeerIndex {
  rows = []; // one for each peer, in order of their names
  byID = new Map(); // from stable ID to row

  // add adds peers of a network map that follow, by name, those that are here. Others take a settle afterwards.
  add(netmap, nodes) {
    for (const node of nodes) {
      const row = makeRow(netmap, node);
      row.nameOrder = this.rows.push(row);
      this.byID.set(row.id, row);
    }
  }

  // settle puts the rows in order.
  settle() {
    this.rows.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.node.ID - b.node.ID));
    this.rows.forEach((row, i) => (row.nameOrder = i));
  }

  // update puts peers in place of others or beside them, takes out those with other IDs, and follows the names of users
  // and relays.
  update(netmap, nodes, gone) {
    const old = new Set([...gone, ...nodes.map(({ ID }) => ID)]);
    const rows = this.rows.filter(({ node }) => !old.has(node.ID)).map((row) => (isCurrent(netmap, row) ? row : makeRow(netmap, row.node)));
    this.rows = rows.concat(nodes.map((node) => makeRow(netmap, node)));
    this.settle();
    this.byID = new Map(this.rows.map((row) => [row.id, row]));
  }

  nodes() {
    return this.rows.map(({ node }) => node);
  }

  // find returns the rows that a question selects: { search, sort, descending, status, system, tag, owner, relay }.
  find({ search = '', sort = 'name', descending = false, ...filters }) {
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = Object.entries(filters).filter(([, value]) => value);
    const found = this.rows.filter((row) => words.every((word) => row.text.includes(word)) && wanted.every(([field, value]) => has(row, field, value)));
    const order = orders[sort];
    const sign = descending ? -1 : 1;
    return found.sort((a, b) => sign * order(a, b) || a.nameOrder - b.nameOrder);
  }

  // counts returns how often each value occurs in a field.
  counts(field) {
    const counts = new Map();
    const add = (value) => value && counts.set(value, (counts.get(value) ?? 0) + 1);
    for (const { [field]: value } of this.rows) {
      if (Array.isArray(value)) value.forEach(add);
      else add(value);
    }
    return counts;
  }

  // choices returns the values that occur in a field, with how often, the most frequent first.
  choices(field) {
    return [...this.counts(field)].sort((a, b) => b[1] - a[1] || collator.compare(a[0], b[0]));
  }

  online() {
    return this.rows.reduce((sum, row) => sum + (row.status === 'online'), 0);
  }
}

function has(row, field, value) {
  return Array.isArray(row[field]) ? row[field].includes(value) : row[field] === value;
}

const ownerOf = (netmap, node) => (node.Tags?.length ? '' : userName(netmap, node.Sharer || node.User));
const relayOf = (netmap, node) => relayName(netmap, node.HomeDERP);

// isCurrent reports whether what a row has from elsewhere than its node is as in the network map.
const isCurrent = (netmap, { node, owner, relay }) => owner === ownerOf(netmap, node) && relay === relayOf(netmap, node);

function makeRow(netmap, node) {
  const name = nodeName(node);
  const tag = node.Tags ?? [];
  const owner = ownerOf(netmap, node);
  const addrs = addresses(node);
  const row = {
    id: node.StableID,
    node,
    name,
    key: nameKey(name),
    address: addrs[0] ?? '',
    tag,
    owner,
    holder: tag.length ? tag.join(', ') : owner,
    system: node.Hostinfo?.OS ?? '',
    relay: relayOf(netmap, node),
    status: node.Expired ? 'expired' : node.Online ? 'online' : 'offline',
    seen: node.Online ? undefined : parseTime(node.LastSeen),
  };
  row.text = [node.Name, name, ...addrs, row.holder, row.system, row.relay].join('\n').toLowerCase();
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
  holder: (a, b) => collator.compare(a.holder, b.holder),
  system: (a, b) => collator.compare(a.system, b.system),
  relay: (a, b) => collator.compare(a.relay, b.relay),
  status: (a, b) => statuses[a.status] - statuses[b.status] || (b.seen ?? 0) - (a.seen ?? 0),
};
