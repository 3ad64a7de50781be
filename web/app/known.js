// What is known of the connection and the storage. The page is told all of it whenever any of it changes.

const oldest = 180 * 24 * 3600_000; // milliseconds; as long as a node's key lasts unless an administrator decides otherwise

export const options = { database: 'network', controlURL: location.origin, hostname: hostname(), maxAge: oldest };

function hostname() {
  return `browser-${navigator.platform.split(' ')[0].toLowerCase() || 'unknown'}`;
}

/** @type {import('./types').Told} */
export const known = {
  info: undefined, // what the cache says of its snapshot
  problems: {}, // by where they come from: { code, message }
  state: undefined, // what the client said last
  contact: { at: 0, quiet: false }, // when control was heard last, and whether it should have been since
  elsewhere: undefined, // what the tab that has the connection said last of its own: { live, heardAt, at }
  wanted: true, // a connection is, from the start
  waiting: false, // another tab has the connection
  signingIn: false, // control is being asked to let this node in again
  forgotten: false, // the network was forgotten, and no connection wanted since
  loading: undefined, // { received, total } while the client's program is on its way
  heard: 0, // how often the client had news
  keepKeys: undefined, // whether this node's keys stay when the page is closed
  events: [], // the steps of the client's start: { name, at }
};

/** @type {(told: import('./types').Told) => void} */
let tell;

// tellBy has the page told of changes from now on.
export function tellBy(listener) {
  tell = listener;
}

export function changed(change = {}) {
  Object.assign(known, change);
  tell(known);
}

// problem notes what is wrong somewhere, or, without an error, that nothing is any more.
export function problem(where, error = undefined) {
  const problems = { ...known.problems };
  if (error) problems[where] = { code: codeOf(error), message: error.message };
  else delete problems[where];
  changed({ problems });
}

// codeOf returns the code of an error, or 'silent' if the browser has a storage but gave no answer: of what it doesn't
// allow it tells why.
function codeOf({ code, cause }) {
  return code === 'unavailable' && !cause && globalThis.indexedDB ? 'silent' : code;
}
