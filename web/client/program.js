// Runs the program here or in a worker.

import { proxy, releaseProxy, transfer, wrap } from 'comlink';

import { ClientError } from '../client-error.js';
import { Ending } from '../ending.js';
import { startClient as startHere } from '../client.js';
import { fetchClient } from '../fetch-client.js';

// startProgram starts the program. It resolves to the functions of web/client.js, of which those that are asked something return promises;
// stop resolves when it has ended.
export async function startProgram({ worker = false, signal, onProgress, ephemeral = !keepable(), wasm, ...options }, listeners) {
  const all = { ...options, keepKeys: !ephemeral, wasm: String(wasm ?? new URL('./client.wasm', import.meta.url)) };
  const told = { ...listeners, onProgress };
  const program = worker ? await inWorker(all, told, signal) : await here(all, told);
  if (signal?.aborted) {
    await program.stop();
    throw signal.reason;
  }
  return program;
}

// keepable reports whether this origin is one that nobody else becomes.
const keepable = () => globalThis.location?.protocol === 'https:';

async function here(options, listeners) {
  const { onProgress, ...told } = listeners;
  const { wasm, ...rest } = options;
  const client = await startHere({ ...rest, ...told, program: fetchClient(onProgress, wasm) });
  return {
    ...client,
    news: async () => client.news(false),
    async stop() {
      client.stop();
      await client.ended;
    },
  };
}

async function inWorker(options, listeners, signal) {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const ending = new Ending();
  worker.addEventListener('error', ({ message }) => ending.end(new ClientError('worker', message || 'the worker could not be loaded')));
  const remote = wrap(worker);
  const asked = (call) => ending.before(call).catch((error) => Promise.reject(revived(error)));
  const abort = () => ending.end(signal.reason);
  signal?.addEventListener('abort', abort);
  try {
    await asked(remote.start(options, proxy(listeners.onState), proxy(listeners.onEvent), listeners.onProgress && proxy(listeners.onProgress)));
  } catch (error) {
    worker.terminate();
    throw signal?.aborted ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  const ended = asked(remote.ended()).finally(() => {
    ending.end(new ClientError('closed', 'the client has ended'));
    worker.terminate();
  });
  ended.catch(() => {});
  let calls = 0;
  // begin begins something in the worker, which a signal ends.
  const begin = async (call, signal) => {
    signal?.throwIfAborted();
    const id = ++calls;
    const abort = () => remote.giveUp(id);
    signal?.addEventListener('abort', abort);
    try {
      const begun = await call(id);
      if (!signal?.aborted) return begun;
      begun.close?.();
      throw signal.reason;
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  };
  // stream returns what was begun there as it is here. It is told to end once.
  const stream = async (call) => {
    const raw = await asked(call);
    const head = await asked(raw.head);
    const closing = new Ending(); // once it is closed, no answer comes
    let open = true;
    const ask = async (name, ...args) => closing.before(open ? asked(raw[name](...args)) : Promise.resolve());
    return {
      ...head,
      read: () => ask('read'),
      write: (bytes) => ask('write', moved(bytes)),
      closeWrite: () => ask('closeWrite'),
      close() {
        if (!open) return;
        open = false;
        closing.end(new ClientError('closed', 'the connection is closed'));
        raw.close().then(() => raw[releaseProxy]());
      },
    };
  };
  return {
    ended,
    news: () => asked(remote.news()),
    login: () => remote.login(),
    retry: () => remote.retry(),
    logout: () => asked(remote.logout()),
    request: ({ body, ...request }, { signal } = {}) => begin((id) => stream(remote.request(id, { ...request, size: body?.size }, body && upload(body))), signal),
    connect: (address, { signal } = {}) => begin((id) => stream(remote.connect(id, address)), signal),
    ping: (host, { signal } = {}) => begin((id) => asked(remote.ping(id, host)), signal),
    async stop() {
      await remote.stop();
      await ended;
    },
  };
}

// moved returns bytes for the worker. They are copied first: what the application has stays its own, and the rest of their buffer here.
function moved(bytes) {
  const copy = bytes.slice();
  return transfer(copy, [copy.buffer]);
}

// upload returns the body of a request for the worker.
const upload = (body) => proxy({
  read: (attempt) => body.read(attempt).then((bytes) => bytes && moved(bytes)),
  cancel: (attempt) => body.cancel(attempt),
});

// revived returns an error of the worker with its class.
const revived = (error) => (error instanceof Error ? error : new ClientError(error.code ?? 'failed', error.message));
