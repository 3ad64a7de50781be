// A node of a tailnet in a page: it joins, lists its peers, opens their pages and talks to their ports.

import { render } from 'lit-html';
import { startClient } from 'netmapcache-client';

import { SignInWindow } from './sign-in.js';
import { hostOf, view } from './view.js';

const signInWindow = new SignInWindow();
const joined = 'joined'; // where the page notes what network it has joined

let client;
let opening = new AbortController(); // of what is shown of a peer

const model = {
  options: JSON.parse(localStorage.getItem(joined)) ?? { controlURL: location.origin, hostname: 'browser' },
  running: false,
  state: { name: 'none' },
  received: 0, // of the program, from 0 to 1
  problem: '',
  peers: [],
  search: '',
  peer: undefined,
  page: undefined, // of the peer: { title, html }
  terminal: '', // what it is connected to
};

function update(changes) {
  Object.assign(model, changes);
  render(view(model, actions), document.querySelector('#app'));
}

async function join(options) {
  signInWindow.open();
  localStorage.setItem(joined, JSON.stringify(options));
  await start(options);
}

async function start(options) {
  update({ options, running: true, received: 0, problem: '', state: { name: 'starting' } });
  try {
    client = await startClient({
      ...options,
      database: 'example',
      worker: true,
      onProgress: ({ received, total }) => update({ received: total && received / total }),
    });
  } catch (error) {
    ended(error.message);
    return;
  }
  client.addEventListener('statechange', changed);
  client.addEventListener('netmapchange', () => update({ peers: client.netmap.Peers ?? [] }));
  client.addEventListener('login', ({ url }) => signInWindow.go(url));
  changed();
}

function changed() {
  const { state } = client;
  if (state.name === 'stopped') {
    ended(state.error ?? '');
    return;
  }
  if (['live', 'saved', 'needs-approval'].includes(state.name)) signInWindow.close();
  update({ state });
}

function ended(problem) {
  signInWindow.close();
  close();
  update({ running: false, state: { name: 'none' }, problem, peers: [], peer: undefined });
}

function signIn() {
  signInWindow.open();
  if (client.state.loginURL) signInWindow.go(client.state.loginURL);
  else client.login();
}

async function leave() {
  try {
    await client.logout();
  } catch (error) {
    update({ problem: error.message });
    return;
  }
  localStorage.removeItem(joined);
  await client.close();
}

function choose(peer) {
  close();
  update({ peer, problem: '' });
}

// close ends what is shown of a peer.
function close() {
  opening.abort();
  opening = new AbortController();
  update({ page: undefined, terminal: '' });
}

// open shows something of the peer, and says why it can't.
async function open(show) {
  close();
  update({ problem: '' });
  const { signal } = opening;
  try {
    await show(signal);
  } catch (error) {
    if (!signal.aborted) update({ problem: error.message });
  }
}

const openPage = (path) => open(async (signal) => {
  const url = new URL(path, `http://${hostOf(model.peer)}`);
  const response = await client.fetch(url, { signal });
  const html = await response.text();
  update({ page: { title: `${response.status} ${url}`, html } });
});

const openTerminal = (port) => open(async (signal) => {
  const { talk } = await import('./terminal.js'); // most of the page's code
  const host = hostOf(model.peer);
  const connection = await client.connect({ host, port, signal });
  update({ terminal: `${host}:${port}` });
  await talk(connection, document.querySelector('#terminal'), signal);
  update({ terminal: '' });
});

const actions = { join, signIn, leave, search: (search) => update({ search }), choose, openPage, openTerminal, close };

update({});
if (localStorage.getItem(joined)) await start(model.options);
