// What the address tells of what is shown, after its #, which no server gets to see: view, peer, search and filters, sort and grouping.
// Back and forward go through views and peers; a reload and a bookmark keep all of it.

const defaults = { view: 'peers', peer: '', q: '', status: '', system: '', tag: '', owner: '', relay: '', badge: '', sort: 'name', by: 'relay' };
export const filters = ['status', 'system', 'tag', 'owner', 'relay', 'badge'];
const steps = ['view', 'peer']; // changes of these are steps that Back takes back

/** What is shown: each field of the address, or what it is by default. @type {import('./types').Route} */
export let route = read();
const listeners = [];

function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  return /** @type {any} */ (Object.fromEntries(Object.entries(defaults).map(([field, value]) => [field, given.get(field) ?? value])));
}

// onRoute has a function called with what is shown, and what was before, whenever that changes.
export function onRoute(listener) {
  listeners.push(listener);
}

/** go changes some of what is shown. @param {Partial<import('./types').Route>} change */
export function go(change) {
  const next = { ...route, ...change };
  if (Object.keys(defaults).every((field) => next[field] === route[field])) return;
  const told = Object.entries(next).filter(([field, value]) => value !== defaults[field]);
  const url = told.length > 0 ? `#${new URLSearchParams(told)}` : location.pathname + location.search;
  const isStep = steps.some((field) => next[field] !== route[field]);
  try {
    history[isStep ? 'pushState' : 'replaceState'](undefined, '', url);
  } catch {
    // Some browsers take no more than a hundred in half a minute: then the address lags behind.
  }
  follow(next);
}

// filterBy is what the address is to be for the peers that have a value in a field.
export const filterBy = (field, value) => ({ view: 'peers', peer: '', q: '', ...Object.fromEntries(filters.map((name) => [name, ''])), [field]: value });

function follow(next) {
  const before = route;
  route = next;
  for (const listener of listeners) listener(route, before);
}

addEventListener('popstate', () => follow(read()));

// Links to an address of this kind keep what they don't name: a view alone keeps the search, a filter replaces the others.
addEventListener('click', (event) => {
  const link = /** @type {Element} */ (event.target).closest?.('a[href^="#"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.classList.contains('skip')) {
    go({ view: 'peers' });
    /** @type {HTMLElement} */ (document.querySelector(link.getAttribute('href'))).focus();
    return;
  }
  const given = Object.fromEntries(new URLSearchParams(link.getAttribute('href').slice(1)));
  const field = filters.find((name) => name in given);
  go(field ? filterBy(field, given[field]) : { peer: '', ...given });
});
