// The parts of a network map other than its peers, in words: what the page shows in its sections. Made in the worker, so
// that lists of any length reach the page cut to what is read.

import { filterRule, some } from './access.js';
import { addresses, nodeName, parseTime, shortKey } from './format.js';
import { visible } from './names.js';

const most = 100; // entries of a list that reach the page

export function describeNetwork(netmap, index) {
  return {
    domain: netmap.Domain ?? '',
    suffix: (netmap.SelfNode.Name ?? '').replace(/\.$/, '').split('.').slice(1).join('.'),
    self: self(netmap, index.names),
    health: health(netmap),
    users: users(netmap, index),
    dns: dns(netmap),
    relays: relays(netmap, index),
    filter: cutRules(netmap, index),
    ssh: cut((netmap.SSHPolicy?.rules ?? []).map((rule) => sshRule(rule, index))),
  };
}

function cut(list) {
  return { all: list.length, list: list.slice(0, most) };
}

// cutRules puts those rules into words that are shown.
function cutRules(netmap, index) {
  const rules = netmap.PacketFilterRules ?? [];
  const names = new Map();
  for (const { node, name } of index.rows) for (const address of addresses(node)) names.set(address, name);
  for (const address of addresses(netmap.SelfNode)) names.set(address, 'this device');
  return { all: rules.length, list: rules.slice(0, most).map((rule) => filterRule(rule, names)) };
}

function self(netmap, names) {
  const node = netmap.SelfNode;
  return {
    name: visible(nodeName(node)) || node.StableID,
    address: addresses(node)[0] ?? '',
    pairs: [
      ['Name', node.Name?.replace(/\.$/, ''), 'copy'],
      ...addresses(node).map((address) => [address.includes(':') ? 'IPv6' : 'IPv4', address, 'copy']),
      ['User', names.user(node.User)],
      ['Tags', node.Tags],
      ['Tailnet', netmap.Domain],
      ['Home relay', names.relay(node.HomeDERP)],
      ['Node key', shortKey(node.Key), { copy: node.Key }],
      ['Key expires', parseTime(node.KeyExpiry), 'time'],
      ['Network lock', netmap.TKAEnabled ? 'on' : 'off'],
    ],
  };
}

function health(netmap) {
  const order = ['high', 'medium', 'low'];
  return Object.values(netmap.DisplayMessages ?? {})
    .map((message) => ({
      title: message.Title,
      text: message.Text,
      severity: order.includes(message.Severity) ? message.Severity : 'medium',
      action: /^https?:/.test(message.PrimaryAction?.URL ?? '') ? { url: message.PrimaryAction.URL, label: message.PrimaryAction.Label } : undefined,
    }))
    .sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

function users(netmap, index) {
  const devices = index.counts('owner');
  const own = String(netmap.SelfNode.User);
  const list = Object.entries(netmap.UserProfiles ?? {}).map(([id, user]) =>
    ({ id, name: index.names.user(id), login: visible(user.LoginName), devices: devices.get(id) ?? 0, self: id === own }));
  list.sort((a, b) => Number(b.self) - Number(a.self) || b.devices - a.devices || a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1));
  return cut(list);
}

function dns(netmap) {
  const config = netmap.DNS ?? {};
  const addrs = (resolvers) => (resolvers ?? []).map(({ Addr }) => Addr);
  return {
    pairs: [
      ['MagicDNS', config.Proxied ? 'on' : 'off'],
      ['Search domains', config.Domains],
      ['Resolvers', addrs(config.Resolvers)],
      ['Fallback', addrs(config.FallbackResolvers)],
      ['Certificates for', config.CertDomains],
    ],
    routes: cut(Object.entries(config.Routes ?? {}).map(([domain, resolvers]) => [domain, addrs(resolvers).join(', ') || 'answered by this device'])),
    records: cut((config.ExtraRecords ?? []).map(({ Name, Type, Value }) => [Name, Type || 'A', Value])),
  };
}

function relays(netmap, index) {
  const homes = index.counts('relay');
  const latency = netmap.SelfNode.Hostinfo?.NetInfo?.DERPLatency ?? {};
  const list = Object.entries(netmap.DERPMap?.Regions ?? {}).filter(([, region]) => region).map(([id, region]) => {
    const measured = [latency[`${region.RegionID}-v4`], latency[`${region.RegionID}-v6`]].filter((seconds) => seconds > 0);
    return {
      id,
      name: index.names.relay(id),
      code: region.RegionCode,
      servers: region.Nodes?.length ?? 0,
      peers: homes.get(id) ?? 0,
      latency: measured.length > 0 ? Math.min(...measured) * 1000 : undefined, // milliseconds
      home: id === String(netmap.SelfNode.HomeDERP),
    };
  });
  list.sort((a, b) => Number(b.home) - Number(a.home) || b.peers - a.peers || a.name.localeCompare(b.name));
  return cut(list);
}

function sshRule(rule, index) {
  const who = (rule.principals ?? []).map((principal) => {
    if (principal.any) return 'anyone';
    return principal.userLogin || principal.nodeIP || index.byID.get(principal.node)?.name || principal.node;
  });
  const action = rule.action ?? {};
  const accept = Boolean(action.accept);
  const as = Object.entries(rule.sshUsers ?? {}).map(([user, local]) => {
    if (local === '' && accept) return `not ${user === '*' ? 'anybody else' : user}`;
    return user === '*' ? 'any user' : local === '' || local === '=' || local === user ? user : `${user} as ${local}`;
  });
  const extras = [
    action.recorders?.length && 'recorded',
    action.holdAndDelegate && 'checked by the control plane first',
    action.sessionDuration > 0 && `for at most ${Math.round(action.sessionDuration / 3600e9)} hours`,
    parseTime(rule.ruleExpires) < Date.now() && 'expired',
  ].filter(Boolean);
  return { accept, who: some(who), as: some(as), extras };
}
