// Whether this node's keys may stay in the browser.

import { keysKept } from '../client/program.js';

const lookTime = 3000; // milliseconds that the server has to tell what it is

// mayKeepKeys reports whether this node's private keys may stay in the browser. Without TLS any program becomes this
// origin that listens on the server's port once the server has ended, and so has all that the origin keeps. A key
// for the made-up network is worth nothing. If nobody answers, what was decided before goes on.
export async function mayKeepKeys(database) {
  if (location.protocol === 'https:') return true;
  const answer = await fetch('/-/network', { signal: AbortSignal.timeout(lookTime) }).catch(() => undefined);
  if (!answer) return keysKept(database);
  const { peers } = answer.ok ? await answer.json().catch(() => ({})) : {};
  return peers !== undefined;
}
