// The packet filter in words. Control tells each device only what others may reach on it: what this device may reach on others is
// theirs to know.

import { addresses } from './format.js';

const protocols = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6', 132: 'SCTP' };
const most = 4; // of a list in one cell

/** filterRule puts a rule into words, with names for addresses: names is from address to the name of the device that has it. */
export function filterRule(rule, names) {
  const grants = grantsOf(rule);
  return {
    from: some(distinct((rule.SrcIPs ?? []).map((source) => sourceName(source, names)))),
    to: some(distinct((rule.DstPorts ?? []).map(({ IP, Ports }) => `${targetName(IP, names)}, ${portsName(Ports)}`))),
    protocols: protocolsName(rule),
    grants: some(grants),
  };
}

/** accessOf returns what of this device a node may reach, as a list of texts. */
export function accessOf(netmap, node) {
  const own = addresses(node).map(numberOf);
  const here = addresses(netmap.SelfNode).map(numberOf);
  const covers = (ranges, list) => ranges.some((range) => list.some((address) => contains(range, address)));
  const found = new Set();
  for (const rule of netmap.PacketFilterRules ?? []) {
    if (!covers(rule.SrcIPs ?? [], own)) continue;
    for (const { IP, Ports } of rule.DstPorts ?? []) {
      if (covers([IP], here)) found.add(`${portsName(Ports)}${protocolsName(rule) && ` by ${protocolsName(rule)}`}`);
      else found.add(`${targetName(IP, new Map())}, ${portsName(Ports)}, through this device`);
    }
    for (const grant of grantsOf(rule)) found.add(`capability ${grant}`);
  }
  return found.size > 0 ? [...found] : ['nothing'];
}

const distinct = (list) => [...new Set(list)]; // a device has several addresses
const grantsOf = (rule) => (rule.CapGrant ?? []).flatMap((grant) => [...(grant.Caps ?? []), ...Object.keys(grant.CapMap ?? {})]);
const protocolsName = (rule) => (rule.IPProto ?? []).map((number) => protocols[number] ?? `protocol ${number}`).join(', ');
const withoutLength = (prefix) => prefix.replace(/\/(32|128)$/, '');

function sourceName(source, names) {
  if (source === '*') return 'anyone';
  if (source.startsWith('cap:')) return `devices with ${source.slice(4)}`;
  if (source === '100.64.0.0/10' || source === 'fd7a:115c:a1e0::/48') return 'any device of the network';
  const address = withoutLength(source);
  return names.get(address) ?? address;
}

function targetName(ip, names) {
  if (ip === '*') return 'anything';
  const address = withoutLength(ip);
  return names.get(address) ?? address;
}

function portsName({ First, Last }) {
  if (First === 0 && Last === 65535) return 'all ports';
  return `port ${First === Last ? First : `${First}-${Last}`}`;
}

// contains reports whether an address is in '*', an address, a prefix or a range of two addresses. Addresses are pairs of
// number and bits.
function contains(range, [address, bits]) {
  if (range === '*') return true;
  const [from, to] = range.split('-');
  const [ip, length] = from.split('/');
  const [first, size] = numberOf(ip);
  if (size !== bits || first === undefined || address === undefined) return false;
  if (to) return first <= address && address <= numberOf(to)[0];
  const rest = BigInt(size - Number(length ?? size));
  return first >> rest === address >> rest;
}

// numberOf returns an address as a number, and of how many bits; undefined if it is none.
function numberOf(address) {
  if (!address.includes(':')) {
    const parts = address.split('.').map(Number);
    return [parts.length === 4 && parts.every((part) => part >= 0 && part < 256) ? parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) : undefined, 32];
  }
  const [head, tail] = address.split('::').map((half) => half.split(':').filter(Boolean));
  const groups = tail ? [...head, ...Array(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail] : head;
  return [groups.length === 8 && groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) ? groups.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n) : undefined, 128];
}

// some joins the first few of a list, and tells how many more there are.
export function some(list) {
  const more = list.length > most ? ` and ${(list.length - most).toLocaleString()} more` : '';
  return list.slice(0, most).join('; ') + more;
}
