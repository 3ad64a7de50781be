// Checks of arguments.

import { NetmapCacheError } from './error.js';

// check throws that an argument can't be used unless ok.
export function check(ok, message) {
  if (!ok) throw new NetmapCacheError('invalid-argument', message);
}

// checkOptions checks an argument that holds options: each is one of those known and has the type that is said, or is undefined.
export function checkOptions(options, known, what = 'options') {
  check(isObject(options), `${what} must be an object`);
  for (const [name, value] of Object.entries(options)) {
    check(Object.hasOwn(known, name), `there is no option ${name}`);
    check(value === undefined || known[name](value), `option ${name}: ${value} can't be used`);
  }
}

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
export const isString = (value) => typeof value === 'string';
export const isBoolean = (value) => typeof value === 'boolean';
export const isWholeNumber = (value) => Number.isSafeInteger(value) && value >= 0;
export const isSignal = (value) => value instanceof AbortSignal;

// checkNetmap checks the form of a network map that is to be stored. Its values are the Go program's to check.
export function checkNetmap(netmap) {
  check(isObject(netmap), 'netmap must be an object');
  check(isObject(netmap.SelfNode), 'netmap has no SelfNode');
  check(![undefined, null, 0, ''].includes(netmap.SelfNode.User), 'netmap has no user: SelfNode.User is zero');
}

export function checkPeers(peers) {
  check(Array.isArray(peers), 'peers must be an array');
  peers.forEach((peer, i) => check(isObject(peer) && isString(peer.StableID), `peer ${i} has no StableID`));
}
