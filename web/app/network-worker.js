// The worker that runs the WebAssembly programs: the cache, and the client in one tab of all. It gives the network
// map to the model worker, so that none of it passes through the page, and tells the page what it does.

import { expose } from 'comlink';

import { openCache } from '../netmapcache.js';
import { startClient } from '../client.js';

const tabLock = 'network-client'; // held by the one tab that runs the client
const oldest = 180 * 24 * 3600_000; // milliseconds; as long as a node's key lasts unless an administrator decides otherwise
const restAfter = 4; // a refresh is followed by a pause this many times as long as it took, and of these milliseconds at least:
const minRest = 200;
const newsRest = 1000; // while the client is followed: what changes all the time can't be read faster, and costs all workers

const options = { database: 'network', controlURL: location.origin, hostname: hostname() };

// The cache is opened before the page asks for anything.
const opening = openCache({ database: options.database, owner: options.controlURL, maxAge: oldest });
opening.catch(() => {}); // start says so

let tell; // tells the page of a change
let model; // the port of the model worker

let cache; // undefined if there can't be one
let client; // the running client
const askers = []; // functions that go on once it runs, fails to, or is seen to run in another tab
let begin;
const begun = new Promise((resolve) => (begin = resolve)); // resolves when a connection has been asked for first
let wanted; // an AbortController while a connection is wanted
const known = {
  info: undefined, // what the cache says of its snapshot
  problems: {}, // by where they come from: { code, message }
  state: undefined, // what the client said last
  wanted: true, // from the start
  waiting: false, // another tab has the connection
  signingIn: false, // control is being asked to let this node in again
  forgotten: false, // the network was forgotten, and no connection wanted since
  loading: undefined, // { received, total } while the client's program is on its way
  heard: 0, // how often the client had news
  events: [], // the steps of the client's start: { name, at }
};

function changed(change = {}) {
  Object.assign(known, change);
  tell(known);
}

function problem(where, error) {
  const problems = { ...known.problems };
  if (error) problems[where] = { code: codeOf(error), message: error.message };
  else delete problems[where];
  changed({ problems });
}

// codeOf returns the code of an error, or 'silent' if the browser has a storage but gave no answer: of what it doesn't
// allow it tells why.
function codeOf({ code, cause }) {
  return code === 'unavailable' && !cause && globalThis.indexedDB ? 'silent' : code;
}

// The network map

let following = false; // the model worker has what the client told last

// refresh hands on the newest network map: from the client once it is live, else from the cache.
const refresh = unhurried(async () => {
  const { heard } = known;
  const live = known.state?.fullMaps > 0 && follow({ heard }); // without waiting for the storage
  const info = await loadInfo();
  changed({ info });
  const about = { heard, confirmedAt: info?.confirmedAt.getTime() };
  if (live) {
    if (info && known.state.savedAt) problem('cache'); // whatever was wrong with what was stored is replaced
  } else if (!(await stream(about)) && !(unread() && follow(about))) {
    hand({ start: { ...about, total: 0, live: false }, peers: [] });
  }
});

// follow hands on what is new in the client's network map, and reports whether there is one.
function follow(about) {
  const news = client?.news(!following);
  if (!news) return false;
  model.postMessage({ news, ...about });
  following = true;
  return true;
}

// stream hands on the cached network map, and reports whether there is one.
async function stream(about) {
  try {
    await cache?.stream(({ netmap, total, peers, users }) => hand({ start: netmap && { ...about, netmap, total, live: false }, peers, users }));
    if (cache) problem('cache');
    return Boolean(cache);
  } catch (error) {
    problem('cache', error.code === 'not-available' ? undefined : error);
    return false;
  }
}

// hand gives the model worker a network map, or a piece of one, that isn't the client's.
function hand(piece) {
  following = false;
  model.postMessage(piece);
}

// unread reports whether there may be a cached network map that the client alone can read.
const unread = () => !cache || ['silent', 'storage', 'crashed'].includes(known.problems.cache?.code);

async function loadInfo() {
  try {
    return await cache?.info();
  } catch {
    return undefined; // loading says why
  }
}

// unhurried returns a function that runs run, once at a time and with rests, so that something that changes
// all the time, and takes long, leaves room for everything else.
function unhurried(run) {
  let running;
  let again = false;
  const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  return function start() {
    if (running) {
      again = true;
      return running;
    }
    const began = performance.now();
    running = run();
    running
      .then(() => rest(Math.max(following ? newsRest : minRest, restAfter * (performance.now() - began))))
      .then(() => {
        running = undefined;
        if (!again) return;
        again = false;
        start();
      });
    return running;
  };
}

// The client

// connect runs the client for as long as a connection is wanted, once no other tab does.
async function connect() {
  if (wanted) return;
  wanted = new AbortController();
  const { signal } = wanted;
  problem('client');
  changed({ wanted: true, forgotten: false });
  try {
    const free = await navigator.locks.request(tabLock, { ifAvailable: true }, async (lock) => {
      if (lock) await runClient(signal);
      return Boolean(lock);
    });
    if (!free && !signal.aborted) {
      changed({ waiting: true });
      answerAskers();
      await navigator.locks.request(tabLock, { signal }, () => runClient(signal));
    }
  } catch (error) {
    if (error.name !== 'AbortError') problem('client', error);
  }
  if (wanted?.signal === signal) disconnect();
  refresh();
}

function answerAskers() {
  for (const go of askers.splice(0)) go();
}

async function runClient(signal) {
  changed({ waiting: false, loading: {} });
  try {
    client = await startClient({ ...options, onState, onEvent, onProgress: (loading) => changed({ loading }) });
  } finally {
    changed({ loading: undefined });
    answerAskers();
  }
  const stop = () => client.stop();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    await client.ended;
  } finally {
    client = undefined;
    changed({ state: undefined, signingIn: false });
  }
}

function onState(state) {
  const before = known.state;
  // Not every saving is news: the client looks every few seconds whether there is something to save.
  const news = state.fullMaps !== before?.fullMaps || state.deltas !== before?.deltas || (state.saved && !before?.saved);
  const signingIn = known.signingIn && state.phase === 'login' && !state.loginURL;
  changed({ state, signingIn, heard: known.heard + (news ? 1 : 0) });
  if (news) refresh();
}

// onEvent notes a step of the client's start.
function onEvent(event) {
  changed({ events: [...known.events, event] });
  if (event.name === 'restored' && unread()) refresh();
}

function disconnect() {
  wanted?.abort();
  wanted = undefined;
  changed({ wanted: false, waiting: false });
}

// What the page may ask for

const tabs = new BroadcastChannel('network-page');
tabs.addEventListener('message', () => { // forgotten in another tab
  disconnect();
  changed({ forgotten: true });
});

expose({
  async start(port, listener) {
    model = port;
    tell = listener;
    try {
      cache = await opening;
      cache.subscribe(refresh);
    } catch (error) {
      problem('cache', error);
    }
    await refresh();
    connect();
    begin();
  },

  connect,
  retry: () => client?.retry(),

  // login asks control to let this node in again.
  login() {
    if (!client) return;
    client.login();
    changed({ signingIn: true });
  },

  // forget ends the connection in all tabs and removes all that is stored of the network.
  async forget() {
    tabs.postMessage('forget');
    disconnect();
    await navigator.locks.request(tabLock, async () => {
      await cache?.clear();
      await removeDatabase(`${options.database}-keys`);
      await removeDatabase(`${options.database}-seal`);
    });
    changed({ info: undefined, forgotten: true });
    hand({ start: { total: 0, live: false, heard: known.heard }, peers: [] });
    refresh(); // one that began before may have had something to show
  },

  // snapshot returns the saved network map as a file: one that the command netmapcache reads, or JSON.
  async snapshot(kind) {
    if (kind === 'json') return new Blob([JSON.stringify(await cache.load(), undefined, 1)], { type: 'application/json' });
    return new Blob([await cache.export()], { type: 'application/octet-stream' });
  },

  // fetch asks a peer, through the tailnet, as soon as the client runs.
  async fetch(url) {
    await begun;
    if (!known.wanted) throw new Error('this page is not connected');
    if (!client && !known.waiting) await new Promise((resolve) => askers.push(resolve));
    if (known.waiting) throw new Error('another tab has the connection');
    if (!client) throw new Error('the client could not be started');
    return client.fetch(url);
  },
});

function hostname() {
  return `browser-${navigator.platform.split(' ')[0].toLowerCase() || 'unknown'}`;
}

function removeDatabase(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}
