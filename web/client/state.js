// From what the program says of itself to what an application wants to know.

// stateOf returns the state of a client from that of the program, and whether there is a network map.
export function stateOf(said, hasNetmap) {
  const name = nameOf(said, hasNetmap);
  return Object.freeze({ name, since: new Date(said.since || Date.now()), error: said.error || said.exitNodeError || undefined, code: codeOf(said), loginURL: said.loginURL || undefined });
}

function codeOf({ refused, error, exitNodeError }) {
  if (refused) return 'login-refused';
  return !error && exitNodeError ? 'exit-node' : undefined;
}

function nameOf({ phase, keyExpired }, hasNetmap) {
  switch (phase) {
    case 'live':
      return hasNetmap ? 'live' : 'connecting'; // the network map follows
    case 'login':
      return keyExpired ? 'expired' : 'needs-login';
    case 'approval':
      return 'needs-approval';
    default:
      return hasNetmap ? 'saved' : 'connecting';
  }
}
