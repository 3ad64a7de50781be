// From what the program says of itself to what an application wants to know.

// stateOf returns the state of a client from that of the program, and whether there is a network map.
export function stateOf(said, hasNetmap) {
  const name = nameOf(said, hasNetmap);
  return Object.freeze({ name, since: new Date(said.since || Date.now()), error: said.error || undefined, loginURL: said.loginURL || undefined });
}

function nameOf({ phase, keyExpired }, hasNetmap) {
  switch (phase) {
    case 'live':
      return 'live';
    case 'login':
      return keyExpired ? 'expired' : 'needs-login';
    case 'approval':
      return 'needs-approval';
    default:
      return hasNetmap ? 'saved' : 'connecting';
  }
}
