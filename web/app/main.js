// The page: shows the last known network map at once, and follows the network live. Two workers do what takes
// time: one runs the cache and the client, one has the network map and draws it.

import { proxy, transfer, wrap } from 'comlink';

import { showDetails, refreshDetails, startDetails } from './details.js';
import { breathe, byId } from './dom.js';
import { startLab } from './lab.js';
import { showReach, startReach } from './reach.js';
import { markOnMap, showMap, showOnMap, startMap } from './map-view.js';
import { startOffline } from './offline.js';
import { showChoices, showPeers, showSelected, startTable } from './peers-table.js';
import { showSections, showSelf, showSession } from './sections.js';
import { showChanges, showStatus } from './status.js';
import { showSaved, startStorage } from './storage.js';

const network = wrap(globalThis.workers.network);
const model = wrap(globalThis.workers.model);

let known = {}; // what the network worker said last
const view = { started: false, network: undefined, live: false, heard: 0 }; // what is shown
let problem = ''; // of the page itself
let offline; // a promise of the service worker

function refresh() {
  showStatus(view, known, problem);
  showSession(known.state, location.host);
  showSaved(known.info, ['corrupt', 'wrong-owner', 'expired', 'format'].includes(known.problems?.cache?.code));
  showReach(known.events, view.network);
}

function report(text) {
  problem = text;
  refresh();
}

// show shows what the model worker made of a network map, or that there is none. If it isn't complete, the
// map, the filters and what takes all peers follow. If complete is undefined, nothing has changed but what is heard.
async function show({ heard, live, shown, complete, changes, choices, ...totals }) {
  if (complete === undefined) {
    view.heard = heard;
    refresh();
    return;
  }
  byId('network').hidden = !shown;
  byId('domain').textContent = shown?.domain ?? '';
  if (shown) {
    showSelf(shown);
    await Promise.all([showPeers(totals, live), ...(complete ? [showMap(), refreshDetails(live)] : [])]);
    mark('page:render');
    if (complete) {
      mark('page:complete');
      await showChoices(choices);
    } else {
      Object.assign(view, { started: true, network: shown, live });
      refresh();
    }
    await showSections(shown, complete);
  }
  if (!complete) return;
  showChanges(changes, selectPeer);
  byId('network').removeAttribute('aria-busy');
  Object.assign(view, { started: true, network: shown, live, heard });
  refresh();
  if (!offline) offline = startOffline(); // when there is something to see: it loads everything again
}

// mark notes on the timeline when something is on the screen for the first time: page:render a network map with
// its first peers, page:complete all of it.
function mark(name) {
  if (performance.getEntriesByName(name).length > 0) return;
  requestAnimationFrame(() => requestAnimationFrame(() => {
    performance.mark(name);
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

function selectPeer(id) {
  showSelected(id);
  markOnMap(id);
  showDetails(id);
}

// The network worker is told first, and the parts of the page, which need it to be laid out, start one by one meanwhile.
await breathe();
const { port1, port2 } = new MessageChannel();
network.start(transfer(port2, [port2]), proxy((newest) => {
  known = newest;
  refresh();
}));
await breathe();
startTable(model, selectPeer);
await breathe();
startMap(model, selectPeer);
await breathe();
startDetails(model, () => {
  showSelected(undefined);
  markOnMap(undefined);
}, showOnMap);
startStorage(network, report);
startLab(() => network.retry(), report);
startReach((url) => network.fetch(url));
byId('sign-in').addEventListener('click', () => network.login());
byId('connect').addEventListener('click', () => network.connect());
addEventListener('online', () => network.retry());
setInterval(refresh, 1000); // ages tick
model.start(transfer(port1, [port1]), proxy(showNext));
