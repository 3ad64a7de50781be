// Asks peers, by the commands of the client, here or in the tab that runs it.

import { fetchPage } from './answer.js';
import { client, running } from './connection.js';
import { hear, say } from './tabs.js';

const answerTime = 70_000; // milliseconds that another tab has; the client gives up after 60,000
const commands = {
  fetch: fetchPage,
  ping: (client, host, { signal }) => client.ping(host, { signal }),
};

const asked = new Map(); // by the page: ID -> AbortController

// ask asks a peer by one of the commands, as soon as that runs. It is given up by cancel of the same ID.
export async function ask(how, what, id) {
  const giveUp = new AbortController();
  asked.set(id, giveUp);
  try {
    const here = await running();
    giveUp.signal.throwIfAborted();
    return await (here ? commands[how](here, what, giveUp) : askElsewhere(how, what, giveUp.signal));
  } finally {
    asked.delete(id);
  }
}

export const cancel = (id) => asked.get(id)?.abort();

// Asking the tab that runs the client

const own = crypto.getRandomValues(new Uint32Array(2)).join('-'); // tells the requests of this tab from those of others
let count = 0;
const waiting = new Map(); // for an answer: ID -> function that takes { answer, problem }

function askElsewhere(how, what, signal) {
  const id = `${own} ${++count}`;
  return new Promise((resolve, reject) => {
    const settle = ({ answer = undefined, problem }) => {
      waiting.delete(id);
      if (answer) resolve(answer);
      else reject(new Error(problem));
    };
    waiting.set(id, settle);
    setTimeout(settle, answerTime, { problem: 'the tab that has the connection doesn’t answer' });
    signal.addEventListener('abort', () => {
      say('give up', { id });
      settle({ problem: 'given up' });
    });
    say('ask', { id, how, what });
  });
}

// Being asked by another tab

const answering = new Map(); // ID -> AbortController

hear({
  async ask({ id, how, what }) {
    if (!client || !Object.hasOwn(commands, how)) return;
    const giveUp = new AbortController();
    answering.set(id, giveUp);
    const result = await commands[how](client, what, giveUp).then((answer) => ({ answer }), ({ message }) => ({ problem: message }));
    answering.delete(id);
    say('answer', { id, ...result });
  },
  'give up': ({ id }) => answering.get(id)?.abort(),
  answer: ({ id, ...result }) => waiting.get(id)?.(result),
});
