// What the tests of accidents use inside their pages, as the global object lab.

import * as module from '/netmapcache.js';
import { marks, perform } from './history.mjs';
import { netmap } from './netmap.mjs';

export { marks, perform };

const { NetmapCacheError } = module;

// openCache opens a cache whose program runs in the page, so that what happens to the page happens to it.
export const openCache = (options) => module.openCache({ worker: false, ...options });

// attempt returns 'fulfilled', or the code of the error with which a call was rejected.
export const attempt = (promise) =>
  promise.then(
    () => 'fulfilled',
    (err) => (err instanceof NetmapCacheError ? err.code : `${err.name}: ${err.message}`),
  );

// loaded returns the marks of what is stored, or the code of the error.
export const loaded = (cache) => cache.load().then(marks, (err) => err.code ?? String(err));

// request returns the result of an IDBRequest.
export const request = (req) =>
  new Promise((resolve, reject) => {
    req.onsuccess = () => resolve(req.result);
    req.onerror = () => reject(req.error);
  });

// orphans returns how many keys are stored beyond the root and the columns it names.
export async function orphans(cache, database) {
  const { columns } = await cache.info();
  const db = await request(indexedDB.open(database));
  const keys = await request(db.transaction('entries').objectStore('entries').count());
  db.close();
  return keys - columns - 1;
}

// big returns a network map whose own node has a long name, of random letters that can't be
// compressed.
export function big(length) {
  const map = netmap(1);
  const random = new Uint8Array(length);
  for (let i = 0; i < length; i += 65536) crypto.getRandomValues(random.subarray(i, i + 65536));
  map.SelfNode.Name = Array.from(random, (byte) => String.fromCharCode(33 + (byte % 90))).join('');
  return map;
}
