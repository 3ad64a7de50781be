// The connection: runs the client, in one tab of all, for as long as a connection is wanted, and follows what it says of itself.

import { fetchProgram, startProgram } from '../client/program.js';
import { Contact } from './contact.js';
import { readFrom, refresh, unread } from './hand-over.js';
import { mayKeepKeys } from './keys.js';
import { changed, known, options, problem } from './known.js';
import { hear, say } from './tabs.js';

const tabLock = 'network-client'; // held by the one tab that runs the client
const lookEvery = 5000; // milliseconds between looks whether control is there
const probeTime = 5000; // milliseconds that control has to show that it is

// The client's program is fetched and compiled from the start, unless it isn't wanted, or runs in another tab already.
const [, ...names] = self.name.split(' '); // workers.js gives them
let loading = {}; // how much of it has come
let program = names.includes('forgotten') ? undefined : ifFree(load);
program?.catch(() => {}); // runClient says so

async function ifFree(run) {
  const { held } = await navigator.locks.query();
  return held.some(({ name }) => name === tabLock) ? undefined : run();
}

// load fetches the program, and tells of its progress only where the program comes from afar.
function load() {
  if (names.includes('kept')) return fetchProgram();
  return fetchProgram({
    onProgress(progress) {
      loading = progress;
      if (known.loading) changed({ loading }); // else there is no client to tell of yet
    },
  });
}

/** @type {import('../client/program.js').Program | undefined} */
export let client; // that runs here
let wanted; // an AbortController while a connection is wanted
let leaving = false; // control is being told that this node is no more

// connect runs the client for as long as a connection is wanted, once no other tab does.
export async function connect() {
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
      settle();
      await navigator.locks.request(tabLock, { signal }, () => runClient(signal));
    }
  } catch (error) {
    if (error.name !== 'AbortError') problem('client', error);
  }
  if (wanted?.signal === signal) disconnect();
  refresh();
}

export function disconnect() {
  wanted?.abort();
  wanted = undefined;
  changed({ wanted: false, waiting: false });
}

async function runClient(signal) {
  leaving = false;
  changed({ waiting: false, elsewhere: undefined, loading });
  try {
    const keepKeys = await mayKeepKeys(options.database);
    changed({ keepKeys });
    const early = program;
    program = undefined;
    client = await startProgram({ ...options, keepKeys, program: (await early) ?? load(), onState, onEvent });
    readFrom(client);
  } finally {
    changed({ loading: undefined });
    settle();
  }
  const { stop } = client;
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    await client.ended;
  } finally {
    client = undefined;
    readFrom(client);
    changed({ state: undefined, signingIn: false });
    sayPhase();
  }
}

// What the client says of itself

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

// Whether control is heard

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

// retry tries to reach control now: the browser has its network again, or control is known to be back.
export function retry() {
  client?.retry();
  if (client && known.state?.phase === 'live') contact.look(true);
}

// doubt notes that the browser has lost its network.
export const doubt = () => contact.doubt();

function sayPhase() {
  if (known.wanted && !known.waiting && !leaving) say('phase', { live: known.state?.phase === 'live' && !contact.quiet, heardAt: contact.at });
}

hear({
  who: sayPhase,
  phase({ live, heardAt }) {
    if (!wanted && known.forgotten && live) connect(); // it was joined anew elsewhere
    if (known.waiting) changed({ elsewhere: { live, heardAt, at: Date.now() } });
  },
});

// Who needs the client

const waiters = []; // functions that go on once it runs, fails to, or is seen to run in another tab

function settle() {
  for (const go of waiters.splice(0)) go();
}

// running resolves to the client once it runs, or to undefined if it does so in another tab.
export async function running() {
  if (!known.wanted) throw new Error('this page is not connected');
  if (!client && !known.waiting) await new Promise((resolve) => waiters.push(resolve));
  if (!client && !known.waiting) throw new Error('the client could not be started');
  return client;
}

// login asks control to let this node in again.
export function login() {
  if (!client) return;
  client.login();
  changed({ signingIn: true });
}

// leave has the client log out at control, and ends it. It resolves to why control couldn't be told, if so.
export async function leave() {
  leaving = true;
  const problem = client ? await client.logout().then(() => undefined, (error) => error.message) : 'the client isn’t running';
  disconnect();
  return problem;
}

// alone runs something while no tab runs the client.
export const alone = (run) => navigator.locks.request(tabLock, run);
