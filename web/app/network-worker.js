// The worker that runs the WebAssembly programs: the cache, and the client in one tab of all. It gives the network map to the
// model worker, so that none of it passes through the page, and tells the page what it does. In the order in which it happens:
//
//   known.js       what is known, of which the page is told
//   hand-over.js   what is saved goes to the model worker, and later what the client has
//   connection.js  the client runs, or is seen to run in another tab
//   tabs.js        what tabs tell each other
//   asking.js      peers are asked
//   forgetting.js  the network is forgotten
//
// What the page may ask for is here.

import { expose } from 'comlink';

import { ask, cancel } from './asking.js';
import { connect, disconnect, doubt, login, retry } from './connection.js';
import { forget } from './forgetting.js';
import { cache, shown, startHandOver } from './hand-over.js';
import { known, tellBy } from './known.js';

let begin;
const begun = new Promise((resolve) => (begin = resolve)); // resolves when a connection has been asked for first

expose({
  // start shows what is saved, and connects if the network isn't to stay forgotten.
  async start(port, listener, forgotten) {
    tellBy(listener);
    Object.assign(known, { wanted: !forgotten, forgotten });
    await startHandOver(port);
    if (!forgotten) connect();
    begin();
  },

  shown,
  connect,
  disconnect,
  retry,
  doubt,
  login,
  forget,

  // snapshot returns the saved network map as a file: one that the command netmapcache reads, or JSON.
  async snapshot(kind) {
    if (kind === 'json') return new Blob([JSON.stringify(await cache.load(), undefined, 1)], { type: 'application/json' });
    return new Blob([await cache.export()], { type: 'application/octet-stream' });
  },

  // fetch asks a peer for a page, and ping for a sign of life, through the tailnet. They are given up by cancel of the same ID.
  fetch: (url, id) => begun.then(() => ask('fetch', url, id)),
  ping: (host, id) => begun.then(() => ask('ping', host, id)),
  cancel,
});
