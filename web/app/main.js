// The page: shows the last known network map at once, and follows the network live. Two workers do what takes
// time: one runs the cache and the client, one has the network map and draws it.

import { proxy, transfer, wrap } from 'comlink';

import { refreshDetails, showDetails, startDetails, tickDetails } from './details.js';
import { forgotten } from './forgotten.js';
import { knowledgeOf } from './knowledge.js';
import { startLab } from './lab.js';
import { startLookUp } from './look-up-view.js';
import { followGrouping, markOnMap, sendTheme, showCurrentOnMap, showMap, showOnMap, startMap } from './map-view.js';
import { startOffline } from './offline.js';
import { askFirst, draw, followRoute, showAllChoices, showCurrent, showPeers, startTable, step } from './peers-table.js';
import { forgettable } from './problems.js';
import { openPeer, showReach, startReach } from './reach.js';
import { go, onRoute, route } from './route.js';
import { showSections, showSelf, showSession } from './sections.js';
import { showChanges, showStatus } from './status.js';
import { showSaved, startStorage } from './storage.js';
import { breathe, byId } from './templates.js';
import { startTheme } from './theme.js';

const { workers } = /** @type {any} */ (globalThis); // of workers.js
/** @type {import('./types').NetworkWorker} */
const network = /** @type {any} */ (wrap(workers.network));
/** @type {import('./types').ModelWorker} */
const model = /** @type {any} */ (wrap(workers.model));

/** @type {import('./types').Told} */
let told = /** @type {any} */ ({}); // what the network worker said last
/** @type {import('./types').Shown} */
const view = { started: false, network: undefined, live: false, heard: 0, changes: undefined }; // what is shown
let knowledge = knowledgeOf(view, told);
let problem = ''; // of the page itself
let offline; // a promise of the service worker

// refresh shows what is known of the connection and the storage, and has all views follow whether what they show is so now.
function refresh() {
  const before = knowledge;
  knowledge = knowledgeOf(view, told);
  showStatus(knowledge, view, told, problem);
  showSession(told.state, location.host);
  showSaved(told.info, forgettable.includes(told.problems?.cache?.code), told.keepKeys);
  showReach(told.events, view.network);
  if (!view.network || before.current === knowledge.current) return;
  showCurrent(knowledge.current);
  showCurrentOnMap(knowledge.current);
  refreshDetails(knowledge.current);
  showSections(view.network, view.complete, knowledge.current);
}

// tick shows ages as they are now.
function tick() {
  refresh();
  showChanges(view.changes, (id) => go({ peer: id }));
  tickDetails();
  if (Math.floor(Date.now() / 1000) % 30 === 0) draw();
}

function report(text) {
  problem = text;
  refresh();
}

// show shows what the model worker made of a network map, or that there is none. If it isn't complete, the
// map, the filters and what takes all peers follow. If complete is undefined, nothing has changed but what is heard.
/** @param {import('./types').Update} update */
async function show({ heard, live, shown, complete, changes, choices, ...totals }) {
  if (complete === undefined) {
    view.heard = heard;
    refresh();
    return;
  }
  byId('network').hidden = !shown;
  Object.assign(view, { started: view.started || Boolean(shown) || complete, network: shown, live, complete, changes });
  const { current } = knowledgeOf(view, told);
  if (shown) {
    byId('nothing').hidden = true; // at once, so that nothing moves
    showSelf(shown);
    await Promise.all([showPeers(totals, current), ...(complete ? [showMap(current), refreshDetails(current)] : [])]);
    mark('page:render');
    if (complete) {
      mark('page:complete');
      await breathe();
      showAllChoices(choices);
      if (route.peer) showDetails(route.peer);
    } else {
      refresh();
    }
    await showSections(shown, complete, current);
  } else {
    showSelf();
    go({ peer: '' });
  }
  if (!complete) return;
  showChanges(changes, (id) => go({ peer: id }));
  byId('network').removeAttribute('aria-busy');
  view.heard = heard;
  refresh();
  if (!offline) offline = startOffline(); // when there is something to see: it loads everything again
}

// mark notes on the timeline when something is on the screen for the first time: page:render a network map with
// its first peers, page:complete all of it.
function mark(name) {
  if (performance.getEntriesByName(name).length > 0) return;
  requestAnimationFrame(() => requestAnimationFrame(() => {
    performance.mark(name);
    if (name === 'page:render') network.shown();
    refresh();
  }));
}

// showNext runs show once at a time, and always with the newest of everything.
let showing = false;
let next;
async function showNext(update) {
  next = { ...next, ...update };
  if (showing) return;
  showing = true;
  while (next) {
    const newest = next;
    next = undefined;
    await show(newest);
  }
  showing = false;
}

// showView shows what the address tells: one of the views.
function showView() {
  document.documentElement.dataset.view = route.view;
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.view'))) part.hidden = !part.dataset.view.split(' ').includes(route.view);
  for (const link of document.querySelectorAll('#views a')) {
    if (link.getAttribute('href') === `#view=${route.view}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

onRoute((now, before) => {
  if (now.view !== before.view) {
    showView();
    scrollTo(0, 0);
  }
  if (now.peer !== before.peer) {
    markOnMap(now.peer || undefined);
    showDetails(now.peer, { keepFocus: Boolean(before.peer) });
  }
  if (now.by !== before.by) followGrouping();
  followRoute(before);
});

// The network worker is told first, and the parts of the page, which need it to be laid out, start one by one meanwhile.
showView();
await breathe();
const { port1, port2 } = new MessageChannel();
network.start(transfer(port2, [port2]), proxy((newest) => {
  if (newest.forgotten !== told.forgotten) forgotten.set(newest.forgotten);
  told = newest;
  refresh();
}), forgotten.get());
await breathe();
startTheme(byId('theme'), sendTheme);
startTable(model);
await breathe();
startMap(model);
await breathe();
let requests = 0;
const asking = (how) => (what, signal) => {
  const id = ++requests;
  signal.addEventListener('abort', () => network.cancel(id));
  return network[how](what, id);
};
startDetails(model, { leave: () => go({ peer: '' }), show: showOnMap, step, open: openPeer, ping: asking('ping') });
startStorage(network, report);
startLab(() => network.retry(), report);
startReach(asking('fetch'));
startLookUp(model);
byId('sign-in').addEventListener('click', () => network.login());
byId('connect').addEventListener('click', () => network.connect());
byId('disconnect').addEventListener('click', () => network.disconnect());
addEventListener('online', () => network.retry());
addEventListener('offline', () => network.doubt());
addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && route.peer && !byId('forget-dialog').open) go({ peer: '' });
  if (event.key !== '/' || event.ctrlKey || event.altKey || event.metaKey || /** @type {Element} */ (event.target).closest('input, select, textarea, dialog')) return;
  event.preventDefault();
  go({ view: 'peers' });
  byId('search').focus();
});
setInterval(tick, 1000);
askFirst();
model.start(transfer(port1, [port1]), proxy(showNext));
