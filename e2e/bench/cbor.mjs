// Measures the reader's own decoder beside cbor-x, in one run of Node.js, for docs/dependencies.md:
//
//   npm install --no-save cbor-x
//   [PEERS=10000] [REPEAT=9] node --expose-gc bench/cbor.mjs
//
// cbor-x is no dependency, since its packages of native code, which aren't used here, can't be had from all registries.
// cbor-x leaves two things to do, which the reader's decoder does as it goes: to tell what isn't in the format, by a pass over the bytes
// (here the reader's check), and to make of its maps of numbers what tailcfg has in JSON. The pass that does that here knows peers alone,
// and of them the fields that nearly all have, so it takes less than the real one would.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { Decoder } from 'cbor-x';

import { base64Text, addrText, hexText, timeText } from '../../web/cache/reader/forms.js';
import { columnKeys, openRoot, Snapshot } from '../../web/cache/reader/snapshot.js';

const { PEERS = '10000', REPEAT = '9' } = process.env;

const { stdout } = spawnSync('go', ['run', './e2e/reader', '-peers', PEERS], { cwd: fileURLToPath(new URL('../..', import.meta.url)), encoding: 'utf8', maxBuffer: 1 << 30 });
const database = Object.fromEntries(Object.entries(JSON.parse(stdout).Values).map(([key, text]) => [key, new Uint8Array(Buffer.from(text, 'base64'))]));
const root = await openRoot(database.self);
const values = columnKeys(database.self).map((key) => database[key]);
const snapshot = await Snapshot.make(database.self, root, values);

const decoder = new Decoder({ mapsAsObjects: true, useRecords: false });
const key = (prefix) => (bytes) => hexText(bytes, 0, 32, prefix);
const prefix = (bytes) => addrText(bytes, 0, bytes.length - 1, undefined, bytes.at(-1));
const addrPort = (bytes) => addrText(bytes, 0, bytes.length - 2, bytes.at(-2) | (bytes.at(-1) << 8));
const time = (value) => (Array.isArray(value) ? timeText(value[0], value[1], value[2] ?? 0) : timeText(value, 0, 0));
const list = (form) => (values) => values?.map(form) ?? null;
const same = (value) => value;
const fields = [
  undefined, ['ID', same], ['StableID', same], ['Name', same], ['User', same], ['Key', key('nodekey:')], ['KeyExpiry', time], ['Machine', key('mkey:')],
  ['DiscoKey', key('discokey:')], ['Addresses', list(prefix)], ['AllowedIPs', list(prefix)], ['Endpoints', list(addrPort)], ['HomeDERP', same], ['Hostinfo', same],
  ['Created', time], ['Cap', same], ['Tags', same], ['LastSeen', time], ['Online', same], ['MachineAuthorized', same], ['CapMap', same], ['ComputedName', same],
  ['ComputedNameWithHost', same], ['PrimaryRoutes', list(prefix)], ['Sharer', same], ['KeySignature', base64Text],
];

function node(map) {
  const v = {};
  for (const n in map) {
    const [name, form] = fields[n] ?? [n, same];
    v[name] = form(map[n]);
  }
  return v;
}

const formed = (column, i) => (root.columns[i].kind === 'peers' ? column.map(node) : column);

const contestants = {
  'own, checked and in tailcfg\'s forms': () => snapshot.decode(),
  'cbor-x alone': () => values.map((value) => decoder.decode(value)),
  'cbor-x and forms of peers': () => values.map((value, i) => formed(decoder.decode(value), i)),
  'cbor-x, forms of peers, and check': async () => {
    await snapshot.check();
    return values.map((value, i) => formed(decoder.decode(value), i));
  },
};

const samples = {};
for (let i = -2; i < Number(REPEAT); i++) {
  for (const [name, run] of Object.entries(contestants)) {
    globalThis.gc?.();
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    if (i >= 0) (samples[name] ??= []).push((user + system) / 1000);
  }
}
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const [own] = Object.values(samples).map(median);
for (const [name, list] of Object.entries(samples)) console.log(`${name}: ${median(list).toFixed(0)} ms of processor time, ${(median(list) / own).toFixed(2)} times our own`);
