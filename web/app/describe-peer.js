// What the page tells of one node, as groups of pairs: [title, [[term, value, hint]]]. A value may be a list.

import { accessOf } from './access.js';
import { addresses, nodeName, parseTime, shortKey } from './format.js';
import { isExit, routesOf, servicesOf } from './peer-index.js';

export function describe(netmap, index, row) {
  const { node } = row;
  const { names } = index;
  const host = node.Hostinfo ?? {};
  const routes = routesOf(node);
  const services = servicesOf(host);
  const user = (id) => (id ? names.user(id) : '');
  return {
    id: row.id,
    name: row.name,
    fullName: node.Name?.replace(/\.$/, '') || nodeName(node),
    address: row.address,
    web: webAddress(host, node.Name?.replace(/\.$/, '') || row.address),
    status: row.status,
    seen: row.seen,
    badges: row.badges,
    groups: [
      ['Reach it', [
        ['Name', node.Name?.replace(/\.$/, ''), 'copy'],
        ...addresses(node).map((address) => [address.includes(':') ? 'IPv6' : 'IPv4', address, 'copy']),
        ['Services', services],
        ['Home relay', names.relay(row.relay), { relay: row.relay }],
        ['Endpoints', node.Endpoints],
        ['Routes', routes.filter((route) => !isExit(route))],
        ['Exit node', routes.some(isExit) && 'offers to be one'],
      ]],
      ['What it may reach here', [['On this device', accessOf(netmap, node)]]],
      ['Whose it is', [
        ['Owner', user(row.owner), { owner: row.owner }],
        ['Login', row.owner ? netmap.UserProfiles?.[row.owner]?.LoginName : '', 'copy'],
        ['Tags', row.tag, 'tags'],
        ['Shared by', user(node.Sharer)],
        ['Approved', node.MachineAuthorized ? '' : 'not yet'],
        ['Created', parseTime(node.Created), 'time'],
        ['Key expires', parseTime(node.KeyExpiry), 'time'],
      ]],
      ['What it runs', [
        ['System', [host.OS, host.Distro, host.DistroVersion || host.OSVersion].filter(Boolean).join(' ')],
        ['Device', [host.DeviceModel, host.Machine].filter(Boolean).join(', ')],
        ['Client', row.version],
        ['Only WireGuard', node.IsWireGuardOnly && 'yes'],
      ]],
      ['Identity', [
        ['Node key', shortKey(node.Key), { copy: node.Key }],
        ['Stable ID', node.StableID, 'copy'],
        ['SSH host keys', (host.sshHostKeys ?? []).map((key) => key.split(' ')[0])],
        ['Capabilities', Object.keys(node.CapMap ?? {})],
      ]],
    ],
  };
}

// webAddress returns the URL of what a node serves to browsers: on the port that it tells of, or else 80.
function webAddress({ Services }, name) {
  const ports = (Services ?? []).filter(({ Proto }) => Proto === 'tcp').map(({ Port }) => Port);
  const port = [80, 8080, 8000, 3000].find((known) => ports.includes(known)) ?? 80;
  return `http://${name}${port === 80 ? '' : `:${port}`}/`;
}
