// A page that does the least that any Go program with something in IndexedDB has to do
// before it shows it: it runs one that does nothing, and reads the same records.

import loadGo from '/wasm_exec.mjs';

const ready = new Promise((resolve) => (globalThis.ready = resolve));
const Go = loadGo(globalThis);
const go = new Go();
const { instance } = await WebAssembly.instantiateStreaming(fetch('hello.wasm'), go.importObject);
go.run(instance);
await ready;

const settled = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));

const db = await settled(indexedDB.open('network'));
const entries = () => db.transaction('entries').objectStore('entries');
await settled(entries().get('self'));
const keys = await settled(entries().getAllKeys());
const now = entries();
const requests = keys.map((key) => now.get(key));
await settled(requests.at(-1));
document.body.textContent = requests.reduce((sum, request) => sum + request.result.length, 0);
requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('page:render')));
