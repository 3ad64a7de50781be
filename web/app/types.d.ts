// What passes between the client's program, the two workers and the page.

/** What the client says of itself: stateValue of client/cmd/client. Times are in milliseconds since 1970, 0 for none. */
export interface State {
  phase: 'connecting' | 'login' | 'approval' | 'live' | 'waiting';
  since: number;
  loginURL: string;
  error: string;
  refused: boolean;
  exitNodeError: string;
  backend: string;
  nodeKey: string;
  keyExpired: number;
  fullMaps: number;
  deltas: number;
  saved: boolean;
  savedAt: number;
  saveError: string;
  cacheError: string;
}

/** A step of the client's start, and when, in milliseconds since 1970. */
export interface Step {
  name: string;
  at: number;
}

export interface Problem {
  code?: string;
  message: string;
}

/** What the network worker tells the page, whenever any of it changes. */
export interface Told {
  info: import('../cache/netmapcache.js').Info;
  problems: { [where: string]: Problem };
  state: State;
  contact: { at: number; quiet: boolean };
  elsewhere: { live: boolean; heardAt: number; at: number };
  wanted: boolean;
  waiting: boolean;
  signingIn: boolean;
  forgotten: boolean;
  loading: { received?: number; total?: number };
  heard: number;
  keepKeys: boolean;
  events: Step[];
}

/** A list of which at most some entries have come along. */
export interface Cut<T> {
  all: number;
  list: T[];
}

/** [term, value, hint], see pairs in templates.js. */
export type Pair = [string, any, any?];

/** What describe.js makes of a network map. */
export interface Network {
  domain: string;
  suffix: string;
  self: { name: string; address: string; pairs: Pair[] };
  health: { title: string; text: string; severity: string; action?: { url: string; label: string } }[];
  users: Cut<{ id: string; name: string; login: string; devices: number; self: boolean }>;
  dns: { pairs: Pair[]; routes: Cut<string[]>; records: Cut<string[]> };
  relays: Cut<{ id: string; name: string; code: string; servers: number; peers: number; latency?: number; home: boolean }>;
  filter: Cut<{ from: string; to: string; protocols: string; grants: string }>;
  ssh: Cut<{ accept: boolean; who: string; as: string; extras: string[] }>;
}

export interface Totals {
  peers: number;
  rows: number;
  matching: number;
  online?: number;
  moved: number;
}

/** What the model worker tells the page; heard alone if nothing else has changed. */
export interface Update extends Partial<Totals> {
  heard: number;
  live?: boolean;
  shown?: Network;
  complete?: boolean;
  changes?: Changes;
  choices?: { [field: string]: Cut<[value: string, count: number, label: string]> };
}

export interface Changes {
  since?: number;
  added: Cut<ChangedPeer>;
  removed: Cut<ChangedPeer>;
  changed: Cut<ChangedPeer>;
  restless: number;
}

export interface ChangedPeer {
  id: string;
  name: string;
  what?: string[];
}

/** What is shown. */
export interface Shown {
  started: boolean;
  network?: Network;
  live?: boolean;
  complete?: boolean;
  heard?: number;
  changes?: Changes;
}

export interface Knowledge {
  phase: 'starting' | 'live' | 'following' | 'resumed' | 'offline' | 'login' | 'approval' | 'expired' | 'forgotten' | 'empty';
  why?: 'lost' | 'unreached' | 'silent' | 'off';
  source: 'control' | 'saved' | 'none';
  current: boolean;
  heardAt: number | undefined;
}

/** What the address tells. */
export interface Route {
  view: string;
  peer: string;
  q: string;
  status: string;
  system: string;
  tag: string;
  owner: string;
  relay: string;
  badge: string;
  sort: string;
  by: string;
}

export interface Names {
  user(id: string | number): string;
  relay(id: string | number): string;
}

/** A row of the table, as the page gets it. */
export interface Row {
  id: string;
  name: string;
  address: string;
  tag: string[];
  owner: string;
  holder: string;
  system: string;
  relay: string;
  relayName: string;
  status: 'online' | 'offline' | 'expired' | 'gone';
  seen?: number;
  badges: string[];
}

/** What describe-peer.js makes of a node. */
export interface Peer {
  id: string;
  name: string;
  fullName: string;
  address: string;
  web: string;
  status: Row['status'];
  seen?: number;
  badges: string[];
  groups: [title: string, pairs: Pair[]][];
}

/** The calls that the page makes of the model worker. */
export interface ModelWorker {
  start(port: MessagePort, listener: (update: Update) => void): Promise<void>;
  find(question: object): Promise<Totals>;
  hold(held: boolean): Promise<Totals>;
  rows(from: number, to: number): Promise<Row[]>;
  position(id: string): Promise<number>;
  peer(id: string): Promise<Peer | undefined>;
  peerJSON(id: string): Promise<string | undefined>;
  list(kind: string): Promise<Blob>;
  lookUp(name: string): Promise<string[]>;
  relayName(id: number): Promise<string>;
  setCanvas(canvas: OffscreenCanvas): Promise<void>;
  setTheme(theme: object): Promise<void>;
  setView(view: object): Promise<void>;
  groupBy(by: string): Promise<void>;
  extent(): Promise<{ box: Box; groups: Group[] }>;
  whereIs(id: string): Promise<{ x: number; y: number } | undefined>;
  pick(x: number, y: number): Promise<Picked | undefined>;
  hover(id?: string): Promise<void>;
  select(id?: string): Promise<void>;
}

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Group {
  key: string;
  label: string;
  x: number;
  y: number;
  r: number;
  peers: number;
  online: number;
}

/** A peer, which has an ID and a status, or a group, with the circle that it is; and what to say of it, in lines. */
export interface Picked {
  text: string[];
  id: string;
  status: Row['status'];
  peers: number;
  online: number;
  group: string;
  x: number;
  y: number;
  r: number;
}

/** The calls that the page makes of the network worker. */
export interface NetworkWorker {
  start(port: MessagePort, listener: (told: Told) => void, forgotten: boolean): Promise<void>;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  shown(): Promise<void>; // the first peers are on the screen
  retry(): Promise<void>;
  doubt(): Promise<void>;
  login(): Promise<void>;
  forget(): Promise<void>;
  snapshot(kind: 'netmap' | 'json'): Promise<Blob>;
  fetch(url: string, id: number): Promise<Answer>;
  ping(host: string, id: number): Promise<Pong>;
  cancel(id: number): Promise<void>;
}

/** How a peer has answered a ping: Pong of client/internal/node, with the latency in milliseconds. */
export interface Pong {
  latency: number;
  relay: number;
  peerRelay: string;
  endpoint: string;
}

/** What a peer has answered. */
export interface Answer {
  status: number;
  url: string;
  headers: [string, string][];
  body: Uint8Array;
}
