// Has the tab that runs the client ask peers for those that don't.

import { ask } from './answer.js';

const answerTime = 70_000; // milliseconds; the client gives up after 60,000

// askElsewhere returns ask(url, signal), which resolves to a peer's answer, and what is to be done with what other tabs say, by its
// kind. Tabs are told things by say(kind, more), and clientOf returns the client if it runs here.
export function askElsewhere(say, clientOf) {
  const own = crypto.getRandomValues(new Uint32Array(2)).join('-'); // tells the requests of this tab from those of others
  const asking = new Map(); // what is asked here: ID -> function that takes { answer, problem }
  const answering = new Map(); // what is asked there: ID -> AbortController
  let asked = 0;
  return {
    ask(url, signal) {
      const id = `${own} ${++asked}`;
      return new Promise((resolve, reject) => {
        /** @param {{ answer?: import('./types').Answer, problem?: string }} result */
        const settle = ({ answer, problem }) => {
          asking.delete(id);
          if (answer) resolve(answer);
          else reject(new Error(problem));
        };
        asking.set(id, settle);
        setTimeout(settle, answerTime, { problem: 'the tab that has the connection doesn’t answer' });
        signal.addEventListener('abort', () => {
          say('give up', { id });
          settle({ problem: 'given up' });
        });
        say('ask', { id, url });
      });
    },

    heard: {
      async ask({ id, url }) {
        const client = clientOf();
        if (!client) return;
        const giveUp = new AbortController();
        answering.set(id, giveUp);
        const result = await ask(client, url, giveUp).then((answer) => ({ answer }), ({ message }) => ({ problem: message }));
        answering.delete(id);
        say('answer', { id, ...result });
      },
      'give up': ({ id }) => answering.get(id)?.abort(),
      answer: ({ id, ...result }) => asking.get(id)?.(result),
    },
  };
}
