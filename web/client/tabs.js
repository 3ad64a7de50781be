// Clients that are started on one database, in all tabs of an origin. One of them, the leader, has the lock of the database and runs the
// program. The others follow it, and use the program through it. They meet on a channel that has the lock's name, where is said
//
//   { leader: 'new' }   another leader was lost, and the program is on its way here
//   { leader: 'runs' }  the program runs
//   { follower, line, controlURL }  to the leader: this follower is reached by this line
//
// A line is a channel of two. A follower has a lock of its own as long as it lives, from which the leader learns when it is gone.

import { expose } from 'comlink';

import { ClientError } from './client-error.js';
import { Ending } from './ending.js';
import { offer, remote } from './remote.js';

const nameOf = (database) => `netmapcache-client ${database}`;

// hold takes a lock. It resolves to what releases it, or to undefined if the lock isn't free and isn't waited for.
function hold(name, options = {}) {
  return new Promise((resolve, reject) => {
    navigator.locks.request(name, options, (lock) => (lock ? new Promise((release) => resolve(release)) : resolve(undefined))).catch(reject);
  });
}

// lead resolves to what gives the lead up, once there is no other leader, or at once to undefined if there is one and it isn't
// waited for. Where there are no locks, each is the only one.
export async function lead(database, options) {
  return navigator.locks ? hold(nameOf(database), options) : () => {};
}

// A Line says nothing more once it is closed, and throws nothing then.
class Line extends BroadcastChannel {
  #open = true;

  postMessage(message) {
    if (this.#open) super.postMessage(message);
  }

  close() {
    this.#open = false;
    super.close();
  }
}

export class Leader {
  #meeting;
  #controlURL;
  #closing = new AbortController();
  #lines = new Map(); // follower -> what closes its line

  constructor({ database, controlURL }) {
    this.#controlURL = controlURL;
    this.#meeting = new Line(nameOf(database));
    this.#meeting.postMessage({ leader: 'new' });
  }

  // open lets followers use the program. greeting returns what a new one is told first.
  open(program, greeting) {
    this.#meeting.onmessage = ({ data }) => data.follower && this.#take(data, program, greeting);
    this.#meeting.postMessage({ leader: 'runs' });
  }

  #take({ follower, line: name, controlURL }, program, greeting) {
    const known = this.#lines.get(follower);
    known?.close();
    const line = new Line(name);
    if (controlURL !== this.#controlURL) {
      line.postMessage({ tell: 'onRefused', value: this.#controlURL });
      line.close();
      return;
    }
    const offered = offer(program);
    expose(offered, line);
    this.#lines.set(follower, {
      line,
      close() {
        offered.endAll();
        line.close();
      },
    });
    line.postMessage({ tell: 'onLeader', value: greeting() });
    if (known) return;
    hold(follower, { signal: this.#closing.signal }).then((release) => {
      release();
      this.#lines.get(follower).close();
      this.#lines.delete(follower);
    }, () => {});
  }

  // tell tells all followers.
  tell(name, value) {
    for (const { line } of this.#lines.values()) line.postMessage({ tell: name, value });
  }

  close() {
    this.#closing.abort();
    for (const line of this.#lines.values()) line.close();
    this.#meeting.close();
  }
}

export class Follower {
  #name = `netmapcache-client follower ${crypto.getRandomValues(new Uint32Array(4)).join('-')}`;
  #meeting;
  #controlURL;
  #listeners;
  #release;
  #lines = 0;
  #hangUp = () => {};

  // A Follower calls onLeader(program, greeting) for each leader that it meets, onLost when that is gone, onRefused with why if it can't
  // follow, and what else its leader tells.
  constructor({ database, controlURL }, listeners) {
    this.#controlURL = controlURL;
    this.#listeners = listeners;
    this.#meeting = new Line(nameOf(database));
    this.#release = hold(this.#name);
    this.#release.then(() => {
      this.#call();
      this.#meeting.onmessage = ({ data: { leader } }) => {
        if (!leader) return;
        this.#hangUp();
        listeners.onLost();
        if (leader === 'runs') this.#call();
      };
    });
  }

  #call() {
    const line = new Line(`${this.#name} ${++this.#lines}`);
    const ending = new Ending();
    const program = remote(line, ending);
    this.#hangUp = () => {
      ending.end(new ClientError('closed', 'the client that this one followed has ended'));
      line.close();
    };
    line.addEventListener('message', ({ data: { tell, value } }) => {
      if (tell === 'onLeader') this.#listeners.onLeader(program, value);
      else if (tell === 'onRefused') this.#listeners.onRefused(new ClientError('in-use', `another client runs on this database, with ${value}`));
      else this.#listeners[tell]?.(value);
    });
    this.#meeting.postMessage({ follower: this.#name, line: `${this.#name} ${this.#lines}`, controlURL: this.#controlURL });
  }

  async close() {
    const release = await this.#release;
    this.#hangUp();
    this.#meeting.close();
    release();
  }
}
