// The switch of the control plane, and the size of the made-up network, if the server has these.

import { byId, setText } from './templates.js';

async function ask(path, body) {
  const options = body && { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(path, { ...options, cache: 'no-store' });
  if (!response.ok) throw new Error(`the server answers ${response.status} ${response.statusText}`);
  return response.json();
}

const lookEvery = 5000; // milliseconds
let up;

// startLab shows what the server has. Came is called when the control plane was brought up, report shows a problem.
export function startLab(came, report) {
  const guarded = (what, run) => async (event) => {
    const { target } = event;
    target.disabled = true;
    try {
      await run(target);
      report('');
    } catch (error) {
      report(`${what}: ${error.message}. See that this page's server is running, then try again.`);
    } finally {
      target.disabled = false;
    }
  };
  byId('control').addEventListener('click', guarded("The control plane's switch didn't work", async () => {
    showControl(await ask('/-/control', { up: !up }));
    if (up) came();
  }));
  byId('lab-size').addEventListener('change', guarded('The size could not be changed', async ({ value }) => {
    setText('lab-note', 'Making the network.');
    showNetwork(await ask('/-/network', { peers: Number(value) }));
    came();
  }));
  byId('lab-churn').addEventListener('change', guarded('The pace could not be changed', async ({ value }) => {
    showNetwork(await ask('/-/network', { churn: Number(value) }));
  }));
  // A server without them is no problem. One that has them may be used by others too.
  const look = () => document.visibilityState === 'visible' && ask('/-/control').then(showControl, () => {});
  ask('/-/control').then((state) => {
    showControl(state);
    document.addEventListener('visibilitychange', look);
    setInterval(look, lookEvery);
  }, () => {});
  ask('/-/network').then(showNetwork, () => {});
}

function showControl(state) {
  up = state.up;
  document.body.dataset.control = up ? 'up' : 'down';
  setText('control', up ? 'Take the control plane down' : 'Bring the control plane up');
  byId('control').hidden = byId('lab-link').hidden = false;
}

function showNetwork({ peers, churn }) {
  byId('lab-link').hidden = byId('lab-fields').hidden = false;
  choose(byId('lab-size'), peers, peers.toLocaleString());
  choose(byId('lab-churn'), churn, `every ${(churn / 1000).toLocaleString()} s`);
  setText('lab-note', '');
}

// choose selects a value, and adds it if it isn't one of those to choose from.
function choose(list, value, text) {
  list.value = String(value);
  if (list.selectedIndex < 0) list.add(new Option(text, value, false, true));
}
