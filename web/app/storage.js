// What is saved on this device: how much, whether for good, as a file, and no more.

import { byId, setText } from './dom.js';
import { showStorage } from './sections.js';

let info;
let estimate = {};

// startStorage makes the buttons work. Network is the network worker, report shows a problem.
export function startStorage(network, report) {
  byId('keep').addEventListener('click', keep);
  for (const kind of ['netmap', 'json']) {
    byId(`export-${kind}`).addEventListener('click', async () => {
      try {
        save(await network.snapshot(kind), kind);
      } catch (error) {
        setText('storage-note', `The snapshot couldn't be read: ${error.message}`);
      }
    });
  }
  byId('forget').addEventListener('click', () => byId('forget-dialog').showModal());
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

// showSaved shows what the cache says of its snapshot, if it has one.
export function showSaved(given, forgettable) {
  byId('export-netmap').disabled = byId('export-json').disabled = !given;
  byId('forget').disabled = !given && !forgettable;
  if (given?.generation !== info?.generation) look();
  info = given;
  showStorage(info, estimate);
}

// look asks the browser about its storage. Not every browser answers.
async function look() {
  const { usage, quota } = (await navigator.storage?.estimate?.().catch(() => {})) ?? {};
  const persisted = await navigator.storage?.persisted?.().catch(() => {});
  estimate = { usage, quota, persisted };
  byId('keep').hidden = persisted !== false || !navigator.storage.persist;
  showStorage(info, estimate);
}

async function keep() {
  const granted = await navigator.storage.persist();
  setText('storage-note', granted
    ? 'The browser keeps it until you delete it.'
    : "The browser didn't promise it. Browsers tend to agree once a page is installed, bookmarked or visited often.");
  await look();
}

function save(blob, kind) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `network-map-${new Date().toISOString().slice(0, 10)}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
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
