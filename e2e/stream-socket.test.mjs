// web/client/stream-socket.js on a WebSocket that is made up: what is sent and received within a turn passes as one, in order.

import assert from 'node:assert/strict';
import { test } from 'node:test';

// Socket stands in for the platform's.
class Socket extends EventTarget {
  static OPEN = 1;
  readyState = 1;
  sent = [];

  send(buffer) {
    this.sent.push([...new Uint8Array(buffer)]);
    this.onsent?.();
  }

  close() {
    this.readyState = 3;
    this.dispatchEvent(new Event('close'));
  }

  receive(...bytes) {
    this.dispatchEvent(Object.assign(new Event('message'), { data: Uint8Array.from(bytes).buffer }));
  }
}

globalThis.WebSocket = Socket;
const { StreamSocket } = await import('../web/client/stream-socket.js');

const bytes = (...values) => Uint8Array.from(values);

// sending waits until something is sent, which is done last.
const sending = (socket) => new Promise((resolve) => (socket.onsent = resolve));

function open(t) {
  const socket = new StreamSocket('ws://127.0.0.1/');
  const got = [];
  socket.addEventListener('message', ({ data }) => got.push([...new Uint8Array(data)]));
  t.after(() => socket.close());
  return { socket, got };
}

test('what comes within a turn passes as one, in both directions', async (t) => {
  const { socket, got } = open(t);
  for (const value of [1, 2]) socket.send(bytes(value, value));
  socket.receive(3);
  socket.receive(4, 5);
  assert.deepEqual([socket.sent, got], [[], []]);
  await sending(socket);
  assert.deepEqual([socket.sent, got], [[[1, 1, 2, 2]], [[3, 4, 5]]]);
  socket.send(bytes(6));
  await sending(socket);
  assert.deepEqual(socket.sent, [[1, 1, 2, 2], [6]]);
});

test('no message is larger than what the other side takes, unless it was', async (t) => {
  const { socket, got } = open(t);
  for (const size of [32768, 1, 32767, 1, 40_000, 2, 3]) {
    socket.send(new Uint8Array(size));
    socket.receive(...new Uint8Array(size));
  }
  await sending(socket);
  const sizes = (all) => all.map(({ length }) => length);
  assert.deepEqual([sizes(socket.sent), sizes(got)], [[32768, 32768, 1, 40_000, 5], [32768, 32768, 1, 40_000, 5]]);
});

test('closing sends what waits, and the close comes after what was received', (t) => {
  const { socket, got } = open(t);
  socket.addEventListener('close', () => got.push('close'));
  socket.send(bytes(1));
  socket.receive(2);
  socket.close();
  assert.deepEqual([socket.sent, got], [[[1]], [[2], 'close']]);
});

test('who listens no more is told nothing', async (t) => {
  const { socket } = open(t);
  const listener = () => assert.fail('called');
  socket.addEventListener('message', listener);
  socket.receive(1);
  socket.removeEventListener('message', listener);
  socket.send(bytes(2));
  await sending(socket);
});
