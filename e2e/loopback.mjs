// What the kernel knows of traffic that would leave this machine, in a network that has nothing
// but the loopback interface.

import { readFileSync } from 'node:fs';

// isAlone reports whether there is no other interface that is up.
export function isAlone() {
  const routes = readFileSync('/proc/net/route', 'utf8').trim().split('\n').slice(1);
  const routes6 = readFileSync('/proc/net/ipv6_route', 'utf8').trim().split('\n');
  return routes.length === 0 && routes6.every((route) => route.endsWith(' lo'));
}

// attempts returns how many packets and connections had no route so far, of IPv4 and of IPv6.
export function attempts() {
  const [names, values] = readFileSync('/proc/net/snmp', 'utf8').split('\n').filter((line) => line.startsWith('Ip:')).map((line) => line.split(' '));
  const [, ip6] = /^Ip6OutNoRoutes\s+(\d+)/m.exec(readFileSync('/proc/net/snmp6', 'utf8'));
  return { ip4: Number(values[names.indexOf('OutNoRoutes')]), ip6: Number(ip6) };
}
