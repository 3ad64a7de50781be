// The sections below the peers: this device, health, users, DNS, relays, packet filter, SSH policy.

import { byId, element, frame, pairs, table } from './dom.js';
import { bytes, clock, count, shortKey } from './format.js';

const shown = {}; // what each section shows, so that it is left alone while that stays

// section fills a section anew if its data changed, and reports whether it did.
function section(id, data, make) {
  const key = JSON.stringify(data);
  if (shown[id] === key) return false;
  shown[id] = key;
  byId(id).replaceChildren(...make(data));
  return true;
}

export function showSelf(network) {
  section('self', network.self.pairs, pairs);
}

// showSections shows the other sections; those that take all peers only if they are complete.
export async function showSections(network, complete) {
  const all = [
    ['health', network.health, health],
    ['dns', network.dns.pairs, pairs],
    ['dns-more', [network.dns.routes, network.dns.records], dnsMore],
    ['filter', network.filter, filter],
  ];
  const ofPeers = [
    ['users', network.users, users],
    ['relays', network.relays, relays],
    ['ssh', network.ssh, ssh],
  ];
  for (const one of complete ? [...all, ...ofPeers] : all) {
    if (section(...one)) await frame(); // the browser lays out one at a time
  }
}

// showSession shows what is known of the session: either may be undefined.
export function showSession(state, host) {
  section('session', [
    ['Control plane', host],
    ['Node key', shortKey(state?.nodeKey)],
    ['Full maps', state && state.fullMaps.toLocaleString()],
    ['Changes', state && state.deltas.toLocaleString()],
    ['Connected', state?.phase === 'live' && clock(state.since)],
    ['Last error', state?.error],
  ], pairs);
}

function more({ all, list }) {
  return all > list.length ? [element('p', `and ${(all - list.length).toLocaleString()} more`, 'explain')] : [];
}

const none = (text) => [element('p', text, 'explain')];

function health(messages) {
  if (messages.length === 0) return [element('li', 'The control plane reports no problem.', 'fine')];
  return messages.map(({ title, text, severity, action }) => {
    const item = element('li', [element('strong', title), element('p', text)], severity);
    if (action) {
      const link = element('a', action.label || 'What to do');
      Object.assign(link, { href: action.url, target: '_blank', rel: 'noopener noreferrer' });
      item.append(link);
    }
    return item;
  });
}

function users(part) {
  if (part.all === 0) return none('No user is known.');
  const rows = part.list.map(({ name, login, devices, self }) => [self ? `${name} (you)` : name, login, devices ? devices.toLocaleString() : '']);
  return [table(['Name', 'Login', 'Devices'], rows), ...more(part)];
}

function dnsMore([routes, records]) {
  const made = [];
  if (routes.all > 0) made.push(element('details', [element('summary', count(routes.all, 'domain with resolvers of its own', 'domains with resolvers of their own')), table(['Domain', 'Resolvers'], routes.list), ...more(routes)]));
  if (records.all > 0) made.push(element('details', [element('summary', count(records.all, 'extra record')), table(['Name', 'Type', 'Value'], records.list), ...more(records)]));
  return made;
}

function relays(part) {
  if (part.all === 0) return none('The network has no relays.');
  const rows = part.list.map(({ name, code, servers, peers, latency, home }) =>
    [home ? `${name} (home)` : name, code, peers.toLocaleString(), servers.toLocaleString(), latency ? `${Math.round(latency)} ms` : '']);
  return [table(['Region', 'Code', 'Peers', 'Servers', 'Latency'], rows), ...more(part)];
}

function filter(part) {
  if (part.all === 0) return none('Nobody may reach this device.');
  const rows = part.list.map(({ from, to, protocols, grants }) => [from, to, protocols, grants]);
  return [table(['From', 'To', 'Protocol', 'Capabilities'], rows), ...more(part)];
}

function ssh(part) {
  if (part.all === 0) return [element('li', 'Nobody may log in by SSH through the network.', 'explain')];
  return part.list.map(({ accept, who, as, extras }) => {
    const what = accept ? `${who} may log in as ${as || 'nobody'}` : `${who} may not log in as ${as || 'anybody'}`;
    return element('li', [what, ...(extras.length > 0 ? [element('span', ` (${extras.join(', ')})`, 'soft')] : [])], accept ? 'accept' : 'reject');
  });
}

// showStorage shows what is saved: info is the cache's, estimate the browser's.
export function showStorage(info, { usage, quota, persisted } = {}) {
  section('storage', [
    ['Saved', info ? clock(info.savedAt) : 'nothing'],
    ['Confirmed', info && clock(info.confirmedAt)],
    ['Holds', info && `${count(info.peers, 'peer')}, ${count(info.users, 'user')}`],
    ['Size', info && `${bytes(info.bytes)} in ${count(info.columns, 'column')}`],
    ['Generation', info && info.generation.toLocaleString()],
    ['Storage used', usage !== undefined && `${bytes(usage)} of ${bytes(quota)}`],
    ['Kept for good', persisted === undefined ? '' : persisted ? 'yes: the browser asks before it deletes it' : 'no: the browser may delete it when space is short'],
  ], pairs);
}
