// A snapshot: the root and the columns that it names, checked, and the network map that they hold.

import { NetmapCacheError } from '../error.js';
import { measure } from '../measure.js';
import { breather } from './breathe.js';
import { bytes, compareBytes, decode, decodeStart, DecodeError, fieldAt, findText, id, isNull, list, position, textEnd, textStart } from './decoder.js';
import { digest } from './digest.js';
import { makesTooMuch } from './filter.js';
import { hexText, plainText } from './forms.js';
import { matcher, searchText } from './names.js';
import { partOf, userPart } from './parts.js';
import { checkRoot, corrupt, isCleared, isPart, isUpstream, parseRoot, readColumn, rootKey } from './root.js';
import { formatMisc, formatUser, tailcfgDERPMap, tailcfgDNSConfig, tailcfgFilterRule, tailcfgNode, tailcfgSSHPolicy } from './structs.js';

const day = 24 * 60 * 60 * 1000;

// openRoot returns the root that value holds, or undefined if it is of tailscale.com's own package, which has none.
export async function openRoot(value) {
  if (isCleared(value)) throw new NetmapCacheError('not-available', 'no network map is stored');
  if (!(value instanceof Uint8Array)) throw corrupt(rootKey, 'it is not bytes');
  if (isUpstream(value)) return undefined;
  let root;
  let thrown;
  try {
    root = parseRoot(value);
  } catch (err) {
    thrown = err;
  }
  await checkRoot(value); // a root that is damaged may seem to be anything
  if (thrown) throw thrown;
  return root;
}

// columnKeys returns the keys that the root in value names, as far as it can be read.
export function columnKeys(value) {
  try {
    return parseRoot(value).columns.map(({ key }) => key);
  } catch {
    return []; // openRoot tells why
  }
}

// checkUse throws if a snapshot with this root is not to be used by whom the options describe: { owner, maxAge }.
export function checkUse(root, { owner, maxAge }) {
  if (owner && root.Owner !== owner) throw new NetmapCacheError('wrong-owner', 'the stored snapshot belongs to another owner');
  const age = Date.now() - root.confirmed;
  if (maxAge > 0 && (age > maxAge || age < -day)) throw new NetmapCacheError('expired', 'the stored snapshot is too old, or its time is in the future');
}

// A Snapshot has bytes whose digests are right. Network maps are made of them anew each time, so that whoever gets one may change it.
export class Snapshot {
  value; // of the root
  root;
  #data; // of the columns
  #places; // of peers, then of users: of each the column, where it begins there, and where it ends
  #order; // of the peers, by ID; known once all has been checked
  #texts; // what is searched of the peers, in the same order

  // make returns the snapshot of a root and the values of its columns.
  static async make(value, root, values) {
    const snapshot = new Snapshot();
    Object.assign(snapshot, { value, root });
    snapshot.#data = await Promise.all(root.columns.map(({ name, digest: wanted, size }, i) => checked(name, wanted, size, values[i])));
    return snapshot;
  }

  values() {
    return [this.value, ...this.#data];
  }

  // decode returns all that there is: { netmap, peers, users }, where the network map is without peers and users.
  // Check is called now and then, to throw if nobody waits any more.
  decode(check) {
    return this.#decode(check, tailcfgNode, []);
  }

  // withoutPeers is decode, but makes nothing of the peers: it only checks them, which takes a fraction of the time.
  withoutPeers(check) {
    return this.#decode(check, tailcfgNode, ['peers']);
  }

  // check is decode for who wants to know that all is well. Of the users it has only where userAt finds them.
  check(check) {
    return this.#decode(check, tailcfgNode, ['peers', 'users']);
  }

  // names is check with the names of the peers in their place; undefined where peerAt has to tell.
  names(check) {
    return this.#decode(check, named, ['peers', 'users']);
  }

  async #decode(check, peer, brief) {
    const begin = performance.now();
    const breathe = breather(check);
    const found = { ids: [], peers: [], places: [], users: {} };
    for (let i = 0; i < this.root.columns.length; i++) {
      this.#decodeColumn(i, found, peer, brief);
      await breathe();
    }
    measure('decode', begin);
    const { PeerParts, UserParts } = this.root;
    const { ids, peers, places, users } = found;
    const id = (i) => decodeStart(this.#bytes(places, i), stableID);
    const order = [...ids.keys()].sort((a, b) => compareIDs(ids[a], ids[b]) || compareBytes(id(a), id(b)));
    this.#places = places;
    this.#order = order;
    return { netmap: netmapOf(found), peers: PeerParts ? order.map((i) => peers[i]) : null, users: UserParts ? users : null };
  }

  #decodeColumn(i, found, peer, brief) {
    const { kind, name, part, count: wanted } = this.root.columns[i];
    const read = (value) => readColumn(name, () => decode(this.#data[i], value, brief.includes(kind)));
    let n = 1;
    switch (kind) {
      case 'peers':
        n = read(() => takePeers(found, peer, i, part, this.root.PeerParts));
        break;
      case 'users':
        n = read(() => takeUsers(found, i, part, this.root.UserParts));
        break;
      case 'filter':
        found.filter = read(() => list(tailcfgFilterRule));
        n = found.filter.length;
        if (makesTooMuch(found.filter)) throw corrupt(name, 'rules take too much memory for their length');
        break;
      default:
        found[kind] = read(singles[kind]);
    }
    if (n !== wanted || (isPart(kind) && n === 0)) throw corrupt(name, 'count differs');
  }

  #bytes(places, i) {
    return this.#data[places[3 * i]].subarray(places[3 * i + 1], places[3 * i + 2]);
  }

  // peerAt returns a peer, once all has been checked. They are in order of ID.
  peerAt(i) {
    return decode(this.#bytes(this.#places, this.#order[i]), tailcfgNode);
  }

  // userAt returns the profile of a user that was only checked.
  userAt(place) {
    return decode(this.#bytes(this.#places, place), formatUser).Profile;
  }

  // peers returns those of the peers, by ID, from the offset on that a search finds, and how many it finds in all: { total, peers }.
  async peers({ offset, limit, search }, check) {
    const match = search.trim() && matcher(search);
    if (match) this.#texts ??= await this.#searchTexts(check);
    else if (!this.#order) await this.check(check);
    const all = [...this.#order.keys()];
    const found = match ? all.filter((i) => match(this.#texts[i])) : all;
    const peers = [];
    const breathe = breather(check);
    for (const i of found.slice(offset, offset + limit)) {
      peers.push(this.peerAt(i));
      await breathe();
    }
    return { total: found.length, peers };
  }

  async #searchTexts(check) {
    const { netmap, peers, users } = await this.decode(check);
    const breathe = breather(check);
    const map = { ...netmap, UserProfiles: users };
    const texts = [];
    for (const peer of peers ?? []) {
      texts.push(searchText(map, peer));
      await breathe();
    }
    return texts;
  }
}

const singles = { node: tailcfgNode, misc: formatMisc, dns: tailcfgDNSConfig, derpmap: tailcfgDERPMap, ssh: tailcfgSSHPolicy };

// checked returns the value of a column, whose digest is in hexadecimal digits.
async function checked(name, wanted, size, value) {
  if (value === undefined) throw corrupt(name, 'missing');
  if (!(value instanceof Uint8Array)) throw corrupt(name, 'it is not bytes');
  if (value.length !== size || hexText(await digest(value), 0, 16) !== wanted) throw corrupt(name, 'digest differs');
  return value;
}

// takePeers reads the peers of a part, each by a function, and where each of them is. It returns how many there are.
function takePeers({ ids, peers, places }, peer, column, part, parts) {
  const before = ids.length;
  list(() => {
    const start = position();
    peers.push(peer());
    places.push(column, start, position());
    findText(start, 2);
    if (partOf(bytes, textStart, textEnd, parts) !== part) throw new DecodeError('peer of another part');
    ids.push(fieldAt(start, 1, id) ?? 0);
  });
  return ids.length - before;
}

// takeUsers reads the users of a part, or if they are only checked, where each of them is. It returns how many there are.
function takeUsers({ users, places }, column, part, parts) {
  let n = 0;
  list(() => {
    const start = position();
    const user = formatUser();
    const ID = fieldAt(start, 1, id) ?? 0;
    if (fieldAt(start, 2, isNull) !== false) throw new DecodeError('no user profile');
    if (userPart(ID, parts) !== part) throw new DecodeError('user of another part');
    users[ID] = user ? user.Profile : places.length / 3;
    places.push(column, start, position());
    n++;
  });
  return n;
}

// named checks a peer and returns what it is called, if that is plain.
function named() {
  const start = position();
  tailcfgNode();
  findText(start, 3);
  let end = textStart;
  while (end < textEnd && bytes[end] !== 0x2e) end++;
  return plainText(bytes, textStart, end);
}

// stableID returns the stable ID of a peer, as bytes.
function stableID() {
  findText(position(), 2);
  return bytes.slice(textStart, textEnd);
}

// compareIDs orders IDs by their values.
function compareIDs(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return a === b ? 0 : BigInt(a) < BigInt(b) ? -1 : 1;
}

// netmapOf makes the network map, without peers and users, of the columns that were found.
function netmapOf({ node, misc, dns, derpmap, filter, ssh }) {
  const { MachineKey, CollectServices, DisplayMessages, TKAEnabled, TKAHead, Domain, DomainAuditLogID, Unknown } = misc ?? emptyMisc();
  const netmap = {
    Cached: true,
    SelfNode: node,
    MachineKey,
    DNS: dns ?? {},
    PacketFilterRules: filter ?? null,
    SSHPolicy: ssh ?? null,
    CollectServices,
    DERPMap: derpmap ?? null,
    DisplayMessages,
    TKAEnabled,
    ...(/[^A]/.test(TKAHead) && { TKAHead }), // unless it is zero
    Domain,
    DomainAuditLogID,
  };
  return Unknown ? { ...JSON.parse(Unknown), ...netmap } : netmap;
}

const emptyMisc = () => decode(Uint8Array.of(0xa0), formatMisc);
