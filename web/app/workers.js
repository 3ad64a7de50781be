// Starts the workers, before the page itself is there: what they load takes longest.

globalThis.workers = Object.fromEntries(['network', 'model'].map((name) => [name, new Worker(`${name}-worker.js`, { type: 'module', name })]));
