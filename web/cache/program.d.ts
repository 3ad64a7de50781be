/**
 * What runs the WebAssembly program. The module loads it by itself when there is something to write; only a service
 * worker that writes has to import it, since it can load nothing later.
 *
 * ```js
 * import { openCache } from 'netmapcache';
 * import 'netmapcache/program';
 * ```
 *
 * @module
 */
export {};
