// For the service worker of an application: keeps one version of the application whole, the program of the client included, so
// that it starts without its server. A version is used once all of it is there as it was built.

// keep answers for the files, from the cache called name and version. files are their names below the service worker's scope, with
// the digest of each as the attribute integrity has it. It has to be called when the service worker's script begins.
export function keep({ name, version, files }) {
  const prefix = `${name}-`;
  const ownCache = prefix + version;
  const address = (file) => new URL(file.replace(/(^|\/)index\.html$/, '$1') || './', self.registration.scope).href;
  const kept = new Set(Object.keys(files).map(address));

  // fill fetches all files. The browser checks their digests; if one is wrong or missing, this version isn't installed and the
  // old one stays.
  async function fill() {
    await caches.delete(ownCache);
    const cache = await caches.open(ownCache);
    try {
      await Promise.all(Object.entries(files).map(async ([file, integrity]) => {
        const get = async (mode) => {
          const response = await fetch(address(file), { integrity, cache: mode, credentials: 'same-origin' });
          if (!response.ok) throw new Error(`${file}: HTTP status ${response.status}`);
          await cache.put(address(file), response);
        };
        // The browser's own cache fails for a file that is too large for it and that the page fetches at the same time.
        await get('no-cache').catch(() => get('no-store'));
      }));
    } catch (error) {
      await caches.delete(ownCache);
      throw error;
    }
  }

  async function begin() {
    for (const other of await caches.keys()) if (other.startsWith(prefix) && other !== ownCache) await caches.delete(other);
    await self.clients.claim();
  }

  // answer gives the file as kept; a browser that has thrown it away asks the server.
  async function answer(request, url) {
    const cache = await caches.open(ownCache);
    return (await cache.match(url)) ?? fetch(request);
  }

  self.addEventListener('install', (event) => event.waitUntil(fill()));
  self.addEventListener('activate', (event) => event.waitUntil(begin()));
  self.addEventListener('fetch', (event) => {
    const { request } = event;
    const url = new URL(request.url);
    url.search = url.hash = '';
    if (request.method === 'GET' && kept.has(url.href)) event.respondWith(answer(request, url.href));
  });
}
