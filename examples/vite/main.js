import { openCache } from 'netmapcache';

const state = document.querySelector('#state');
const search = document.querySelector('#search');
const list = document.querySelector('#peers');

const cache = await openCache({ database: 'network' });
let showing; // an AbortController while something is being shown

async function show() {
  showing?.abort();
  showing = new AbortController();
  const { signal } = showing;
  try {
    const [{ Domain }, { confirmedAt }, { total, peers }] = await Promise.all([
      cache.load({ peers: false, signal }),
      cache.info({ signal }),
      cache.peers({ search: search.value, limit: 50, signal }),
    ]);
    state.textContent = `${Domain}, as of ${confirmedAt.toLocaleString()}: ${total} peers`;
    list.replaceChildren(...peers.map((peer) => {
      const item = document.createElement('li');
      item.textContent = `${peer.Name} ${peer.Addresses?.join(' ')}`;
      return item;
    }));
  } catch (err) {
    if (signal.aborted) return;
    state.textContent = err.code === 'not-available' ? 'No network is known yet' : err.message;
    list.replaceChildren();
  }
}

search.addEventListener('input', show);
cache.subscribe(show); // another tab, or the client, changed it
await show();
