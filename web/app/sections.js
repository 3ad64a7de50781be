// The parts of a network map other than its peers: this device, health, users, DNS, relays, packet filter, SSH policy. And the session.

import { bytes, clock, count, shortKey } from './format.js';
import { byId, copyButton, filterLink, frame, html, nothing, pairs, render, table } from './templates.js';

const shown = {}; // what each section shows, so that it is left alone while that stays

// section shows data in a section if they changed, and reports whether they did.
function section(id, data, make) {
  const key = JSON.stringify(data);
  if (shown[id] === key) return false;
  shown[id] = key;
  render(make(data), byId(id));
  return true;
}

// showSelf shows this device, or, without a network, that there is none.
/** @param {import('./types').Network} [network] */
export function showSelf({ self, domain } = /** @type {any} */ ({})) {
  section('self', self?.pairs ?? [], pairs);
  section('this-device', self, () => (self ? html`<b class="text">${self.name}</b> ${self.address ? html`<span>${self.address}</span>${copyButton(self.address, 'the address of this device')}` : nothing}` : html`<span class="soft">Not in a network</span>`));
  section('domain', domain, (text) => text ?? nothing);
}

// showSections shows the other sections; those that take all peers only if they are complete. What control says of health is so now only
// if isCurrent.
/** @param {import('./types').Network} network */
export async function showSections(network, complete, isCurrent) {
  const all = [
    ['health', [network.health, isCurrent], health],
    ['dns', network.dns.pairs, pairs],
    ['dns-more', [network.dns.routes, network.dns.records], dnsMore],
  ];
  const ofPeers = [
    ['filter', network.filter, filter],
    ['users', network.users, users],
    ['relays', network.relays, relays],
    ['ssh', network.ssh, ssh],
  ];
  for (const one of complete ? [...all, ...ofPeers] : all) {
    if (section(...one)) await frame(); // the browser lays out one at a time
  }
}

// showSession shows what is known of the session: either may be undefined.
/** @param {import('../client/program.js').ProgramState | undefined} state */
export function showSession(state, host) {
  section('session', [
    ['Control plane', host],
    ['Node key', shortKey(state?.nodeKey)],
    ['Backend', state?.backend],
    ['Full maps', state && state.fullMaps.toLocaleString()],
    ['Changes', state && state.deltas.toLocaleString()],
    ['Connected', state?.phase === 'live' && clock(state.since)],
    ['Last error', state?.error],
    ['Saved network', state?.cacheError && `not used: ${state.cacheError}`],
  ], pairs);
}

const more = ({ all, list }) => (all > list.length ? html`<p class="explain">and ${(all - list.length).toLocaleString()} more</p>` : nothing);

const none = (text) => html`<p class="explain">${text}</p>`;

function health([messages, isCurrent]) {
  if (messages.length === 0) {
    return html`<li class=${isCurrent ? 'fine' : 'unknown'}>${isCurrent ? 'The control plane reports no problem.' : 'The control plane reported no problem when it was last heard.'}</li>`;
  }
  const heard = isCurrent ? nothing : html`<li class="unknown">From the control plane, when it was last heard:</li>`;
  return html`${heard}${messages.map(({ title, text, severity, action }) => html`<li class=${severity}><strong>${title}</strong><p>${text}</p>
    ${action ? html`<a href=${action.url} target="_blank" rel="noopener noreferrer">${action.label || 'What to do'}</a>` : nothing}</li>`)}`;
}

function users(part) {
  if (part.all === 0) return none('No user is known.');
  const rows = part.list.map(({ id, name, login, devices, self }) =>
    [html`${devices ? filterLink('owner', id, name) : name}${self ? ' (you)' : ''}`, login, devices ? devices.toLocaleString() : '']);
  return html`${table(['Name', 'Login', 'Devices'], rows)}${more(part)}`;
}

const dnsMore = ([routes, records]) => html`
  ${routes.all > 0 ? html`<details><summary>${count(routes.all, 'domain with resolvers of its own', 'domains with resolvers of their own')}</summary>${table(['Domain', 'Resolvers'], routes.list)}${more(routes)}</details>` : nothing}
  ${records.all > 0 ? html`<details><summary>${count(records.all, 'extra record')}</summary>${table(['Name', 'Type', 'Value'], records.list)}${more(records)}</details>` : nothing}`;

function relays(part) {
  if (part.all === 0) return none('The network has no relays.');
  const measured = part.list.some(({ latency }) => latency);
  const rows = part.list.map(({ id, name, code, servers, peers, latency, home }) => [
    html`${peers ? filterLink('relay', id, name) : name}${home ? ' (home)' : ''}`, code, peers.toLocaleString(), servers.toLocaleString(),
    ...(measured ? [latency ? `${Math.round(latency)} ms` : ''] : []),
  ]);
  return html`${table(['Region', 'Code', 'Peers', 'Servers', ...(measured ? ['Latency'] : [])], rows)}${more(part)}`;
}

function filter(part) {
  if (part.all === 0) return none('Nobody may reach this device.');
  return html`${table(['From', 'To', 'Protocol', 'Capabilities'], part.list.map(({ from, to, protocols, grants }) => [from, to, protocols, grants]))}${more(part)}`;
}

function ssh(part) {
  if (part.all === 0) return html`<li class="explain">Nobody may log in by SSH through the network.</li>`;
  return html`${part.list.map(({ accept, who, as, extras }) => html`<li class=${accept ? 'accept' : 'reject'}>${accept ? `${who} may log in as ${as || 'nobody'}` : `${who} may not log in as ${as || 'anybody'}`}
    ${extras.length > 0 ? html`<span class="soft"> (${extras.join(', ')})</span>` : nothing}</li>`)}${part.all > part.list.length ? html`<li>and ${(part.all - part.list.length).toLocaleString()} more</li>` : nothing}`;
}

// showStorage shows what is saved: info is the cache's, keepKeys tells what becomes of the node's, estimate is the browser's.
export function showStorage(info, keepKeys, { usage, quota, persisted }) {
  section('storage', [
    ['Saved', info ? clock(info.savedAt) : 'nothing'],
    ['Confirmed', info && clock(info.confirmedAt)],
    ['Holds', info && `${count(info.peers, 'peer')}, ${count(info.users, 'user')}`],
    ['Size', info && `${bytes(info.bytes)} in ${count(info.columns, 'column')}`],
    ['Private keys', keepKeys === undefined ? 'not known yet' : keepKeys ? 'saved, encrypted' : 'not saved: this page comes without TLS, so that another program could take its place; each time it is a new device'],
    ['Generation', info && info.generation.toLocaleString()],
    ['Storage used', usage !== undefined && `${bytes(usage)} of ${bytes(quota)}`],
    ['Kept for good', persisted === undefined ? '' : persisted ? 'yes: the browser asks before it deletes it' : 'no: the browser may delete it when space is short'],
  ], pairs);
}
