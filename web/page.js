// The page: shows the last known network map from the cache at once, then starts
// the client and follows the network live.

import { openCache } from './netmapcache.js';
import { startClient } from './client.js';
import { ago, clock, duration } from './format.js';
import { showNetwork, showSession } from './view.js';

const database = 'network';
const controlURL = location.origin;
const tabLock = 'network-client'; // held by the one tab that runs the client
const refreshEvery = 250; // milliseconds, at most

const byId = (id) => document.getElementById(id);

const tabs = new BroadcastChannel('network-page');

let cache; // undefined if there can't be one
let info; // what the cache says of its snapshot; undefined if it has none
let netmap; // the one on display
let client; // the running client
let state; // what the client said last
let problem = ''; // what the user should know of
let cacheProblem = ''; // the same, as the last look into the cache found it
let heard = 0; // how often the client had news
let shown = 0; // how much of that is shown
let wanted; // an AbortController while a connection is wanted

// Status

function showStatus() {
  const live = state?.phase === 'live';
  const name = live ? 'live' : netmap ? 'cached' : 'empty';
  Object.assign(document.body.dataset, {
    state: name,
    generation: info?.generation ?? 0,
    deltas: state?.deltas ?? 0,
    saved: Boolean(state?.saved) && shown === heard, // what is shown is what is saved
  });
  setText('headline', { live: 'Live', cached: 'From the cache', empty: 'No network yet' }[name]);
  setText('age', ageText(live));
  setText('detail', detailText());
  setText('problem', [problem, cacheProblem, state?.saveError].filter(Boolean).join(' '));
  byId('problem').hidden = !byId('problem').textContent;
  byId('connect').hidden = Boolean(wanted);
  byId('forget').disabled = !netmap && !problem && !cacheProblem;
  showLogin();
  showSession(state, info);
}

function ageText(live) {
  if (live) return `Connected since ${clock(state.since)}.`;
  if (!netmap) return '';
  const age = info ? `Saved ${ago(info.confirmedAt)}` : 'Not saved';
  return `${age} - ${state?.fullMaps ? 'the control plane was lost' : 'control plane not reached yet'}.`;
}

function detailText() {
  if (!wanted) return 'Not connected.';
  switch (state?.phase) {
    case 'live':
      return state.savedAt ? `Saved ${ago(state.savedAt)}.` : 'Saving.';
    case 'waiting':
      return `The control plane can't be reached: ${state.error}. Next attempt in ${duration(state.retryAt - Date.now())}.`;
    case 'connecting':
      return 'Connecting.';
    case 'login':
      return 'The control plane wants you to sign in.';
    default:
      return client ? '' : 'Another tab may hold the connection; this one takes over when that is closed.';
  }
}

// showLogin shows the link that control gave for signing in, if it is one to a web page.
function showLogin() {
  const url = state?.phase === 'login' ? state.loginURL : '';
  byId('login').hidden = !/^https?:/.test(url);
  if (!byId('login').hidden) byId('login-link').href = url;
}

// setText leaves an element alone that has the text already, so that it isn't announced again.
function setText(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

// The network map

// refresh shows the newest network map, at most every so often: from the client if it has one, else from the cache.
const refresh = throttle(async () => {
  cacheProblem = '';
  const upTo = heard;
  const newest = client?.netmap() ?? (await loadCached());
  await loadInfo();
  if (newest !== netmap) {
    netmap = newest;
    showNetwork(netmap);
  }
  shown = upTo;
  showStatus();
});

async function loadCached() {
  try {
    return await cache?.load();
  } catch (error) {
    noteCacheError(error);
    return undefined;
  }
}

async function loadInfo() {
  try {
    info = await cache?.info();
  } catch (error) {
    info = undefined;
    noteCacheError(error);
  }
}

function noteCacheError(error) {
  if (error.code !== 'not-available') cacheProblem = `The saved network can't be used: ${error.message}`;
}

function throttle(run) {
  let running = false;
  let again = false;
  return async function throttled() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    await run();
    await new Promise((resolve) => setTimeout(resolve, refreshEvery));
    running = false;
    if (again) {
      again = false;
      throttled();
    }
  };
}

// The client

// connect runs the client for as long as a connection is wanted, once no other tab does.
async function connect() {
  wanted = new AbortController();
  const { signal } = wanted;
  problem = '';
  showStatus();
  try {
    await navigator.locks.request(tabLock, { signal }, () => runClient(signal));
  } catch (error) {
    if (error.name !== 'AbortError') problem = `The client ended: ${error.message}`;
  }
  if (wanted?.signal === signal) wanted = undefined;
  refresh();
}

async function runClient(signal) {
  byId('loading').hidden = false;
  try {
    client = await startClient({ database, controlURL, hostname: hostname(), onState });
  } finally {
    byId('loading').hidden = true;
  }
  const stop = () => client.stop();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    await client.ended;
  } finally {
    client = undefined;
    state = undefined;
  }
}

function onState(changed) {
  const news = changed.fullMaps !== state?.fullMaps || changed.deltas !== state?.deltas || changed.savedAt !== state?.savedAt;
  state = changed;
  if (news) heard++;
  showStatus();
  if (news) refresh();
}

function hostname() {
  return `browser-${navigator.platform.split(' ')[0].toLowerCase() || 'unknown'}`;
}

// forget ends the connection in all tabs and removes all that is stored of the network.
async function forget() {
  tabs.postMessage('forget');
  disconnect();
  await navigator.locks.request(tabLock, async () => {
    await cache?.clear();
    await removeDatabase(`${database}-keys`);
  });
  netmap = info = undefined;
  showNetwork(undefined);
  showStatus();
}

function disconnect() {
  wanted?.abort();
  wanted = undefined;
}

function removeDatabase(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}

// The control plane's switch, if the server has one

let controlUp;

async function askControl(options) {
  const response = await fetch('/-/control', { ...options, cache: 'no-store' });
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  controlUp = (await response.json()).up;
  const button = byId('control');
  button.textContent = controlUp ? 'Take the control plane down' : 'Bring the control plane up';
  button.hidden = false;
  document.body.dataset.control = controlUp ? 'up' : 'down';
}

async function switchControl() {
  const button = byId('control');
  button.disabled = true;
  try {
    const body = JSON.stringify({ up: !controlUp });
    await askControl({ method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    if (controlUp) client?.retry();
  } catch (error) {
    problem = `The control plane's switch: ${error.message}`;
    showStatus();
  } finally {
    button.disabled = false;
  }
}

// The start

byId('connect').addEventListener('click', connect);
byId('control').addEventListener('click', switchControl);
byId('forget').addEventListener('click', () => byId('forget-dialog').showModal());
byId('forget-dialog').addEventListener('close', (event) => {
  if (event.target.returnValue !== 'forget') return;
  event.target.returnValue = '';
  forget().catch((error) => {
    problem = `Forgetting failed: ${error.message}`;
    showStatus();
  });
});
tabs.addEventListener('message', disconnect);
addEventListener('online', () => client?.retry());
setInterval(showStatus, 1000);
askControl().catch(() => {}); // a server without the switch

try {
  cache = await openCache({ database, owner: controlURL });
  cache.subscribe(refresh);
} catch (error) {
  problem = `Networks can't be saved in this browser: ${error.message}`;
}
await refresh();
connect();
