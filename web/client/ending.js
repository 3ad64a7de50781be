// What is under way, and what may end it.

// An Ending rejects what is under way when something ends. Unlike a race with one promise, it keeps nothing of what is done.
export class Ending {
  #error;
  #rejects = new Set();

  // end rejects all that is under way, and all that begins later.
  end(error) {
    this.#error ??= error;
    for (const reject of this.#rejects) reject(this.#error);
    this.#rejects.clear();
  }

  // before returns a promise of what promise gives, unless the end comes first.
  before(promise) {
    return new Promise((resolve, reject) => {
      if (this.#error) {
        promise.catch(() => {});
        reject(this.#error);
        return;
      }
      this.#rejects.add(reject);
      promise.then(resolve, reject).finally(() => this.#rejects.delete(reject));
    });
  }
}

// abortable returns a promise of what promise gives, unless a signal is aborted first. Then giveUp is called, and what comes all the
// same is closed.
export function abortable(promise, signal, giveUp) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      giveUp?.();
      reject(signal.reason);
    };
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    promise
      .then((given) => (signal?.aborted ? given?.close?.() : resolve(given)), reject)
      .finally(() => signal?.removeEventListener('abort', abort));
  });
}
