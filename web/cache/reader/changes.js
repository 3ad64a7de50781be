// Tells other caches of a database of changes, and hears of theirs: as package store/idbstore of Go does.

export class Changes {
  #channel; // none in a browser without BroadcastChannel

  // A Changes calls heard when another cache has changed the database, be it here, in another page or in a worker.
  constructor(database, heard) {
    if (typeof BroadcastChannel !== 'function') return;
    this.#channel = new BroadcastChannel(`netmapcache/idbstore/${database}`);
    this.#channel.onmessage = heard;
  }

  post() {
    this.#channel?.postMessage(null);
  }

  close() {
    this.#channel?.close();
    this.#channel = undefined;
  }
}
