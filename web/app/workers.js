// What can't wait for the page itself: its colours and which view it shows, so that nothing moves, and the workers, since what they load
// takes longest.

import { followTheme } from './theme.js';

followTheme();
document.documentElement.dataset.view = new URLSearchParams(location.hash.slice(1)).get('view') ?? 'peers';
/** @type {any} */ (globalThis).workers = Object.fromEntries(['network', 'model'].map((name) => [name, new Worker(`${name}-worker.js`, { type: 'module', name })]));
