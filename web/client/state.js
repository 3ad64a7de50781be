// From what the program says of itself to what an application wants to know.

const byBackend = { NeedsMachineAuth: 'needs-approval' };

// stateOf returns the state of a client from that of the program, and whether there is a network map.
export function stateOf(said, hasNetmap) {
  const name = nameOf(said, hasNetmap);
  return Object.freeze({ name, since: new Date(said.since || Date.now()), error: said.error || undefined, loginURL: said.loginURL || undefined });
}

function nameOf({ phase, backend, keyExpired }, hasNetmap) {
  if (phase === 'live') return 'live';
  if (phase === 'login') return keyExpired ? 'expired' : 'needs-login';
  return byBackend[backend] ?? (hasNetmap ? 'saved' : 'connecting');
}
