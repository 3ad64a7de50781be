// The state in one line, what to know beside it, and what changed since the network was saved.

import { byId, element, setText } from './dom.js';
import { ago, bytes, clock, count, duration, timeOfDay } from './format.js';
import { explain } from './problems.js';

// modeOf names the state: view is what is shown ({ netmap, live }), known what the network worker says.
function modeOf({ network, live, started }, known) {
  if (!started) return 'starting';
  if (live && known.state?.phase === 'live') return 'live';
  if (known.state?.phase === 'login') return known.state.keyExpired ? 'expired' : 'login';
  if (!network) return known.forgotten ? 'forgotten' : 'empty';
  if (known.waiting) return 'following';
  return known.state?.error || !known.wanted ? 'offline' : 'resumed';
}

const headlines = {
  starting: 'Looking for a saved network',
  live: 'Live',
  resumed: 'Saved network',
  offline: 'Offline: saved network',
  following: 'Kept up to date by another tab',
  login: 'Sign in to connect',
  expired: 'This device’s key has expired',
  forgotten: 'Forgotten',
  empty: 'No network yet',
};

// showStatus shows the state, and leaves it on the body for whoever looks: style sheets and tests.
export function showStatus(view, known, problem) {
  const mode = modeOf(view, known);
  const state = mode === 'live' ? 'live' : view.network ? 'cached' : 'empty';
  const refused = storageRefused(known.problems) || Boolean(known.state?.saveError);
  Object.assign(document.body.dataset, {
    mode: mode === 'live' && refused ? 'refused' : mode,
    state,
    generation: known.info?.generation ?? 0,
    deltas: known.state?.deltas ?? 0,
    saved: Boolean(known.state?.saved) && view.heard === known.heard, // what is shown is what is saved
  });
  setText('headline', headlineText(mode, refused, known));
  setText('age', ageText(mode, view, known));
  setText('detail', detailText(mode, known) || '\u00a0');
  document.title = { live: 'Network map', cached: 'Network map (saved)', empty: 'Network map' }[state];
  byId('connect').hidden = !view.started || Boolean(known.wanted);
  showLogin(known.state);
  showLoading(known.loading);
  showProblems(known, problem);
  byId('nothing').hidden = !view.started || Boolean(view.network || known.problems?.cache);
}

function headlineText(mode, refused, { problems }) {
  if (mode === 'live' && refused) return 'Live, but not saved';
  return mode === 'empty' && problems?.cache ? 'No network to show' : headlines[mode];
}

const storageRefused = (problems) => ['unavailable', 'silent', 'blocked', 'storage'].includes(problems?.cache?.code);

function ageText(mode, { network }, { info, state }) {
  if (mode === 'live') return state.savedAt ? `saved ${ago(state.savedAt)}` : state.saveError ? '' : 'not saved yet';
  if (!network) return '';
  return info ? `saved ${ago(info.confirmedAt)}` : 'not saved';
}

function detailText(mode, { wanted, state, loading, signingIn }) {
  switch (mode) {
    case 'live':
      return `Connected since ${timeOfDay(state.since)}; ${count(state.deltas, 'change')} since.`;
    case 'login':
    case 'expired':
      return loginText(state, signingIn);
    case 'following':
      return 'This tab takes over when that one is closed.';
    case 'forgotten':
      return 'Connect to join again, as a new device.';
  }
  if (!wanted) return mode === 'starting' ? '' : 'Not connected.';
  if (state?.error) {
    const lost = state.fullMaps ? 'was lost' : "can't be reached";
    return `The control plane ${lost}. ${state.retryAt ? `Next attempt in ${duration(state.retryAt - Date.now())}` : 'Trying again'}.`;
  }
  return loading ? 'Starting the client.' : 'Connecting to the control plane.';
}

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

function showLoading(loading) {
  byId('loading').hidden = !loading;
  if (!loading) return;
  const { received, total } = loading;
  setText('loading-text', received ? `Loading the client: ${bytes(received)}${total ? ` of ${bytes(total)}` : ''}` : 'Loading the client');
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
  const made = all.map(([where, what]) => explain(where, what));
  const shown = byId('problems');
  const key = JSON.stringify(made);
  if (shown.dataset.shown === key) return;
  shown.dataset.shown = key;
  shown.replaceChildren(...made.map(({ text, reason }) => element('div', [
    element('p', text),
    ...(reason ? [element('details', [element('summary', 'Technical reason'), element('p', reason)])] : []),
  ], 'problem')));
}

// showChanges shows what had changed when the control plane told of it, or nothing; pick is called with the peer that is clicked.
export function showChanges(changes, pick) {
  const shown = byId('changes');
  const key = JSON.stringify(changes ?? '');
  if (shown.dataset.shown === key) return;
  shown.dataset.shown = key;
  shown.hidden = !changes;
  if (!changes) return;
  const parts = ['added', 'removed', 'changed'].filter((kind) => changes[kind].all > 0).map((kind) => `${changes[kind].all.toLocaleString()} ${kind}`);
  const what = parts.join(', ') || 'no peer was added, removed or changed';
  setText('changes-summary', `Since it was saved ${changes.since ? ago(changes.since) : ''}: ${what}`.replace(' :', ':'));
  const button = ({ id, name }) => {
    const made = element('button', name, 'link');
    made.type = 'button';
    made.addEventListener('click', () => pick(id));
    return made;
  };
  const lists = ['added', 'removed', 'changed'].filter((kind) => changes[kind].all > 0).flatMap((kind) => {
    const { all, list } = changes[kind];
    const items = list.map((peer) => element('li', [kind === 'removed' ? peer.name : button(peer), peer.what ? `: ${peer.what.join(', ')}` : '']));
    if (all > list.length) items.push(element('li', `and ${(all - list.length).toLocaleString()} more`));
    return [element('h3', kind[0].toUpperCase() + kind.slice(1)), element('ul', items, 'plain')];
  });
  const restless = changes.restless > 0 ? [element('p', `${count(changes.restless, 'peer')} came, went or moved to other addresses.`)] : [];
  byId('changes-list').replaceChildren(...lists, ...restless);
}
