// What can't wait for the page itself: its colours, and the workers, since what they load takes longest.

import { followTheme } from './theme.js';

followTheme();
/** @type {any} */ (globalThis).workers = Object.fromEntries(['network', 'model'].map((name) => [name, new Worker(`${name}-worker.js`, { type: 'module', name })]));
