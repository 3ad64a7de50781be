// What can't wait for the page itself: its colours and which view it shows, so that nothing moves, and the workers, since what they load
// takes longest. Their names tell them what they can't find out in time: whether the page is kept here, by its service worker, and
// whether the network was forgotten.

import { forgotten } from './forgotten.js';
import { followTheme } from './theme.js';

followTheme();
document.documentElement.dataset.view = new URLSearchParams(location.hash.slice(1)).get('view') ?? 'peers';
const known = [navigator.serviceWorker?.controller && 'kept', forgotten.get() && 'forgotten'].filter(Boolean);
/** @type {any} */ (globalThis).workers = Object.fromEntries(['network', 'model'].map((name) => [
  name,
  new Worker(`${name}-worker.js`, { type: 'module', name: [name, ...known].join(' ') }),
]));
