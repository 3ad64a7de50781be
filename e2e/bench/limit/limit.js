// A worker that measures how fast packets pass over a plain WebSocket if WebAssembly opens or seals them, and nothing else is
// done for them: no client can be faster. It is told { way, bytes }, and answers with { ms } or { error }.

import loadGo from '/wasm_exec.mjs';

const key = '0f'.repeat(32);
const atOnce = 100; // packets that are sent before the browser may do other things

// The functions of the program (main.go).
const program = new Promise((resolve, reject) => {
  globalThis.ready = resolve;
  const Go = loadGo(globalThis);
  const go = new Go();
  WebAssembly.instantiateStreaming(fetch('limit.wasm'), go.importObject).then(({ instance }) => go.run(instance)).catch(reject);
});

const turn = new MessageChannel();
const turned = () => new Promise((resolve) => {
  turn.port1.onmessage = resolve;
  turn.port2.postMessage(undefined);
});

async function measure({ way, bytes }) {
  const { begin, open, send } = await program;
  begin(key, bytes);
  const socket = new WebSocket(`ws://${location.host}/-/limit?${new URLSearchParams({ way, bytes, key })}`);
  socket.binaryType = 'arraybuffer';
  return new Promise((resolve, reject) => {
    let start;
    socket.onopen = async () => {
      start = performance.now();
      if (way === 'up') while (send(socket, atOnce) > 0) await turned();
    };
    socket.onmessage = ({ data }) => {
      if (way === 'down' ? open(data) === 0 : data === String(bytes)) resolve(performance.now() - start);
    };
    socket.onclose = ({ code }) => reject(new Error(`the socket closed before the end: ${code}`));
  });
}

onmessage = ({ data }) => measure(data).then((ms) => postMessage({ ms }), (error) => postMessage({ error: error.message }));
