// A node of a tailnet in the browser.

import { ClientError } from './client-error.js';
import { abortable } from './ending.js';
import { fetchBy } from './fetch.js';
import { Netmap } from './netmap.js';
import { start as startProgram } from './start.js';
import { stateOf } from './state.js';
import { duplex } from './streams.js';
import { Follower, Leader, lead } from './tabs.js';

export { ClientError };

const optionTypes = {
  database: 'string', controlURL: 'string', hostname: 'string', authKey: 'string', ephemeral: 'boolean', acceptRoutes: 'boolean', acceptDNS: 'boolean', exitNode: 'string',
  maxAge: 'number', worker: 'boolean', wasm: 'object', signal: 'object', verbose: 'boolean', onProgress: 'function',
};
const required = ['database', 'controlURL', 'hostname'];

// startClient starts a client. It resolves when the program runs, here or in another tab, whatever the state of the network.
export async function startClient(options) {
  check(options ?? {});
  const { signal, ...rest } = options;
  signal?.throwIfAborted();
  const client = new Client(rest);
  await abortable(client[start](), signal, () => client.close());
  return client;
}

function check(options) {
  for (const name of required) if (typeof options[name] !== 'string' || !options[name]) throw invalid(`the option ${name} is missing`);
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

const start = Symbol('start');

// A Client is made by startClient. Either it leads, and runs the program, or it follows the client that does, until it is its turn.
export class Client extends EventTarget {
  #options;
  #leaving = new AbortController();
  #leading; // a promise that is fulfilled when the program that ran here has ended
  #leader;
  #follower;
  #here; // the program, if it runs for this client
  #program; // a promise of the program, wherever it runs, and what settles that
  #settle;
  #netmap = new Netmap();
  #said = { phase: 'connecting', since: Date.now(), fullMaps: 0, deltas: 0 };
  #state = Object.freeze({ name: 'starting', since: new Date(), error: undefined, code: undefined, loginURL: undefined, following: false });
  #asking = false;
  #askAgain = false;

  constructor(options) {
    super();
    this.#options = { ...options, controlURL: new URL(options.controlURL).href }; // which clients compare
    this.#await();
  }

  get state() {
    return this.#state;
  }

  get netmap() {
    return this.#netmap.whole();
  }

  peers({ search = '', sort = 'ID', offset = 0, limit = 100 } = {}) {
    if (!['ID', 'name'].includes(sort)) throw invalid(`peers: sort can't be ${sort}`);
    return this.#netmap.find({ search, sort, offset, limit });
  }

  async [start]() {
    const { database } = this.#options;
    const release = await lead(database, { ifAvailable: true });
    if (release) {
      this.#leading = this.#lead(release);
    } else {
      this.#follow();
      lead(database, { signal: this.#leaving.signal }).then((release) => (this.#leading = this.#lead(release)), () => {}); // it ends before its turn
    }
    await this.#program;
  }

  // #lead runs the program until it ends.
  async #lead(release) {
    const { signal } = this.#leaving;
    let problem;
    try {
      await this.#follower?.close();
      signal.throwIfAborted();
      this.#leader = new Leader(this.#options);
      if (this.#follower) this.#lost(false);
      const program = await startProgram({ ...this.#options, signal }, {
        onState: (said) => {
          this.#leader.tell('onState', said);
          if (said.fullMaps !== this.#said.fullMaps || said.deltas !== this.#said.deltas) this.#ask();
          this.#heard(said);
        },
        onEvent: ({ name }) => name === 'restored' && this.#ask(),
      });
      this.#here = program;
      signal.addEventListener('abort', () => program.stop());
      this.#ask();
      this.#leader.open(program, () => ({ said: this.#said, news: this.#netmap.all() }));
      this.#settle.resolve(program);
      await program.ended;
    } catch (error) {
      if (!signal.aborted) problem = error;
    }
    this.#here = undefined;
    this.#leader?.close();
    release();
    this.#end(problem);
  }

  #follow() {
    this.#become({ ...this.#state, following: true });
    this.#follower = new Follower(this.#options, {
      onLeader: (program, { said, news }) => {
        if (news) this.#take(news);
        this.#heard(said);
        this.#settle.resolve(program);
      },
      onState: (said) => this.#heard(said),
      onNews: (news) => this.#take(news),
      onLost: () => this.#lost(true),
      onRefused: (error) => this.#end(error),
    });
  }

  // #lost has what is asked from now on wait for the next leader.
  #lost(following) {
    if (this.#state.name === 'stopped') return;
    this.#await();
    this.#become({ name: 'starting', since: new Date(), error: undefined, code: undefined, loginURL: undefined, following });
  }

  #await() {
    const waited = this.#settle;
    this.#program = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.#program.catch(() => {}); // who needs it is told
    waited?.resolve(this.#program);
  }

  #heard(said) {
    const { loginURL } = this.#state;
    this.#said = said;
    this.#become(this.#now());
    if (said.loginURL && said.loginURL !== loginURL) this.dispatchEvent(Object.assign(new Event('login'), { url: said.loginURL }));
  }

  #now() {
    return { ...stateOf(this.#said, this.#netmap.known), following: this.#state.following };
  }

  #become(state) {
    const before = this.#state;
    if (before.name === 'stopped' || ['name', 'error', 'code', 'loginURL', 'following'].every((field) => before[field] === state[field])) return;
    this.#state = Object.freeze(state);
    this.dispatchEvent(new Event('statechange'));
  }

  // #ask asks for what is new in the network map, once at a time.
  async #ask() {
    this.#askAgain = true;
    if (this.#asking) return;
    this.#asking = true;
    while (this.#askAgain && this.#here) {
      this.#askAgain = false;
      let text;
      try {
        text = await this.#here.news(false);
      } catch {
        // It has ended, as #lead learns.
      }
      if (!text) continue;
      const news = JSON.parse(text);
      this.#leader.tell('onNews', news);
      this.#take(news);
    }
    this.#asking = false;
  }

  #take(news) {
    this.#netmap.take(news);
    this.#become(this.#now());
    this.dispatchEvent(new Event('netmapchange'));
  }

  #end(error) {
    if (this.#state.name === 'stopped') return;
    this.#leaving.abort();
    this.#follower?.close();
    this.#become({ name: 'stopped', since: new Date(), error: error?.message, code: undefined, loginURL: undefined, following: false });
    const closed = new ClientError('closed', 'the client has ended');
    this.#settle.reject(error ?? closed);
    this.#await();
    this.#settle.reject(closed);
  }

  // #use returns the program, wherever it runs, once it does.
  #use(signal) {
    return abortable(this.#program, signal);
  }

  // #tell tells the program something that has no answer.
  #tell(name) {
    if (this.#state.name === 'stopped') throw new ClientError('closed', 'the client has ended');
    this.#program.then((program) => program[name](), () => {});
  }

  async fetch(input, init) {
    return fetchBy(async (request, options) => (await this.#use(options.signal)).request(request, options), input, init);
  }

  async connect({ host, port, signal }) {
    if (typeof host !== 'string' || !host) throw invalid('connect: the host is missing');
    if (!Number.isInteger(port) || port < 1 || port > 65535) throw invalid(`connect: ${port} is no port`);
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    return duplex(await (await this.#use(signal)).connect(address, { signal }));
  }

  async ping(host, { signal } = {}) {
    return (await this.#use(signal)).ping(host, { signal });
  }

  login() {
    this.#tell('login');
  }

  retry() {
    this.#tell('retry');
  }

  async logout() {
    await (await this.#program).logout();
  }

  async close() {
    this.#leaving.abort();
    await this.#leading;
    this.#end();
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.close();
  }
}
