// A node of a tailnet in the browser.

import { ClientError } from './client-error.js';
import { fetchBy } from './fetch.js';
import { Netmap } from './netmap.js';
import { startProgram } from './program.js';
import { stateOf } from './state.js';
import { duplex } from './streams.js';

export { ClientError };

const optionTypes = {
  database: 'string', controlURL: 'string', hostname: 'string', authKey: 'string', ephemeral: 'boolean', acceptRoutes: 'boolean', acceptDNS: 'boolean', exitNode: 'string',
  maxAge: 'number', worker: 'boolean', wasm: 'object', signal: 'object', verbose: 'boolean', onProgress: 'function',
};
const required = ['database', 'controlURL', 'hostname'];

// startClient starts a client. It resolves when the program runs, whatever the state of the network.
export async function startClient(options) {
  check(options);
  const { signal } = options;
  signal?.throwIfAborted();
  const release = await hold(options.database);
  const client = new Client(release);
  try {
    await client[start](options);
  } catch (error) {
    release();
    throw error;
  }
  return client;
}

function check(options) {
  for (const name of required) if (typeof options?.[name] !== 'string' || !options[name]) throw invalid(`the option ${name} is missing`);
  for (const [name, value] of Object.entries(options)) {
    if (!optionTypes[name]) throw invalid(`there is no option ${name}`);
    const type = typeof value;
    if (value !== undefined && type !== optionTypes[name] && !(name === 'wasm' && type === 'string')) throw invalid(`the option ${name} is a ${type}, not a ${optionTypes[name]}`);
  }
  if (!/^https?:$/.test(protocolOf(options.controlURL))) throw invalid('the option controlURL is no URL of http: or https:');
}

function protocolOf(url) {
  try {
    return new URL(url).protocol;
  } catch {
    return '';
  }
}

const invalid = (message) => new ClientError('invalid-argument', message);

// hold takes the lock of a database, which one client of an origin has. It returns what releases it.
async function hold(database) {
  if (!globalThis.navigator?.locks) return () => {};
  return new Promise((resolve, reject) => {
    navigator.locks.request(`netmapcache-client ${database}`, { ifAvailable: true }, (lock) => {
      if (!lock) {
        reject(new ClientError('in-use', `another client runs on the database ${database}, maybe in another tab`));
        return undefined;
      }
      return new Promise((release) => resolve(release));
    }).catch(reject);
  });
}

const start = Symbol('start');

// A Client is made by startClient.
export class Client extends EventTarget {
  #program;
  #release;
  #netmap = new Netmap();
  #said = { phase: 'connecting', since: Date.now(), fullMaps: 0, deltas: 0 };
  #state = Object.freeze({ name: 'starting', since: new Date() });
  #asking;
  #askAgain = false;

  constructor(release) {
    super();
    this.#release = release;
  }

  get state() {
    return this.#state;
  }

  get netmap() {
    return this.#netmap.whole();
  }

  async [start](options) {
    this.#program = await startProgram(options, {
      onState: (said) => this.#heard(said),
      onEvent: ({ name }) => name === 'restored' && this.#news(),
    });
    this.#program.ended.then(() => this.#ended(), (error) => this.#ended(error));
    this.#news();
  }

  #heard(said) {
    const { fullMaps, deltas } = this.#said;
    const { loginURL } = this.#state;
    this.#said = said;
    if (said.fullMaps !== fullMaps || said.deltas !== deltas) this.#news();
    this.#become(stateOf(said, Boolean(this.netmap)));
    if (said.loginURL && said.loginURL !== loginURL) this.dispatchEvent(Object.assign(new Event('login'), { url: said.loginURL }));
  }

  #become(state) {
    const before = this.#state;
    if (before.name === 'stopped' || (before.name === state.name && before.error === state.error && before.loginURL === state.loginURL)) return;
    this.#state = state;
    this.dispatchEvent(new Event('statechange'));
  }

  // #news asks for what is new in the network map, once at a time.
  async #news() {
    this.#askAgain = true;
    if (this.#asking) return;
    this.#asking = true;
    while (this.#askAgain && this.#program) {
      this.#askAgain = false;
      const text = await this.#program.news().catch(() => undefined); // it has ended, which #ended tells
      if (!text) continue;
      this.#netmap.take(text);
      this.#become(stateOf(this.#said, true));
      this.dispatchEvent(new Event('netmapchange'));
    }
    this.#asking = false;
  }

  #ended(error) {
    this.#program = undefined;
    this.#become(Object.freeze({ name: 'stopped', since: new Date(), error: error?.message }));
    this.#release();
  }

  #running() {
    if (!this.#program) throw new ClientError('closed', 'the client has ended');
    return this.#program;
  }

  async fetch(input, init) {
    return fetchBy((request, options) => this.#running().request(request, options), input, init);
  }

  async connect({ host, port, signal }) {
    if (typeof host !== 'string' || !host) throw invalid('connect: the host is missing');
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw invalid(`connect: ${port} is no port`);
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    return duplex(await this.#running().connect(address, { signal }));
  }

  async ping(host, { signal } = {}) {
    return this.#running().ping(host, { signal });
  }

  login() {
    this.#running().login();
  }

  retry() {
    this.#running().retry();
  }

  async logout() {
    await this.#running().logout();
  }

  async close() {
    await this.#program?.stop();
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.close();
  }
}
