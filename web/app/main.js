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
import { showSections, showSession } from './sections.js';
import { showChanges, showStatus } from './status.js';
import { showSaved, startStorage } from './storage.js';

const network = wrap(new Worker('network-worker.js', { type: 'module', name: 'network' }));
const model = wrap(new Worker('model-worker.js', { type: 'module', name: 'model' }));

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

// show shows what the model worker made of a network map, or that there is none.
async function show({ heard, live, shown, changes, choices, ...totals }) {
  byId('network').hidden = !shown;
  byId('domain').textContent = shown?.domain ?? '';
  if (shown) {
    await Promise.all([showPeers(totals, live), showMap(), refreshDetails(live)]);
    markRender();
    await showChoices(choices);
    await showSections(shown);
  }
  showChanges(changes, selectPeer);
  byId('network').removeAttribute('aria-busy');
  Object.assign(view, { started: true, network: shown, live, heard });
  refresh();
  if (!offline) offline = startOffline(); // when there is something to see: it loads everything again
}

// markRender notes on the timeline when a network map is on the screen for the first time.
function markRender() {
  if (performance.getEntriesByName('page:render').length > 0) return;
  requestAnimationFrame(() => requestAnimationFrame(() => {
    performance.mark('page:render');
    refresh();
  }));
}

// showNext runs show once at a time, and always with the newest.
let showing = false;
let next;
async function showNext(update) {
  next = update;
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

// The workers start first, and the parts of the page, which need it to be laid out, one by one meanwhile.
await breathe();
const { port1, port2 } = new MessageChannel();
const options = { database: 'network', controlURL: location.origin, hostname: hostname() };
network.start(options, transfer(port2, [port2]), proxy((newest) => {
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

function hostname() {
  return `browser-${navigator.platform.split(' ')[0].toLowerCase() || 'unknown'}`;
}
