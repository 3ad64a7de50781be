// The details of the selected peer, beside the rest of the page.

import { byId, copy, element, pairs, setText } from './dom.js';
import { ago } from './format.js';

const panel = byId('details');
let model;
let shown; // a stable ID
let returnTo; // where the focus came from
let live;

// startDetails makes the panel work; leave is called when it's closed, show when the map is asked for.
export function startDetails(given, leave, show) {
  model = given;
  byId('details-close').addEventListener('click', close);
  panel.addEventListener('keydown', ({ key }) => key === 'Escape' && close());
  byId('details-map').addEventListener('click', () => show(shown));
  byId('details-json').addEventListener('click', async () => {
    const copied = await copy(await model.peerJSON(shown));
    setText('details-note', copied ? 'Copied.' : "The browser didn't let the page copy.");
  });
  function close() {
    panel.hidden = true;
    document.body.classList.remove('beside');
    shown = undefined;
    leave();
    returnTo?.focus({ preventScroll: true });
  }
}

// showDetails shows a peer, and moves the focus to it if that isn't there.
export async function showDetails(id) {
  shown = id;
  if (!panel.contains(document.activeElement)) returnTo = document.activeElement;
  if (!(await refreshDetails())) return;
  byId('details-body').scrollTop = 0;
  setText('details-note', '');
  byId('details-name').focus({ preventScroll: true });
}

// refreshDetails shows what is new about the peer, and reports whether there is one.
export async function refreshDetails(isLive = live) {
  live = isLive;
  if (shown === undefined) return false;
  const peer = await model.peer(shown);
  if (peer?.id !== shown && peer) return false;
  panel.hidden = false;
  document.body.classList.add('beside');
  if (!peer) {
    setText('details-status', 'no longer in the network');
    return true;
  }
  setText('details-name', peer.name);
  const status = byId('details-status');
  status.className = peer.expired ? 'expired' : peer.online ? 'online' : 'offline';
  setText('details-status', peer.expired ? 'key expired' : peer.online ? (live ? 'online' : 'was online') : peer.seen ? `offline, seen ${ago(peer.seen)}` : 'offline');
  const open = new Set([...panel.querySelectorAll('details[open]')].map((one) => one.closest('dd').previousSibling.textContent));
  byId('details-body').replaceChildren(...peer.groups.flatMap(([title, list]) => {
    const made = pairs(list);
    return made.length > 0 ? [element('h3', title), element('dl', made)] : [];
  }));
  for (const one of panel.querySelectorAll('dd details')) one.open = open.has(one.closest('dd').previousSibling.textContent);
  return true;
}
