// What the client can do beyond showing the network: open what peers serve. And how the page came up.

import { Question } from './question.js';
import { go } from './route.js';
import { byId, html, render, repeat, setText } from './templates.js';

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

let openURL = () => {};

// openPeer opens a URL, or what is typed for one, in the form.
export function openPeer(url) {
  go({ view: 'reach', peer: '' });
  byId('reach-url').value = url;
  openURL();
}

// startReach makes the form work; ask asks a peer, and is given a signal to give up by. What of its answer shows content is shown in a
// sandbox without this page's origin: it runs no script, and can neither load anything nor lead anywhere.
export function startReach(ask) {
  const frame = byId('reach-frame');
  const question = new Question((state, note) => {
    byId('reach').dataset.state = state;
    byId('reach-cancel').hidden = state !== 'asking';
    setText('reach-note', note);
  });
  openURL = () => {
    frame.hidden = true;
    question.ask(async (signal) => {
      const answer = await ask(address(byId('reach-url').value.trim()), signal);
      const { peerPage } = await import('./peer-page.js');
      return { status: answer.status, page: peerPage(answer) };
    }, ({ status, page }, ms) => {
      frame.srcdoc = page;
      frame.hidden = false;
      return `Status ${status}, after ${ms} ms.`;
    });
  };
  byId('reach-cancel').addEventListener('click', () => question.cancel());
  byId('reach-form').addEventListener('submit', (event) => {
    event.preventDefault();
    openURL();
  });
}

// address returns the URL that is meant by what was typed: a name or an address alone will do.
const address = (typed) => (/^https?:\/\//i.test(typed) ? typed : `http://${typed}/`);

// showReach shows the steps of the start so far, each with its time since navigation.
export function showReach(events = [], network) {
  if (network?.suffix) byId('reach-url').defaultValue = `http://web.${network.suffix}/`; // the native peer of the test network
  const [shown] = performance.getEntriesByName('page:render');
  const steps = events.map(({ name, at }) => [name, at - performance.timeOrigin]);
  if (shown) steps.push(['page:render', shown.startTime]);
  steps.sort(([, a], [, b]) => a - b);
  render(repeat(steps, ([name]) => name, ([name, ms]) => html`<li data-step=${name} data-ms=${Math.round(ms)}>${(ms / 1000).toFixed(2)} s: ${labels[name] ?? name}</li>`), byId('timeline'));
}
