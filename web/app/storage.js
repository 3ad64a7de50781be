// What is saved on this device: how much, whether for good, as a file, and no more.

import { showStorage } from './sections.js';
import { byId, save, setText } from './templates.js';

let info;
let keepKeys;
let estimate; // { usage, quota, persisted }, once the browser was asked

// startStorage makes the buttons work. Network is the network worker, report shows a problem.
export function startStorage(network, report) {
  byId('keep').addEventListener('click', keep);
  for (const kind of ['netmap', 'json']) {
    byId(`export-${kind}`).addEventListener('click', async () => {
      try {
        save(await network.snapshot(kind), `network-map-${new Date().toISOString().slice(0, 10)}.${kind}`);
      } catch (error) {
        setText('storage-note', `The snapshot couldn't be read: ${error.message}`);
      }
    });
  }
  for (const id of ['forget', 'logout']) byId(id).addEventListener('click', () => byId('forget-dialog').showModal());
  byId('forget-dialog').addEventListener('close', async ({ target }) => {
    if (target.returnValue !== 'forget') return;
    target.returnValue = '';
    try {
      await network.forget();
    } catch (error) {
      report(`Forgetting failed: ${error.message}. Close this page's other tabs and try again.`);
    }
  });
  look();
  setInterval(look, 30_000);
}

// showSaved shows what the cache says of its snapshot, if it has one, and whether keys are kept.
export function showSaved(given, forgettable, keys) {
  byId('export-netmap').disabled = byId('export-json').disabled = !given;
  byId('forget').disabled = !given && !forgettable;
  if (given?.generation !== info?.generation) look();
  info = given;
  keepKeys = keys;
  if (estimate) showStorage(info, keepKeys, estimate);
}

// look asks the browser about its storage. Not every browser answers.
async function look() {
  const { usage, quota } = (await navigator.storage?.estimate?.().catch(() => undefined)) ?? {};
  const persisted = await navigator.storage?.persisted?.().catch(() => undefined);
  estimate = { usage, quota, persisted };
  byId('keep').hidden = persisted !== false || !navigator.storage.persist;
  showStorage(info, keepKeys, estimate);
}

async function keep() {
  const granted = await navigator.storage.persist();
  setText('storage-note', granted
    ? 'The browser keeps it until you delete it.'
    : "The browser didn't promise it. Browsers tend to agree once a page is installed, bookmarked or visited often.");
  await look();
}

// Installing, where the browser offers it to pages

let installation;
addEventListener('beforeinstallprompt', (event) => {
  event.preventDefault();
  installation = event;
  byId('install').hidden = false;
});
byId('install').addEventListener('click', async () => {
  byId('install').hidden = true;
  await installation?.prompt();
});
