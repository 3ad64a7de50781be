// What the page tells of one node, as groups of pairs: [title, [[term, value, hint]]]. A value may be a list.

import { addresses, nodeName, parseTime, relayName, shortKey, userName } from './format.js';

export function describe(netmap, node) {
  const host = node.Hostinfo ?? {};
  const routes = (node.AllowedIPs ?? []).filter((prefix) => !node.Addresses?.includes(prefix));
  const exit = routes.includes('0.0.0.0/0') || routes.includes('::/0');
  return {
    id: node.StableID,
    name: nodeName(node),
    online: Boolean(node.Online),
    expired: Boolean(node.Expired),
    seen: node.Online ? undefined : parseTime(node.LastSeen),
    groups: [
      ['Reach it', [
        ['Name', node.Name?.replace(/\.$/, ''), 'copy'],
        ...addresses(node).map((address) => [address.includes(':') ? 'IPv6' : 'IPv4', address, 'copy']),
        ['Home relay', relayName(netmap, node.HomeDERP)],
        ['Endpoints', node.Endpoints],
        ['Routes', routes.filter((route) => route !== '0.0.0.0/0' && route !== '::/0')],
        ['Exit node', exit && 'offers to be one'],
      ]],
      ['Whose it is', [
        ['Owner', node.Tags?.length ? '' : userName(netmap, node.User)],
        ['Login', node.Tags?.length ? '' : netmap.UserProfiles?.[node.User]?.LoginName, 'copy'],
        ['Tags', node.Tags],
        ['Shared by', node.Sharer && userName(netmap, node.Sharer)],
        ['Approved', node.MachineAuthorized ? '' : 'not yet'],
        ['Created', parseTime(node.Created), 'time'],
        ['Key expires', parseTime(node.KeyExpiry), 'time'],
      ]],
      ['What it runs', [
        ['System', [host.OS, host.Distro, host.DistroVersion || host.OSVersion].filter(Boolean).join(' ')],
        ['Device', [host.DeviceModel, host.Machine].filter(Boolean).join(', ')],
        ['Client', host.IPNVersion?.split('-')[0]],
        ['Services', (host.Services ?? []).filter(({ Proto = '' }) => !Proto.startsWith('peerapi')).map(({ Proto, Port, Description }) => `${Port}/${Proto} ${Description ?? ''}`.trim())],
        ['Only WireGuard', node.IsWireGuardOnly && 'yes'],
      ]],
      ['Identity', [
        ['Node key', shortKey(node.Key), node.Key],
        ['Stable ID', node.StableID, 'copy'],
        ['SSH host keys', (host.sshHostKeys ?? []).map((key) => key.split(' ')[0])],
        ['Capabilities', Object.keys(node.CapMap ?? {})],
      ]],
    ],
  };
}
