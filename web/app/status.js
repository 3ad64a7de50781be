// The state in one line, what to know beside it, and what changed since the network was saved.

import { ago, clock, count, timeOfDay } from './format.js';
import { explain } from './problems.js';
import { byId, html, nothing, render, repeat, setText } from './templates.js';

const headlines = {
  starting: 'Looking for a saved network',
  live: 'Live',
  resumed: 'Saved network',
  offline: 'Offline: saved network',
  following: 'Live, through another tab',
  login: 'Sign in to connect',
  approval: 'Waiting for approval',
  expired: 'This device’s key has expired',
  forgotten: 'Forgotten',
  empty: 'No network yet',
};

// showStatus shows the state, and leaves it on the body for whoever looks: style sheets and tests.
/**
 * @param {import('./types').Knowledge} knowledge
 * @param {import('./types').Shown} view
 * @param {import('./types').Told} told
 */
export function showStatus(knowledge, view, told, problem) {
  const { phase, source, current } = knowledge;
  const refused = storageRefused(told.problems) || Boolean(told.state?.saveError);
  const state = source === 'none' ? 'empty' : phase === 'live' ? 'live' : 'cached';
  Object.assign(document.body.dataset, {
    mode: phase === 'live' && refused ? 'refused' : phase,
    state,
    current,
    generation: told.info?.generation ?? 0,
    deltas: told.state?.deltas ?? 0,
    saved: Boolean(told.state?.saved) && view.heard === told.heard, // what is shown is what is saved
  });
  setText('headline', headlineText(knowledge, refused, told));
  setText('age', ageText(knowledge, told));
  setText('detail', detailText(knowledge, told) || '\u00a0');
  document.title = { live: 'Network map', cached: current ? 'Network map' : 'Network map (saved)', empty: 'Network map' }[state];
  byId('connect').hidden = !view.started || Boolean(told.wanted);
  byId('disconnect').hidden = !view.started || !told.wanted || source === 'none';
  byId('logout').hidden = source === 'none';
  showLogin(told.state);
  showLoading(told.loading);
  showProblems(told, problem);
  byId('nothing').hidden = phase === 'starting' || source !== 'none' || Boolean(told.problems?.cache);
}

function headlineText({ phase, source, current }, refused, { problems }) {
  if (phase === 'live' && refused) return 'Live, but not saved';
  if (phase === 'following' && !current) return 'Saved network';
  if (phase === 'offline' && source === 'control') return 'Offline: last known network';
  return phase === 'empty' && problems?.cache ? 'No network to show' : headlines[phase];
}

const storageRefused = (problems) => ['unavailable', 'silent', 'blocked', 'storage'].includes(problems?.cache?.code);

function ageText({ phase, source }, { info, state }) {
  if (phase === 'live') return state.savedAt ? `saved ${ago(state.savedAt)}` : state.saveError ? '' : 'not saved yet';
  if (source === 'none') return '';
  return info ? `saved ${ago(info.confirmedAt)}` : 'not saved';
}

/** @param {import('./types').Knowledge} knowledge */
function detailText({ phase, why, current, heardAt }, { state, wanted, loading, signingIn }) {
  const heard = heardAt ? ` Last heard ${ago(heardAt)}.` : '';
  switch (phase) {
    case 'live':
      return `Connected since ${timeOfDay(state.since)}; ${count(state.deltas, 'change')} since.${heard}`;
    case 'login':
    case 'expired':
      return loginText(state, signingIn);
    case 'approval':
      return 'An administrator of the network has to let this device in.';
    case 'following':
      return current ? `This tab takes over when that one is closed.${heard}` : 'Another tab has the connection, and is not connected now.';
    case 'forgotten':
      return 'Connect to join again, as a new device.';
    case 'starting':
      return '';
  }
  if (why === 'silent') return `The control plane doesn't answer.${heard}`;
  if (!wanted) return 'Not connected.';
  if (state?.error) return `The control plane ${state.fullMaps ? 'was lost' : "can't be reached"}. Trying again.${heard}`;
  return connecting(loading);
}

const connecting = (loading) => (loading ? `${loadingText(loading)}.` : 'Connecting to the control plane.');

const loadingText = ({ received, total }) => (received && total ? `Loading the client: ${Math.floor((100 * received) / total)}%` : 'Loading the client');

function loginText({ keyExpired, loginURL, error }, signingIn) {
  if (signingIn && error) return 'The control plane can’t be reached. You are signed in again once it can.';
  if (signingIn) return 'Asking the control plane.';
  if (keyExpired && !loginURL) return `Since ${clock(keyExpired)} no peer can be reached. Sign in again to go on.`;
  return 'The control plane wants you to sign in.';
}

// showLogin shows the link that control gave for signing in, if it is one to a web page, or the button that asks for it.
function showLogin(state) {
  const login = state?.phase === 'login';
  const url = login && /^https?:/.test(state.loginURL) ? state.loginURL : '';
  byId('login').hidden = !url;
  if (url) byId('login-link').href = url;
  byId('login-again').hidden = !login || Boolean(url);
}

// showLoading tells how much of the client is there, in per cent: what is counted isn't what is transferred, which is compressed.
function showLoading(loading) {
  byId('loading').hidden = !loading;
  if (!loading) return;
  const { received, total } = loading;
  setText('loading-text', loadingText(loading));
  const bar = byId('progress');
  if (total) Object.assign(bar, { max: total, value: received });
  else bar.removeAttribute('value');
}

function showProblems({ problems, state }, problem) {
  // A client that can't have its storage either says nothing new.
  const same = storageRefused(problems);
  const all = Object.entries(problems ?? {}).filter(([where]) => where !== 'client' || !same);
  if (state?.saveError) all.push(['saving', { message: state.saveError }]);
  if (problem) all.push(['page', { message: problem }]);
  render(repeat(all, ([where]) => where, ([where, what]) => {
    const { text, reason, forget } = explain(where, what);
    return html`<div class="problem"><p>${text}</p>${forget ? html`<p><button type="button" @click=${() => byId('forget-dialog').showModal()}>Forget it…</button></p>` : nothing}${reason ? html`<details><summary>Technical reason</summary><p>${reason}</p></details>` : nothing}</div>`;
  }), byId('problems'));
}

const kinds = { added: 'Added', removed: 'Removed', changed: 'Changed' };

// showChanges shows what had changed when the control plane told of it, or nothing; pick is called with the peer that is clicked.
/** @param {import('./types').Changes | undefined} changes */
export function showChanges(changes, pick) {
  byId('changes').hidden = !changes;
  if (!changes) return;
  const some = Object.keys(kinds).filter((kind) => changes[kind].all > 0);
  const what = some.map((kind) => `${changes[kind].all.toLocaleString()} ${kind}`).join(', ') || 'no peer was added, removed or changed';
  setText('changes-summary', `Since it was saved${changes.since ? ` ${ago(changes.since)}` : ''}: ${what}`);
  render(html`${some.map((kind) => {
    const { all, list } = changes[kind];
    return html`<h3>${kinds[kind]}</h3><ul class="plain">${list.map((peer) => html`<li>${kind === 'removed' ? peer.name
      : html`<button type="button" class="link" @click=${() => pick(peer.id)}>${peer.name}</button>`}${peer.what ? `: ${peer.what.join(', ')}` : ''}</li>`)}
      ${all > list.length ? html`<li>and ${(all - list.length).toLocaleString()} more</li>` : nothing}</ul>`;
  })}${changes.restless > 0 ? html`<p>${count(changes.restless, 'peer')} came, went or moved to other addresses.</p>` : nothing}`, byId('changes-list'));
}
