// Both browser nodes, behind the same functions, for tsconnect.mjs.

const options = { controlURL: location.origin, hostname: 'browser' };

// Each starts one. It resolves to live, a promise that settles when control has sent the network map; ask, which resolves when the first
// bytes of the answer to a GET are there; and text, which returns a whole answer. Ours also connects.
globalThis.starts = { ours, tsconnect };

async function ours() {
  const { startClient } = await import('./client.js');
  const client = await startClient({ ...options, database: 'bench', ephemeral: false, worker: true });
  globalThis.client = client;
  const reached = (...names) => new Promise((resolve) => {
    const look = () => names.includes(client.state.name) && resolve();
    client.addEventListener('statechange', look);
    look();
  });
  return {
    live: reached('live'),
    state: () => client.state.name,
    ask: (url) => reached('saved', 'live').then(() => client.fetch(url)),
    text: async (url) => (await client.fetch(url)).text(),
    download,
    upload,
    close: () => client.close(),
  };
}

async function download(size) {
  const { readable, writable } = await globalThis.client.connect({ host: 'web', port: 19 });
  const reader = readable.getReader();
  for (let got = 0; got < size;) got += (await reader.read()).value.length;
  await reader.cancel();
  await writable.abort();
}

async function upload(size) {
  const { readable, writable } = await globalThis.client.connect({ host: 'web', port: 9 });
  const writer = writable.getWriter();
  const chunk = new Uint8Array(1e5);
  for (let sent = 0; sent < size; sent += chunk.length) await writer.write(chunk);
  await writer.close();
  await readable.getReader().read(); // the peer has all when it closes
}

// tsconnect's own page does the same (cmd/tsconnect/src/pkg/pkg.ts), but for the environment: relays without TLS, and no log server. It
// looks for relays by https://HOST/derp/probe whatever their port is; the probes are led to where the relay is, as ours does.
async function tsconnect() {
  await import('./wasm_exec.js');
  const { fetch } = globalThis;
  globalThis.fetch = (input, init) => {
    const url = new URL(input.url ?? input, location);
    return url.pathname === '/derp/probe' ? fetch(`${location.origin}/derp/probe`, init) : fetch(input, init);
  };
  const go = new globalThis.Go();
  go.env = { TS_DEBUG_USE_DERP_HTTP: 'true', TS_NO_LOGS_NO_SUPPORT: 'true' };
  const { instance } = await WebAssembly.instantiateStreaming(fetch('main.wasm'), go.importObject);
  go.run(instance);
  const stateStorage = { getState: (id) => localStorage.getItem(id) ?? '', setState: (id, value) => localStorage.setItem(id, value) };
  const ipn = globalThis.newIPN({ ...options, stateStorage });
  let state;
  let netmap = false;
  const live = new Promise((resolve) => {
    const look = () => state === 'Running' && netmap && resolve();
    ipn.run({
      notifyState(now) {
        state = now;
        if (state === 'NeedsLogin') ipn.login();
        look();
      },
      notifyNetMap() {
        netmap = true;
        look();
      },
      notifyBrowseToURL() {},
      notifyPanicRecover(error) { throw new Error(error); },
    });
  });
  return {
    live,
    state: () => `${state}, ${netmap ? 'with' : 'without'} a network map`,
    ask: (url) => live.then(() => ipn.fetch(url)),
    text: async (url) => (await ipn.fetch(url)).text(),
    close() {},
  };
}
