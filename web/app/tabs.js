// What tabs tell each other: { kind, database }. Others that use the channel, or another database, aren't meant.
//
//   who     asks the tab that runs the client for its phase
//   phase   of that tab: live is whether it follows control, heardAt when it heard it last
//   ask     that tab is to ask a peer, by a command of the client: id, how, what
//   give up that tab need not go on, id
//   answer  of a peer, to the tab that asked: id, and answer or problem
//   forget  the network is being forgotten
//   left    the tab that ran the client has ended it for that; problem tells why control doesn't know, if it doesn't

import { options } from './known.js';

const channel = new BroadcastChannel('network-page');

export const say = (kind, more = {}) => channel.postMessage({ kind, database: options.database, ...more });

// hear has functions called with what other tabs say, by its kind.
export function hear(kinds) {
  channel.addEventListener('message', ({ data }) => {
    if (data?.database === options.database && Object.hasOwn(kinds, data.kind)) kinds[data.kind](data);
  });
}
