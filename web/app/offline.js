// The service worker, which keeps this page for when its server can't be reached, and the change to a new version.

import { byId } from './templates.js';

const lookEvery = 60 * 60_000; // milliseconds

export async function startOffline() {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return;
  const hadOne = Boolean(serviceWorker.controller);
  // All tabs change together: a page of one version must not go on with the files of another.
  if (hadOne) serviceWorker.addEventListener('controllerchange', () => location.reload());
  try {
    const registration = await serviceWorker.register('sw.js');
    const offer = () => (byId('update').hidden = !registration.waiting);
    byId('update-now').addEventListener('click', () => registration.waiting?.postMessage('take over'));
    const watch = () => registration.installing?.addEventListener('statechange', offer);
    registration.addEventListener('updatefound', watch);
    watch();
    offer();
    setInterval(() => registration.update().catch(() => {}), lookEvery);
    await serviceWorker.ready;
    document.body.dataset.offline = 'ready';
  } catch {
    document.body.dataset.offline = 'none'; // the page works, as long as its server does
  }
}
