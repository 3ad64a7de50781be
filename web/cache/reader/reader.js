// Reads the snapshot in a database.

import { NetmapCacheError } from '../error.js';
import { measure } from '../measure.js';
import { sameBytes } from './digest.js';
import { isCleared, isUpstream } from './root.js';
import { checkUse, columnKeys, openRoot, Snapshot } from './snapshot.js';

const attempts = 100;
const year1 = -62135596800000; // in milliseconds, Go's zero time

export class Reader {
  #database;
  #options; // { owner, maxAge }
  #kept; // the snapshot that was read last
  #before = Promise.resolve(); // the call before: it may be reading what the next one wants

  constructor(database, options) {
    this.#database = database;
    this.#options = options;
  }

  // snapshot returns the stored snapshot. It is read only if the root isn't the one that was read last. It is undefined if it is
  // tailscale.com's own package's.
  snapshot(check) {
    const snapshot = this.#before.then(() => this.#read(check));
    this.#before = snapshot.catch(() => {});
    return snapshot;
  }

  async #read(check) {
    check();
    const begin = performance.now();
    const kept = this.#kept; // another call may replace it
    const isKept = (value) => kept && sameBytes(kept.value, value);
    const { root: value, values } = await this.#database.read((value) => (isKept(value) ? [] : columnKeys(value)));
    check();
    const root = await openRoot(value);
    if (!root) return undefined;
    checkUse(root, this.#options);
    if (isKept(value)) return kept;
    this.#kept = undefined;
    const snapshot = await Snapshot.make(value, root, values);
    check();
    measure('read', begin);
    this.#kept = snapshot;
    return snapshot;
  }

  async info() {
    const { root: value } = await this.#database.read(() => []);
    const root = await openRoot(value);
    if (!root) {
      const time = () => new Date(year1);
      return { savedAt: time(), confirmedAt: time(), owner: '', peers: 0, users: 0, columns: 0, bytes: 0, generation: 0, upstream: true };
    }
    const { columns } = root;
    const sum = (of, list = columns) => list.reduce((total, column) => total + column[of], 0);
    const ofKind = (kind) => columns.filter((column) => column.kind === kind);
    return {
      savedAt: new Date(root.saved),
      confirmedAt: new Date(root.confirmed),
      owner: root.Owner,
      peers: sum('count', ofKind('peers')),
      users: sum('count', ofKind('users')),
      columns: columns.length,
      bytes: value.length + sum('size'),
      generation: root.Generation,
      upstream: false,
    };
  }

  // clear removes what is stored, and tells whether there was anything.
  async clear(check) {
    for (let i = 0; i < attempts; i++) {
      const { root: value } = await this.#database.read(() => []);
      check();
      const gone = await this.#database.clear(value, await mayHaveUpstream(value));
      if (gone !== undefined) return gone;
    }
    throw new NetmapCacheError('storage', `others were faster ${attempts} times`);
  }
}

// mayHaveUpstream reports whether there may be keys of tailscale.com's own package: the root alone tells.
async function mayHaveUpstream(value) {
  if (!(value instanceof Uint8Array)) return false;
  if (isUpstream(value) || isCleared(value)) return true;
  return (await openRoot(value).catch(() => {}))?.Upstream ?? false;
}
