// What the client can do beyond showing the network: open what peers serve. And how the page came up.

import { byId, element, setText } from './dom.js';

const labels = {
  'page:render': 'Network on the screen',
  fetched: 'Client downloaded',
  compiled: 'Client compiled',
  started: 'Client started',
  restored: 'Client has the saved network',
  'engine up': 'Routes to peers are set',
  'relay up': 'Relay connected',
  'peer answered': 'First answer of a peer',
  'control live': 'Control plane reached',
};

let shown = '';

// startReach makes the form work; ask asks a peer. What a peer sends is shown in a sandbox without this page's
// origin: it runs no script, and can neither load anything nor lead anywhere.
export function startReach(ask) {
  const frame = byId('reach-frame');
  let latest;
  byId('reach-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const mine = (latest = {});
    const began = performance.now();
    const settle = (state, note) => {
      byId('reach').dataset.state = state;
      setText('reach-note', note);
    };
    settle('asking', 'Asking.');
    frame.hidden = true;
    try {
      const answer = await ask(address(byId('reach-url').value.trim()));
      if (latest !== mine) return;
      frame.srcdoc = contents(answer);
      frame.hidden = false;
      settle('answered', `Status ${answer.status}, after ${Math.round(performance.now() - began)} ms.`);
    } catch (error) {
      if (latest === mine) settle('failed', `No answer: ${error.message}.`);
    }
  });
}

// address returns the URL that is meant by what was typed: a name or an address alone will do.
const address = (typed) => (/^https?:\/\//i.test(typed) ? typed : `http://${typed}/`);

// contents returns what to show of an answer: what isn't HTML as text.
function contents({ headers, body }) {
  const text = new TextDecoder().decode(body);
  const [, type = ''] = headers.find(([name]) => name.toLowerCase() === 'content-type') ?? [];
  return /^text\/html\b/i.test(type) ? text : element('pre', text).outerHTML;
}

// showReach shows the steps of the start so far, each with its time since navigation.
export function showReach(events = [], network) {
  if (network?.suffix) byId('reach-url').defaultValue = `http://web.${network.suffix}/`; // the native peer of the test network
  const [render] = performance.getEntriesByName('page:render');
  const steps = events.map(({ name, at }) => [name, at - performance.timeOrigin]);
  if (render) steps.push(['page:render', render.startTime]);
  steps.sort(([, a], [, b]) => a - b);
  const key = JSON.stringify(steps);
  if (shown === key) return;
  shown = key;
  byId('timeline').replaceChildren(...steps.map(([name, ms]) => {
    const item = element('li', `${(ms / 1000).toFixed(2)} s: ${labels[name] ?? name}`);
    Object.assign(item.dataset, { step: name, ms: Math.round(ms) });
    return item;
  }));
}
