// The worker in which the program runs.

import { expose } from 'comlink';

import { fetchProgram, startProgram } from './program.js';
import { coded, offer } from './remote.js';

const tell = (name) => (value) => postMessage({ tell: name, value });

const offered = coded({
  async start({ wasm, ...options }, progress) {
    const fetched = fetchProgram({ url: wasm, onProgress: progress ? tell('onProgress') : undefined });
    const program = await startProgram({ ...options, program: fetched, onState: tell('onState'), onEvent: tell('onEvent') });
    const { news, stop } = program;
    Object.assign(offered, offer(program), coded({ news, stop, ended: () => program.ended }));
  },
});
expose(offered);
