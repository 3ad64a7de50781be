// Runs a command for tools/loopback, in a network that has nothing but the loopback interface. It fails if
// anything tried meanwhile to reach what lies beyond: the kernel counts packets and connections that have no route.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

// attempts returns how many had no route so far, of IPv4 and of IPv6.
function attempts() {
  const [names, values] = readFileSync('/proc/net/snmp', 'utf8').split('\n').filter((line) => line.startsWith('Ip:')).map((line) => line.split(' '));
  const [, ip6] = /^Ip6OutNoRoutes\s+(\d+)/m.exec(readFileSync('/proc/net/snmp6', 'utf8'));
  return { ip4: Number(values[names.indexOf('OutNoRoutes')]), ip6: Number(ip6) };
}

// So that attempts will be seen:
const none = attempts();
for (const [type, address] of [['udp4', '192.0.2.1'], ['udp6', '2001:db8::1'], ['udp6', '2001:4860:4860::8888']]) {
  const socket = createSocket(type).on('error', () => {});
  await new Promise((resolve) => socket.send('x', 9, address, resolve));
  socket.close();
}
const before = attempts();
assert.ok(before.ip4 > none.ip4 && before.ip6 > none.ip6 + 1, 'attempts to leave the machine are counted');

const [command, ...args] = process.argv.slice(2);
const [code] = await once(spawn(command, args, { stdio: 'inherit' }), 'exit');
const { ip4, ip6 } = attempts();
console.error(`loopback: ${ip4 - before.ip4} attempts to leave the machine by IPv4, ${ip6 - before.ip6} by IPv6`);
process.exit(code || (ip4 > before.ip4 || ip6 > before.ip6 ? 1 : code ?? 1));
