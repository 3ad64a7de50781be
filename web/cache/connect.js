// Connects to a worker that imports worker.js.

import { closedError, NetmapCacheError } from './error.js';

const patience = 10_000; // milliseconds until a worker has to answer
const pause = 250; // until it is asked again: one that imports worker.js late doesn't hear the first time

const workerError = (message, cause) => new NetmapCacheError('worker', message, cause && { cause });

// A Connection is one to a worker that is given, or with true to one of the module's own.
export class Connection {
  #own;
  #worker;
  #port;
  #ended = new AbortController();

  // ready is fulfilled when the worker answers, and rejected if it can't be made, fails or doesn't answer.
  ready;

  constructor(where) {
    this.#own = where === true;
    this.ready = this.#connect(where);
    this.ready.catch(() => {}); // who waits for it is told
  }

  async #connect(where) {
    let onError;
    let asking;
    let limit;
    try {
      this.#worker = this.#own ? new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }) : where;
      const [port, lock] = await new Promise((resolve, reject) => {
        const ask = () => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = ({ data }) => resolve([port1, data]);
          this.#worker.postMessage({ netmapcache: 'connect' }, [port2]);
        };
        onError = (event) => reject(workerError(event.message || 'the worker could not be loaded'));
        this.#worker.addEventListener('error', onError);
        this.#ended.signal.addEventListener('abort', () => reject(closedError()));
        limit = setTimeout(() => reject(workerError("the worker doesn't answer: it has to import 'netmapcache/worker'")), patience);
        asking = setInterval(ask, pause);
        ask();
      });
      this.#port = port;
      return lock;
    } catch (cause) {
      throw cause instanceof NetmapCacheError ? cause : workerError(`the worker can't be used: ${cause.message}`, cause);
    } finally {
      clearInterval(asking);
      clearTimeout(limit);
      this.#worker?.removeEventListener('error', onError);
    }
  }

  // start runs the Go program in the worker, and returns its functions. Host is what the program calls; its end is
  // called too when the worker is gone.
  async start(module, host) {
    const lock = await this.ready;
    // The worker holds it as long as it lives. That is the only sign that browsers give.
    if (lock) {
      navigator.locks.request(lock, { signal: this.#ended.signal }, () => host.end('the worker was ended')).catch(() => {});
    }
    return new Promise((resolve, reject) => {
      const send = (name) => (...args) => this.#port.postMessage([name, ...args]);
      const calls = {
        ...host,
        ready: () => resolve({ call: send('call'), cancel: send('cancel') }),
        failed: (message, cause) => reject(new Error(message, { cause })),
      };
      this.#port.onmessage = ({ data: [name, ...args] }) => calls[name](...args);
      this.#port.postMessage(['start', module]);
    });
  }

  // stop ends the connection, and a worker of the module's own.
  stop() {
    this.#ended.abort();
    this.#port?.close();
    if (this.#own) this.#worker?.terminate();
  }
}
