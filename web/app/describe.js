// The parts of a network map other than its peers, in words: what the page shows in its sections. Made in the worker, so
// that lists of any length reach the page cut to what is read.

import { addresses, nodeName, parseTime, relayName, shortKey, userName } from './format.js';

const most = 100; // entries of a list that reach the page

export function describeNetwork(netmap, index) {
  return {
    domain: netmap.Domain ?? '',
    suffix: (netmap.SelfNode.Name ?? '').replace(/\.$/, '').split('.').slice(1).join('.'),
    self: self(netmap),
    health: health(netmap),
    users: users(netmap, index),
    dns: dns(netmap),
    relays: relays(netmap, index),
    filter: cut((netmap.PacketFilterRules ?? []).map((rule) => filterRule(rule))),
    ssh: cut((netmap.SSHPolicy?.rules ?? []).map((rule) => sshRule(rule, netmap, index))),
  };
}

function cut(list) {
  return { all: list.length, list: list.slice(0, most) };
}

function self(netmap) {
  const node = netmap.SelfNode;
  return {
    name: nodeName(node),
    pairs: [
      ['Name', node.Name?.replace(/\.$/, ''), 'copy'],
      ...addresses(node).map((address) => [address.includes(':') ? 'IPv6' : 'IPv4', address, 'copy']),
      ['User', userName(netmap, node.User)],
      ['Tags', node.Tags],
      ['Tailnet', netmap.Domain],
      ['Home relay', relayName(netmap, node.HomeDERP)],
      ['Node key', shortKey(node.Key), node.Key],
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
  const own = userName(netmap, netmap.SelfNode.User);
  const list = Object.values(netmap.UserProfiles ?? {}).map((user) => {
    const name = user.DisplayName || user.LoginName || `user ${user.ID}`;
    return { name, login: user.LoginName, devices: devices.get(name) ?? 0, self: name === own };
  });
  list.sort((a, b) => b.self - a.self || b.devices - a.devices || a.name.localeCompare(b.name) || (a.login < b.login ? -1 : a.login > b.login ? 1 : 0));
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
  const own = relayName(netmap, netmap.SelfNode.HomeDERP);
  const latency = netmap.SelfNode.Hostinfo?.NetInfo?.DERPLatency ?? {};
  const list = Object.values(netmap.DERPMap?.Regions ?? {}).filter(Boolean).map((region) => {
    const measured = [latency[`${region.RegionID}-v4`], latency[`${region.RegionID}-v6`]].filter((seconds) => seconds > 0);
    return {
      name: region.RegionName,
      code: region.RegionCode,
      servers: region.Nodes?.length ?? 0,
      peers: homes.get(region.RegionName) ?? 0,
      latency: measured.length > 0 ? Math.min(...measured) * 1000 : undefined, // milliseconds
      home: region.RegionName === own,
    };
  });
  list.sort((a, b) => b.home - a.home || b.peers - a.peers || a.name.localeCompare(b.name));
  return cut(list);
}

const protocols = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6', 132: 'SCTP' };

function filterRule(rule) {
  const grants = (rule.CapGrant ?? []).flatMap((grant) => [...(grant.Caps ?? []), ...Object.keys(grant.CapMap ?? {})]);
  return {
    from: some((rule.SrcIPs ?? []).map((source) => (source === '*' ? 'anyone' : source))),
    to: some((rule.DstPorts ?? []).map(({ IP, Ports }) => target(IP, Ports))),
    protocols: (rule.IPProto ?? []).map((number) => protocols[number] ?? `protocol ${number}`).join(', '),
    grants: some(grants),
  };
}

function target(ip, { First, Last }) {
  const host = ip === '*' ? 'anything' : ip.replace(/\/(32|128)$/, '');
  if (First === 0 && Last === 65535) return `${host}, all ports`;
  return `${host}, port ${First === Last ? First : `${First}-${Last}`}`;
}

function sshRule(rule, netmap, index) {
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

// some joins the first few of a list, and tells how many more there are.
function some(list) {
  const few = 4;
  const more = list.length > few ? ` and ${(list.length - few).toLocaleString()} more` : '';
  return list.slice(0, few).join('; ') + more;
}
