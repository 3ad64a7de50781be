// Forgets the network: control is told that this node is no more, all tabs end their connection, and nothing stays saved.

import { removeKeys } from '../client/program.js';
import { alone, disconnect, leave } from './connection.js';
import { cache, handNothing, refresh } from './hand-over.js';
import { changed, known, options, problem } from './known.js';
import { hear, say } from './tabs.js';
import { within } from './within.js';

const leaveTime = 15_000; // milliseconds that another tab has to log out; the client gives up after 10,000

export async function forget() {
  const elsewhere = known.waiting && new Promise((resolve) => (leftElsewhere = resolve));
  say('forget');
  const untold = await (elsewhere ? within(leaveTime, elsewhere, 'the tab that has the connection doesn’t answer') : leave());
  disconnect();
  await alone(async () => {
    await cache?.clear();
    await removeKeys(options.database);
  });
  changed({ info: undefined, forgotten: true });
  problem('logout', untold && { message: untold });
  handNothing();
  refresh(); // one that began before may have had something to show
}

let leftElsewhere = (_problem) => {};

hear({
  left: ({ problem }) => leftElsewhere(problem),
  async forget() {
    if (known.wanted && !known.waiting) say('left', { problem: await leave() });
    disconnect();
    changed({ forgotten: true });
  },
});
