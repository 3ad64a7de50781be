import assert from 'node:assert/strict';
import { NetmapCacheError, openCache } from 'netmapcache';

// Node.js has no IndexedDB, and the module says so.
await assert.rejects(openCache({ database: 'network' }), (err) => err instanceof NetmapCacheError && err.code === 'unavailable');
