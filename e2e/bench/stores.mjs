// Runs in a page, in any engine: times the calls of upstream's cache and of ours over
// IndexedDB, and what a page's own JavaScript takes for the same reads and writes.

const { peers, repetitions, upstreamRepetitions } = await (await fetch('/settings')).json();
const objectStore = 'entries';

const send = (path, value) => fetch(path, { method: 'POST', body: JSON.stringify(value) });

try {
  await send('/result', await measure());
} catch (err) {
  await send('/failure', String(err.stack ?? err));
}

// start runs the Go program, and resolves to its functions.
function start() {
  return new Promise((resolve, reject) => {
    globalThis.ready = resolve;
    const go = new Go();
    WebAssembly.instantiateStreaming(fetch('/bench.wasm'), go.importObject)
      .then(({ instance }) => go.run(instance))
      .then(() => reject(new Error('the Go program ended')), reject);
  });
}

async function measure() {
  const go = await start();
  await go.prepare(peers);
  const entries = await go.entries();
  const root = entries.find(([key]) => key === 'self');
  const columns = entries.filter((entry) => entry !== root);
  const samples = {}; // operation -> who -> milliseconds
  const time = async (operation, who, run) => {
    await go.collect();
    const from = performance.now();
    await run();
    ((samples[operation] ??= {})[who] ??= []).push(performance.now() - from);
  };

  const cache = (kind) => async (database) => {
    await go.open(kind, database);
    await time('store', kind, () => go.store());
    await time('same', kind, () => go.store());
    await go.change();
    await time('change', kind, () => go.store());
    await go.change();
    await time('update', kind, () => go.updatePeers());
    await time('load', kind, () => go.load());
    if (kind === 'ours') {
      await time('encode', kind, () => go.encode());
      await time('decode', kind, () => go.decode());
    }
    await go.close();
  };

  const javascript = async (database) => {
    const db = await openDatabase(database);
    await time('store', 'javascript', () => write(db, [...columns, root]));
    const [key, value] = columns[columns.length >> 1];
    await time('update', 'javascript', () => write(db, [[`${key} anew`, value], root], [key], root[0]));
    await write(db, [[key, value]], [`${key} anew`]);
    await time('load', 'javascript', async () => {
      await read(db, [root[0]]);
      await read(db, columns.map(([key]) => key));
    });
    db.close();
  };

  const turns = [['upstream', cache('upstream')], ['ours', cache('ours')], ['javascript', javascript]];
  for (let i = 0; i < repetitions; i++) {
    for (let k = 0; k < turns.length; k++) {
      const [name, run] = turns[(i + k) % turns.length];
      if (name === 'upstream' && i >= upstreamRepetitions) continue;
      const database = `bench ${name} ${i}`;
      await run(database);
      await settled(indexedDB.deleteDatabase(database));
      await send('/progress', `${i + 1}/${repetitions} ${name}`);
    }
  }
  return {
    userAgent: navigator.userAgent,
    records: entries.length,
    bytes: entries.reduce((sum, [, value]) => sum + value.length, 0),
    samples,
  };
}

function openDatabase(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(objectStore);
  return settled(request);
}

// settled resolves to the result of an IDBRequest.
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

// write commits puts and deletions in one transaction, after a look at the key guard.
async function write(db, puts, deletions = [], guard) {
  const tx = db.transaction(objectStore, 'readwrite', { durability: 'strict' });
  const entries = tx.objectStore(objectStore);
  if (guard) await settled(entries.get(guard));
  for (const [key, value] of puts) entries.put(value, key);
  for (const key of deletions) entries.delete(key);
  tx.commit();
  await new Promise((resolve, reject) => {
    tx.oncomplete = resolve;
    tx.onabort = () => reject(tx.error);
  });
}

// read returns the bytes under keys. Of the ways there are, requests issued together
// are the fastest that was found for values of this size; getAll is slower.
async function read(db, keys) {
  const entries = db.transaction(objectStore).objectStore(objectStore);
  const requests = keys.map((key) => entries.get(key));
  await settled(requests.at(-1));
  return requests.map((request) => request.result);
}
