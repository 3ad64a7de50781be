// Hands the newest network map to the model worker: what is saved, and the client's once that is live.

import { openCache } from '../cache/netmapcache.js';
import { changed, known, options, problem } from './known.js';
import { within } from './within.js';

const restAfter = 4; // a refresh is followed by a pause this many times as long as it took, and of these milliseconds at least:
const minRest = 200;
const showTime = 1000; // milliseconds that the page has to show the first peers; while it is hidden it shows nothing
const newsRest = 1000; // while the client is followed: what changes all the time can't be read faster, and costs all workers

// The cache is opened before the page asks for anything.
const opening = openCache({ database: options.database, owner: options.controlURL, maxAge: options.maxAge });
opening.catch(() => {}); // startHandOver says so

export let cache; // undefined if there can't be one
let model; // the port of the model worker
/** @type {import('../client/program.js').Program | undefined} */
let client; // that runs
/** @type {() => void} */
export let shown; // tells that the first peers are on the screen
const firstShown = new Promise((resolve) => (shown = () => resolve(undefined)));
let following = false; // the model worker has what the client told last

// startHandOver hands on what is saved, and follows what is saved from then on.
export async function startHandOver(port) {
  model = port;
  try {
    cache = await opening;
    cache.subscribe(refresh);
  } catch (error) {
    problem('cache', error);
  }
  await refresh();
}

// readFrom tells which client runs, if any.
export function readFrom(running) {
  client = running;
}

// refresh hands on the newest network map.
export const refresh = unhurried(async () => {
  const { heard } = known;
  const live = known.state?.fullMaps > 0 && follow({ heard }); // without waiting for the storage
  const info = await loadInfo();
  changed({ info });
  const about = { heard, confirmedAt: info?.confirmedAt.getTime() };
  if (live) {
    if (info && known.state.savedAt) problem('cache'); // whatever was wrong with what was stored is replaced
  } else if (!(await stream(about)) && !(unread() && follow(about))) {
    handNothing(about);
  }
});

// follow hands on what is new in the client's network map, and reports whether there is one.
function follow(about) {
  const news = client?.news(!following);
  if (!news) return false;
  model.postMessage({ news, ...about });
  following = true;
  return true;
}

// stream hands on the saved network map, and reports whether there is one.
async function stream(about) {
  try {
    await cache?.stream(({ netmap, total, peers, users }) => {
      hand({ start: netmap && { ...about, netmap, total, live: false }, peers, users });
      return netmap && within(showTime, firstShown); // the page asks the model worker for what it shows
    });
    if (cache) problem('cache');
    return Boolean(cache);
  } catch (error) {
    problem('cache', error.code === 'not-available' ? undefined : error);
    return false;
  }
}

// handNothing tells the model worker that there is no network map.
export function handNothing(about = { heard: known.heard }) {
  hand({ start: { ...about, total: 0, live: false }, peers: [] });
}

// hand gives the model worker a network map, or a piece of one, that isn't the client's.
function hand(piece) {
  following = false;
  model.postMessage(piece);
}

// unread reports whether there may be a saved network map that the client alone can read.
export const unread = () => !cache || ['silent', 'blocked', 'storage'].includes(known.problems.cache?.code);

async function loadInfo() {
  try {
    return await cache?.info();
  } catch {
    return undefined; // loading says why
  }
}

// unhurried returns a function that runs run, once at a time and with rests, so that something that changes
// all the time, and takes long, leaves room for everything else.
function unhurried(run) {
  let running;
  let again = false;
  const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  return function start() {
    if (running) {
      again = true;
      return running;
    }
    const began = performance.now();
    running = run();
    running
      .then(() => rest(Math.max(following ? newsRest : minRest, restAfter * (performance.now() - began))))
      .then(() => {
        running = undefined;
        if (!again) return;
        again = false;
        start();
      });
    return running;
  };
}
