/**
 * The entry of a worker in which caches do their work: a script of its own, or
 * imported, statically, by a worker that does other work too. Its messages to and from the page
 * are left alone. See the option `worker` of `openCache`.
 *
 * ```js
 * const worker = new Worker(new URL('./my-worker.js', import.meta.url), { type: 'module' });
 * const cache = await openCache({ worker }); // my-worker.js: import 'netmapcache/worker';
 * ```
 *
 * @module
 */
export {};
