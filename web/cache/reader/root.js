// The root of a snapshot, which names its columns.

import { NetmapCacheError } from '../error.js';
import { count, decode, DecodeError, decodeStart, field, maxBytes, uint } from './decoder.js';
import { digest, sameBytes } from './digest.js';
import { formatRoot } from './structs.js';

// rootKey is the key of the root.
export const rootKey = 'self';

const newestMajor = 1;
const maxParts = 1 << 20;
const digestLength = 16;

// Kinds of columns, by their numbers.
const kinds = [undefined, 'node', 'misc', 'dns', 'derpmap', 'filter', 'ssh', 'peers', 'users'];

export const isPart = (kind) => kind === 'peers' || kind === 'users';

// corrupt is the error that tells what is wrong with a column, or the root.
export function corrupt(name, why, cause) {
  return new NetmapCacheError('corrupt', `${name}: ${why}: the stored snapshot is corrupt`, cause && { cause });
}

// readColumn calls read, which decodes what is stored under a name.
export function readColumn(name, read) {
  try {
    return read();
  } catch (err) {
    if (!(err instanceof DecodeError)) throw err;
    throw corrupt(name, err.message, err);
  }
}

// parseRoot returns the root that value holds: { Generation, Owner, saved, confirmed, PeerParts, UserParts, columns, Upstream },
// where a column is { kind, part, name, key, digest, size, count }. Whether its digest is right, checkRoot tells.
export function parseRoot(value) {
  const end = value.length - 1 - digestLength;
  if (end < 1 || value[0] !== 0x82 || value[end] !== (0x40 | digestLength)) throw corrupt(rootKey, 'not a root');
  const body = value.subarray(1, end);
  const major = readColumn(rootKey, () => decodeStart(body.subarray(0, 32), readMajor));
  if (major > newestMajor) throw new NetmapCacheError('format', `the stored snapshot has format ${major}, this version reads up to ${newestMajor}`);
  const root = readColumn(rootKey, () => decode(body, formatRoot));
  const { Saved, Confirmed, Columns, ...rest } = root;
  return { ...rest, saved: Date.parse(Saved), confirmed: Date.parse(Confirmed), columns: columnsOf(root) };
}

function readMajor() {
  if (count() === 0 || field(0) !== 1) throw new DecodeError('no major version');
  return uint();
}

// checkRoot checks the digest at the end of the root.
export async function checkRoot(value) {
  const end = value.length - digestLength;
  if (end < 1 || !sameBytes((await digest(value.subarray(0, end))).subarray(0, digestLength), value.subarray(end))) {
    throw corrupt(rootKey, 'digest differs');
  }
}

const validParts = (n) => n <= maxParts && (n & (n - 1)) === 0;

// columnsOf returns the columns that a root names, but for kinds that a later version added.
function columnsOf({ Major, PeerParts, UserParts, Columns }) {
  if (Major === 0 || !validParts(PeerParts) || !validParts(UserParts)) throw corrupt(rootKey, 'impossible values');
  const elements = { peers: 1, users: 1 }; // a list may be empty and have one part
  const columns = [];
  let last = { Kind: 0, Part: 0 };
  for (const column of Columns ?? []) {
    const { Kind, Part, Digest, Size, Count } = column;
    if (Kind >= kinds.length) continue;
    const kind = kinds[Kind];
    const parts = kind === 'peers' ? PeerParts : kind === 'users' ? UserParts : kind ? 1 : 0;
    if (Part >= parts || !(Kind > last.Kind || (Kind === last.Kind && Part > last.Part))) throw corrupt(rootKey, 'columns out of place');
    if (isPart(kind)) elements[kind] += Math.min(Count, maxParts);
    const name = isPart(kind) ? `${kind}-${Part.toString(16)}` : kind;
    columns.push({ kind, part: Part, name, key: `${name}.${Digest}`, digest: Digest, size: Size, count: Count });
    last = column;
  }
  if (PeerParts > elements.peers || UserParts > elements.users) throw corrupt(rootKey, 'more parts than elements');
  if (columns[0]?.kind !== 'node') throw corrupt(rootKey, 'no self node');
  checkSizes(columns);
  return columns;
}

// checkSizes checks that there is good reason to make room for as many peers and users as the columns are said to hold, by
// the bounds that Go has.
function checkSizes(columns) {
  const weights = { peers: 1024, users: 256 };
  let need = 0;
  let limit = 32 << 20;
  for (const { kind, size, count } of columns) {
    if (size > maxBytes || count > size) throw corrupt(rootKey, 'count differs'); // each value takes a byte, at least
    if (!isPart(kind)) continue;
    need += count * weights[kind];
    limit += size * 64;
  }
  if (need > limit) throw corrupt(rootKey, 'too many peers or users for their length');
}

// isColumnKey reports whether a key is one that columns can have.
export function isColumnKey(key) {
  return /^(?:(?:node|misc|dns|derpmap|filter|ssh)|(?:peers|users)-(?:0|[1-9a-f][0-9a-f]{0,15}))\.[0-9a-f]{32}$/.test(key);
}

// isUpstreamKey reports whether a key is one of tailscale.com's own package, the root's aside.
export const isUpstreamKey = (key) => /^(?:(?:msic|dns|derpmap|filter|ssh)$|peer-|user-)/.test(key);

// isUpstream reports whether the value of the root's key is of tailscale.com's own package.
export const isUpstream = (value) => value[0] === 0x7b;

// isCleared reports whether the value of the root's key tells that there is nothing.
export const isCleared = (value) => value === undefined || (value.length === 2 && isUpstream(value) && value[1] === 0x7d);
