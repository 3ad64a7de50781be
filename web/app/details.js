// The details of the selected peer, beside the rest of the page, or above it where there is no room beside.

import { ago } from './format.js';
import { statusOf } from './knowledge.js';
import { Question } from './question.js';
import { byId, copy, html, nothing, pairs, render, repeat, setText } from './templates.js';

const panel = byId('details');
const beside = matchMedia('(min-width: 64rem)');
/** @type {import('./types').ModelWorker} */
let model;
let shown; // a stable ID
/** @type {import('./types').Peer | undefined} */
let peer; // what is shown of it: the newest that is known, also when it is gone
let gone = false;
let returnTo; // where the focus came from
let current = false;

// startDetails makes the panel work: leave is called when it is to be closed, show when the map is asked for, step with 1 or -1 for the
// next peer or the one before, open when the peer's page is asked for, ping to ask an address for a sign of life, with a signal to give up by.
export function startDetails(given, { leave, show, step, open, ping }) {
  model = given;
  byId('details-close').addEventListener('click', leave);
  panel.addEventListener('keydown', (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || event.target !== byId('details-name')) return;
    event.preventDefault();
    step(by);
  });
  byId('details-map').addEventListener('click', () => show(shown));
  byId('details-open').addEventListener('click', () => peer && open(peer.web));
  byId('details-ping').addEventListener('click', () => {
    if (pinging.asking) pinging.cancel();
    else pinging.ask((signal) => ping(peer.address, signal), pongText);
  });
  byId('details-json').addEventListener('click', async () => {
    const text = await model.peerJSON(shown);
    if (text === undefined) setText('details-note', 'This peer is no longer in the network: nothing was copied.');
    else setText('details-note', (await copy(text)) ? 'Copied.' : "The browser didn't let the page copy.");
  });
  beside.addEventListener('change', cover);
}

// The peer is asked for a sign of life by the button, and no more by the same.
const pinging = new Question((state, note) => {
  setText('details-ping', state === 'asking' ? 'Cancel' : 'Ping');
  setText('details-note', note);
});

/** @param {import('../client/program.js').Pong} pong */
async function pongText({ latency, relay, peerRelay, endpoint }) {
  const path = relay ? `through the relay ${await model.relayName(relay)}` : peerRelay ? `through a peer, ${peerRelay}` : `directly, from ${endpoint}`;
  return `Answered in ${latency < 10 ? latency.toFixed(1) : Math.round(latency)} ms, ${path}.`;
}

// showDetails shows a peer, or none, and moves the focus: to the name of the peer if it isn't kept where it is, and back.
export async function showDetails(id, { keepFocus = false } = {}) {
  if (id === shown) return;
  const was = shown;
  shown = id;
  gone = false;
  pinging.drop();
  setText('details-ping', 'Ping');
  setText('details-note', '');
  if (!id) {
    peer = undefined;
    panel.hidden = true;
    cover();
    const hadFocus = document.activeElement === document.body || panel.contains(document.activeElement);
    if (hadFocus) returnTo?.focus({ preventScroll: true });
    return;
  }
  if (!was && !panel.contains(document.activeElement)) returnTo = document.activeElement === document.body ? byId('peers') : document.activeElement;
  await refreshDetails();
  if (shown !== id) return;
  byId('details-body').scrollTop = 0;
  if (!keepFocus || panel.contains(document.activeElement) || !beside.matches) byId('details-name').focus({ preventScroll: true });
}

// refreshDetails shows what is new about the peer.
export async function refreshDetails(isCurrent = current) {
  current = isCurrent;
  const id = shown;
  if (!id) return;
  const found = await model.peer(id);
  if (shown !== id) return;
  gone = !found;
  if (found) peer = found;
  else if (peer?.id !== id) peer = undefined;
  panel.hidden = false;
  cover();
  tickDetails();
}

// cover takes the rest of the page out of reach where the panel covers it.
function cover() {
  const open = !panel.hidden;
  document.body.classList.toggle('beside', open && beside.matches);
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.skip, .top, #views, main'))) part.inert = open && !beside.matches;
}

// tickDetails shows what is known, with ages as they are now.
export function tickDetails() {
  if (!shown || panel.hidden) return;
  setText('details-name', peer?.name ?? 'Unknown peer');
  const status = byId('details-status');
  status.className = gone ? 'offline' : peer.status;
  setText('details-status', gone ? 'no longer in the network' : peer.seen && peer.status === 'offline' ? `offline, seen ${ago(peer.seen)}` : statusOf(peer, current));
  byId('details-json').disabled = byId('details-map').disabled = byId('details-open').disabled = byId('details-ping').disabled = gone;
  render(peer ? html`
    ${repeat(peer.groups.filter(([, list]) => list.some(([, value]) => value && value.length !== 0)), ([title]) => title, ([title, list]) =>
      html`<h3>${title}</h3><dl>${pairs(list)}</dl>`)}` : nothing, byId('details-body'));
}
