// What differs between two network maps.

import { nodeName } from './format.js';

// What changes all the time, and nobody asks for when told what changed while away.
const restless = new Set(['Online', 'LastSeen', 'Endpoints', 'HomeDERP', 'Cap', 'Hostinfo', 'KeySignature', 'ComputedName', 'ComputedNameWithHost', 'CapMap']);

const words = {
  Name: 'name',
  User: 'owner',
  Sharer: 'owner',
  Key: 'key',
  KeyExpiry: 'key expiry',
  Machine: 'machine key',
  DiscoKey: 'session key',
  Addresses: 'addresses',
  AllowedIPs: 'routes',
  PrimaryRoutes: 'routes',
  Tags: 'tags',
  MachineAuthorized: 'approval',
  Expired: 'expiry',
};

// compare returns the peers that were added, removed and changed from one list of nodes to another: { id, name, what }.
// Whether a peer is online, and how to reach it, isn't a change; how many of these there were is counted.
export function compare(before, after) {
  const old = new Map(before.map((node) => [node.StableID, node]));
  const result = { added: [], removed: [], changed: [], restless: 0 };
  for (const node of after) {
    const was = old.get(node.StableID);
    old.delete(node.StableID);
    if (!was) {
      result.added.push({ id: node.StableID, name: nodeName(node) });
      continue;
    }
    const fields = differing(was, node);
    const what = [...new Set(fields.filter((field) => !restless.has(field)).map((field) => words[field] ?? field))];
    if (what.length > 0) result.changed.push({ id: node.StableID, name: nodeName(node), what });
    else if (fields.length > 0) result.restless++;
  }
  result.removed = [...old.values()].map((node) => ({ id: node.StableID, name: nodeName(node) }));
  return result;
}

function differing(a, b) {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((field) => !same(a[field], b[field]));
}

function same(a, b) {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}
