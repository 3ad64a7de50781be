// Starts the program, in this context or in a worker of its own.

import { ClientError } from './client-error.js';
import { abortable, Ending } from './ending.js';
import { fetchProgram, startProgram } from './program.js';
import { remote } from './remote.js';

// start resolves to the functions of program.js, of which those that are asked something return promises. The listeners are onState
// and onEvent.
export async function start({ worker = false, signal, ephemeral = !keepable(), wasm, onProgress, ...options }, listeners) {
  const all = { ...options, keepKeys: !ephemeral, wasm: String(wasm ?? new URL('./client.wasm', import.meta.url)) };
  const program = await (worker ? inWorker : here)(all, { ...listeners, onProgress }, signal);
  if (signal?.aborted) {
    await program.stop();
    throw signal.reason;
  }
  return program;
}

// keepable reports whether this origin is one that nobody else becomes.
const keepable = () => globalThis.location?.protocol === 'https:';

const here = ({ wasm, ...options }, { onProgress, ...listeners }) => startProgram({ ...options, ...listeners, program: fetchProgram({ url: wasm, onProgress }) });

async function inWorker(options, listeners, signal) {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const ending = new Ending();
  worker.addEventListener('error', ({ message }) => ending.end(new ClientError('worker', message || 'the worker could not be loaded')));
  worker.addEventListener('message', ({ data: { tell, value } }) => listeners[tell]?.(value));
  const program = remote(worker, ending);
  try {
    await abortable(program.ask('start', options, Boolean(listeners.onProgress)), signal);
  } catch (error) {
    worker.terminate();
    throw error;
  }
  const ended = program.ask('ended').finally(() => {
    ending.end(new ClientError('closed', 'the client has ended'));
    worker.terminate();
  });
  ended.catch(() => {});
  return {
    ...program,
    ended,
    news: (whole) => program.ask('news', whole),
    stop() {
      program.ask('stop').catch(() => {}); // it may end before it has said so
      return ended;
    },
  };
}
