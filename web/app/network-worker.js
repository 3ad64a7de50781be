// The worker that runs the WebAssembly programs: the cache, and the client in one tab of all. It gives the network
// map to the model worker, so that none of it passes through the page, and tells the page what it does.

import { expose } from 'comlink';

import { openCache } from '../netmapcache.js';
import { startClient } from '../client.js';
import { fetchClient } from '../fetch-client.js';
import { askElsewhere } from './ask-elsewhere.js';
import { Contact } from './contact.js';
import { mayKeepKeys, removeKeys } from './keys.js';

const tabLock = 'network-client'; // held by the one tab that runs the client
const oldest = 180 * 24 * 3600_000; // milliseconds; as long as a node's key lasts unless an administrator decides otherwise
const restAfter = 4; // a refresh is followed by a pause this many times as long as it took, and of these milliseconds at least:
const minRest = 200;
const leaveTime = 15_000; // milliseconds that another tab has to log out; the client gives up after 10,000
const lookEvery = 5000; // milliseconds between looks whether control is there
const probeTime = 5000; // milliseconds that control has to show that it is
const showTime = 1000; // milliseconds that the page has to show the first peers; while it is hidden it shows nothing
const newsRest = 1000; // while the client is followed: what changes all the time can't be read faster, and costs all workers

const options = { database: 'network', controlURL: location.origin, hostname: hostname(), maxAge: oldest };

// The cache is opened before the page asks for anything.
const opening = openCache({ database: options.database, owner: options.controlURL, maxAge: options.maxAge });
opening.catch(() => {}); // start says so

// So is the client's program fetched and compiled, unless it isn't wanted, or runs in another tab already.
const [, ...names] = self.name.split(' '); // workers.js gives them
let program = names.includes('forgotten') ? undefined : ifFree(fetchProgram);
program?.catch(() => {}); // runClient says so

async function ifFree(run) {
  const { held } = await navigator.locks.query();
  return held.some(({ name }) => name === tabLock) ? undefined : run();
}

// fetchProgram tells of its progress only where the program comes from afar.
function fetchProgram() {
  return fetchClient(names.includes('kept') ? undefined : (loading) => known.loading && changed({ loading }));
}

/** @type {(told: import('./types').Told) => void} */
let tell; // tells the page of a change
let model; // the port of the model worker

let cache; // undefined if there can't be one
/** @type {import('../client.js').Client | undefined} */
let client; // the running client
const askers = []; // functions that go on once it runs, fails to, or is seen to run in another tab
let begin;
const begun = new Promise((resolve) => (begin = resolve)); // resolves when a connection has been asked for first
let wanted; // an AbortController while a connection is wanted
/** @type {import('./types').Told} */
const known = {
  info: undefined, // what the cache says of its snapshot
  problems: {}, // by where they come from: { code, message }
  state: undefined, // what the client said last
  contact: { at: 0, quiet: false }, // when control was heard last, and whether it should have been since
  elsewhere: undefined, // what the tab that has the connection said last of its own: { live, heardAt, at }
  wanted: true, // from the start
  waiting: false, // another tab has the connection
  signingIn: false, // control is being asked to let this node in again
  forgotten: false, // the network was forgotten, and no connection wanted since
  loading: undefined, // { received, total } while the client's program is on its way
  heard: 0, // how often the client had news
  keepKeys: undefined, // whether this node's keys stay when the page is closed
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

const contact = new Contact(
  async () => {
    const answer = await fetch(`${options.controlURL}/key?v=100`, { cache: 'no-store', signal: AbortSignal.timeout(probeTime) });
    if (!answer.ok) throw new Error(`HTTP status ${answer.status}`);
  },
  (contact) => {
    changed({ contact });
    sayPhase();
  },
);
setInterval(() => client && known.state?.phase === 'live' && contact.look(), lookEvery);

// The network map

let shown;
const firstShown = new Promise((resolve) => (shown = resolve)); // when the first peers are on the screen
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
    await cache?.stream(({ netmap, total, peers, users }) => {
      hand({ start: netmap && { ...about, netmap, total, live: false }, peers, users });
      return netmap && within(showTime, firstShown); // the page asks the model worker for what it shows
    });
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
const unread = () => !cache || ['silent', 'blocked', 'storage', 'crashed'].includes(known.problems.cache?.code);

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
  problem('logout');
  changed({ wanted: true, forgotten: false });
  try {
    const free = await navigator.locks.request(tabLock, { ifAvailable: true }, async (lock) => {
      if (lock) await runClient(signal);
      return Boolean(lock);
    });
    if (!free && !signal.aborted) {
      changed({ waiting: true });
      say('who');
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
  leaving = false;
  changed({ waiting: false, elsewhere: undefined, loading: {} });
  try {
    const keepKeys = await mayKeepKeys(options.database);
    if (!keepKeys) await removeKeys(options.database);
    changed({ keepKeys });
    const early = program;
    program = undefined;
    client = await startClient({ ...options, keepKeys, program: (await early) ?? fetchProgram(), onState, onEvent });
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
    sayPhase();
  }
}

function onState(state) {
  const before = known.state;
  // Not every saving is news: the client looks every few seconds whether there is something to save.
  const news = state.fullMaps !== before?.fullMaps || state.deltas !== before?.deltas || (state.saved && !before?.saved);
  const signingIn = known.signingIn && state.phase === 'login' && !state.loginURL;
  changed({ state, signingIn, heard: known.heard + (news ? 1 : 0) });
  if (state.phase === 'live' && (news || before?.phase !== 'live')) contact.heard();
  else if (state.phase !== before?.phase) sayPhase();
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

const fetches = new Map(); // what is asked of peers: ID -> AbortController

// What tabs tell each other: { kind, database }. Others that use the channel, or another database, aren't meant.
//   forget  the network is being forgotten
//   left    the tab that ran the client has ended it for that; problem tells why control doesn't know, if it doesn't
//   phase   of the tab that runs the client: live is whether it follows control, heardAt when it heard it last
//   who     asks that tab for its phase
//   ask, give up, answer  a peer is asked by the tab that runs the client, see ask-elsewhere.js
const tabs = new BroadcastChannel('network-page');
const say = (kind, more) => tabs.postMessage({ kind, database: options.database, ...more });
let leaving = false; // the network is being forgotten

function sayPhase() {
  if (known.wanted && !known.waiting && !leaving) say('phase', { live: known.state?.phase === 'live' && !contact.quiet, heardAt: contact.at });
}

const elsewhere = askElsewhere(say, () => client);
const heard = {
  ...elsewhere.heard,
  left: ({ problem }) => leftElsewhere(problem),
  who: sayPhase,
  phase({ live, heardAt }) {
    if (!wanted && known.forgotten && live) connect(); // it was joined anew elsewhere
    if (known.waiting) changed({ elsewhere: { live, heardAt, at: Date.now() } });
  },
  async forget() {
    leaving = true;
    if (wanted && !known.waiting) say('left', { problem: await leave() });
    disconnect();
    changed({ forgotten: true });
  },
};
tabs.addEventListener('message', ({ data }) => {
  if (data?.database === options.database && Object.hasOwn(heard, data.kind)) heard[data.kind](data);
});

let leftElsewhere = (_problem) => {};

// leave has the client log out at control, and ends it. It resolves to why control couldn't be told, if so.
async function leave() {
  const problem = client ? await client.logout().then(() => undefined, (error) => error.message) : 'the client isn’t running';
  disconnect();
  return problem;
}

expose({
  // start shows what is saved, and connects if the network isn't to stay forgotten.
  async start(port, listener, forgotten) {
    model = port;
    tell = listener;
    Object.assign(known, { wanted: !forgotten, forgotten });
    try {
      cache = await opening;
      cache.subscribe(refresh);
    } catch (error) {
      problem('cache', error);
    }
    await refresh();
    if (!forgotten) connect();
    begin();
  },

  shown,
  connect,
  disconnect,

  // retry tries to reach control now: the browser has its network again, or control is known to be back.
  retry() {
    client?.retry();
    if (client && known.state?.phase === 'live') contact.look(true);
  },

  // doubt notes that the browser has lost its network.
  doubt: () => contact.doubt(),

  // login asks control to let this node in again.
  login() {
    if (!client) return;
    client.login();
    changed({ signingIn: true });
  },

  // forget logs out at control, ends the connection in all tabs, and removes all that is stored of the network.
  async forget() {
    const elsewhere = known.waiting && new Promise((resolve) => (leftElsewhere = resolve));
    leaving = true;
    say('forget');
    const untold = await (elsewhere ? within(leaveTime, elsewhere, 'the tab that has the connection doesn’t answer') : leave());
    disconnect();
    await navigator.locks.request(tabLock, async () => {
      await cache?.clear();
      await removeKeys(options.database);
    });
    changed({ info: undefined, forgotten: true });
    problem('logout', untold && { message: untold });
    hand({ start: { total: 0, live: false, heard: known.heard }, peers: [] });
    refresh(); // one that began before may have had something to show
  },

  // snapshot returns the saved network map as a file: one that the command netmapcache reads, or JSON.
  async snapshot(kind) {
    if (kind === 'json') return new Blob([JSON.stringify(await cache.load(), undefined, 1)], { type: 'application/json' });
    return new Blob([await cache.export()], { type: 'application/octet-stream' });
  },

  // fetch asks a peer, through the tailnet, as soon as the client runs, here or in another tab. It is given up by cancel of the
  // same ID.
  async fetch(url, id) {
    await begun;
    if (!known.wanted) throw new Error('this page is not connected');
    if (!client && !known.waiting) await new Promise((resolve) => askers.push(resolve));
    if (!client && !known.waiting) throw new Error('the client could not be started');
    const giveUp = new AbortController();
    fetches.set(id, giveUp);
    try {
      return await (known.waiting ? elsewhere.ask(url, giveUp.signal) : client.fetch(url, { signal: giveUp.signal }));
    } finally {
      fetches.delete(id);
    }
  },

  cancel: (id) => fetches.get(id)?.abort(),
});

function hostname() {
  return `browser-${navigator.platform.split(' ')[0].toLowerCase() || 'unknown'}`;
}

// within resolves as promise does, or to late after a time in milliseconds.
function within(ms, promise, late) {
  return Promise.race([promise, new Promise((resolve) => setTimeout(resolve, ms, late))]);
}
