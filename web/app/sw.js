// The service worker. It keeps one version of the page whole: FILES, which the build fills in with the digest of each
// file, and VERSION, which changes with any of them. A version is used once all of it is there as it was built.

/* global FILES, VERSION */

const prefix = 'page-';
const ownCache = prefix + VERSION;
const address = (name) => new URL(name === 'index.html' ? './' : name, self.registration.scope).href;
const kept = new Set(Object.keys(FILES).map(address));

self.addEventListener('install', (event) => event.waitUntil(keep()));

// keep fetches all files. The browser checks their digests; if one is
// wrong or missing, this version isn't installed and the old one stays.
async function keep() {
  await caches.delete(ownCache);
  const cache = await caches.open(ownCache);
  try {
    await Promise.all(Object.entries(FILES).map(async ([name, integrity]) => {
      const get = async (mode) => {
        const response = await fetch(address(name), { integrity, cache: mode, credentials: 'same-origin' });
        if (!response.ok) throw new Error(`${name}: HTTP status ${response.status}`);
        await cache.put(address(name), response);
      };
      // The browser's own cache fails for a file that is too large for it and that the page fetches at the same time.
      await get('no-cache').catch(() => get('no-store'));
    }));
  } catch (error) {
    await caches.delete(ownCache);
    throw error;
  }
}

self.addEventListener('activate', (event) => event.waitUntil(begin()));

async function begin() {
  for (const name of await caches.keys()) if (name.startsWith(prefix) && name !== ownCache) await caches.delete(name);
  await self.clients.claim();
}

self.addEventListener('message', ({ data }) => {
  if (data === 'take over') self.skipWaiting();
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  url.search = url.hash = '';
  if (request.method === 'GET' && kept.has(url.href)) event.respondWith(answer(request, url.href));
});

// answer gives the file as kept; a browser that has thrown it away asks the server.
async function answer(request, url) {
  const cache = await caches.open(ownCache);
  return (await cache.match(url)) ?? fetch(request);
}
