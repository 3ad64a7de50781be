// When control was heard last. A connection that has ended without a word looks like one on which nothing happens: so control is
// asked for a sign of life after a while of silence, and at once if the browser says that the network is gone or back.

export const silence = 20_000; // milliseconds

export class Contact {
  at = 0; // when control was heard last, in milliseconds since 1970
  quiet = false; // it should have been heard since

  #probe;
  #changed;
  #now;
  #asking = false;

  // A Contact asks control by probe, which resolves if it is there, and calls changed whenever at or quiet are new.
  constructor(probe, changed, now = Date.now) {
    this.#probe = probe;
    this.#changed = changed;
    this.#now = now;
  }

  heard() {
    this.#set(this.#now(), false);
  }

  // doubt notes that the browser has lost its network.
  doubt() {
    this.#set(this.at, true);
  }

  // look asks control if it has been silent for long, or now if that is wanted. It is called every few seconds.
  async look(now = false) {
    if (this.#asking || (!now && !this.quiet && this.#now() - this.at < silence)) return;
    this.#asking = true;
    try {
      await this.#probe();
      this.heard();
    } catch {
      this.doubt();
    } finally {
      this.#asking = false;
    }
  }

  #set(at, quiet) {
    this.at = at;
    this.quiet = quiet;
    this.#changed({ at, quiet });
  }
}
