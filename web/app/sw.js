// The service worker. It keeps one version of the page whole: FILES, which the build fills in with the digest of each
// file, and VERSION, which changes with any of them.

/* global FILES, VERSION */

import { keep } from '../client/keep.js';

keep({ name: 'page', version: VERSION, files: FILES });

self.addEventListener('message', ({ data }) => {
  if (data === 'take over') self.skipWaiting();
});
