// What the page shows, as templates.

import { html, nothing } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';

import { isPage } from './sign-in.js';

export const hostOf = (peer) => peer.Name.replace(/\.$/, '');

const words = {
  none: 'Not in a network',
  starting: 'The program is on its way',
  connecting: 'Asking the control server',
  saved: 'As it was: the control server is away',
  live: 'Live',
  'needs-login': 'Waiting for you to sign in',
  'needs-approval': 'Waiting for an administrator',
  expired: 'The key has expired',
};

export const view = (model, on) => html`
  <header>
    <h1>A node in a page</h1>
    <p id="state" role="status" data-state=${model.state.name}>${stateText(model)}</p>
    ${model.running && model.state.name !== 'starting' ? html`<button @click=${on.leave}>Log out</button>` : nothing}
  </header>
  <main>
    <p id="problem" role="alert">${model.problem}</p>
    ${model.running ? nothing : joinForm(model, on)}
    ${['needs-login', 'expired'].includes(model.state.name) ? signIn(model, on) : nothing}
    ${model.peers.length > 0 ? network(model, on) : nothing}
  </main>
`;

const stateText = ({ state, received }) =>
  words[state.name] + (state.name === 'starting' && received > 0 ? `: ${Math.floor(received * 100)}%` : '') + (state.error ? ` (${state.error})` : '');

const joinForm = ({ options }, on) => html`
  <form class="card" @submit=${submitted(({ controlURL, hostname }) => on.join({ controlURL, hostname }))}>
    <h2>Join a network</h2>
    <label>Control server <input name="controlURL" type="url" required .value=${options.controlURL}></label>
    <label>Name of this device <input name="hostname" required .value=${options.hostname}></label>
    <button class="primary">Join</button>
  </form>
`;

const signIn = ({ state }, on) => html`
  <section class="card" aria-label="Sign in">
    <p>Control lets this device in when you have signed in there.</p>
    <div class="row">
      <button class="primary" @click=${on.signIn}>Sign in</button>
      ${isPage(state.loginURL) ? html`<a id="login" href=${state.loginURL} target="_blank" rel="noopener noreferrer">Sign in without a new window’s help</a>` : nothing}
    </div>
  </section>
`;

function network(model, on) {
  const found = model.peers.filter(({ Name }) => Name.includes(model.search.toLowerCase()));
  return html`
    <div id="network">
      <nav class="card" aria-label="Peers">
        <label>Search <input type="search" .value=${model.search} @input=${({ target }) => on.search(target.value)}></label>
        <p id="count" role="status">${found.length} of ${model.peers.length} peers</p>
        <ul>
          ${repeat(found, ({ StableID }) => StableID, (peer) => html`
            <li><button aria-current=${peer.StableID === model.peer?.StableID} @click=${() => on.choose(peer)}>
              <span>${hostOf(peer).split('.')[0]}</span> <small>${peer.Online ? 'online' : ''}</small>
            </button></li>
          `)}
        </ul>
      </nav>
      ${model.peer ? peerView(model, on) : html`<p class="card">Choose a peer.</p>`}
    </div>
  `;
}

const peerView = ({ peer, page, terminal }, on) => html`
  <section class="card" aria-labelledby="host">
    <h2 id="host">${hostOf(peer)}</h2>
    <p>${(peer.Addresses ?? []).map((prefix) => prefix.replace(/\/.*/, '')).join(', ')}</p>
    <div class="row">
      <form @submit=${submitted(({ path }) => on.openPage(path))}>
        <label>Path <input name="path" value="/" required></label>
        <button>Open page</button>
      </form>
      <form @submit=${submitted(({ port }) => on.openTerminal(Number(port)))}>
        <label>Port <input name="port" type="number" min="1" max="65535" value="7" required></label>
        <button>Open terminal</button>
      </form>
    </div>
    ${page ? html`<h3>${page.title}</h3><iframe sandbox title=${page.title} .srcdoc=${confined(page.html)}></iframe>` : nothing}
    <div id="screen" ?hidden=${!terminal}>
      <div class="row"><h3>${terminal}</h3> <small>Tab leaves the terminal</small></div>
      <div id="terminal"></div>
    </div>
    ${page || terminal ? html`<button @click=${on.close}>Close</button>` : nothing}
  </section>
`;

// confined is a peer's page that loads nothing; scripts don't run in the frame.
const confined = (text) => `<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">${text}`;

// submitted calls a function with what was filled in.
const submitted = (call) => (event) => {
  event.preventDefault();
  call(Object.fromEntries(new FormData(event.target)));
};
