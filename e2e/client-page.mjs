// Pages with a client of the package, and what they hold.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { launch } from './browser.mjs';
import { startTailnet } from './tailnet.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const site = fileURLToPath(new URL('client-package', import.meta.url));

// startSite starts a tailnet whose server has the page.
export const startSite = () => startTailnet('-web', site, '-web', join(dist, 'client'), '-peers', '10', '-churn', '0');

// startPages starts a tailnet and a browser. close ends both.
export async function startPages() {
  const tailnet = await startSite();
  const browser = await launch();
  return {
    tailnet,
    browser,
    async close() {
      await browser.close();
      tailnet.server.kill('SIGINT');
    },
  };
}

// openClient opens a page in a browser context, in which a client runs that reaches the peer called web.
export async function openClient(context, origin, options = {}) {
  const page = await context.newPage();
  await page.goto(origin);
  await page.evaluate(async (options) => {
    globalThis.lab = await import('/transfers.js');
    globalThis.client = await startClient({ database: 'client', controlURL: location.origin, hostname: 'browser', ephemeral: false, worker: true, ...options });
    await until(client, () => client.state.name === 'live');
    await client.ping('web');
  }, options);
  return page;
}

// until waits until what is looked at again and again is as wanted, and returns it.
export async function until(what, look, wanted) {
  const end = Date.now() + 120_000;
  for (;;) {
    const seen = await look();
    if (wanted(seen)) return seen;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

// still waits until a number has been the same for three seconds, and returns it.
export async function still(look) {
  let since = Date.now();
  let last = await look();
  return until('rest', look, (now) => {
    if (now !== last) [last, since] = [now, Date.now()];
    return Date.now() - since > 3000;
  });
}

// held returns what a page and its worker hold: the bytes of WebAssembly's memory, the channels of messages that were made since the
// first call and are open, and the values and functions of JavaScript that the Go program knows.
export async function held(page) {
  const sessions = [await page.createCDPSession(), ...page.workers().map(({ client }) => client)];
  const all = { memory: 0, ports: 0, values: 0 };
  for (const session of sessions) {
    if (!await evaluate(session, 'Boolean(globalThis.held)')) await watch(session);
    const { memory, ports, values } = await evaluate(session, 'held()');
    all.memory += memory;
    all.ports += ports;
    all.values += values;
  }
  await sessions[0].detach();
  return all;
}

async function evaluate(session, expression) {
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', { expression, returnByValue: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception.description);
  return result.value;
}

// watch gives a window or worker the function held. The objects that only the Go program knows are found by their classes.
async function watch(session) {
  const found = [];
  for (const type of ['WebAssembly.Memory', 'Map']) {
    const { result } = await session.send('Runtime.evaluate', { expression: `${type}.prototype` });
    const { objects } = await session.send('Runtime.queryObjects', { prototypeObjectId: result.objectId });
    found.push({ objectId: objects.objectId });
  }
  await session.send('Runtime.callFunctionOn', {
    functionDeclaration: String((memories, maps) => {
      const ids = [...maps].find((m) => m.get(null) === 2 && m.get(true) === 3); // _ids of wasm_exec.js
      let ports = 0;
      const open = new WeakSet();
      const { close } = MessagePort.prototype;
      MessagePort.prototype.close = function () {
        if (open.delete(this)) ports--;
        close.call(this);
      };
      const Channel = MessageChannel;
      globalThis.MessageChannel = class extends Channel {
        constructor() {
          super();
          open.add(this.port1); // the other one goes to the other side
          ports++;
        }
      };
      globalThis.held = () => ({ memory: memories[0]?.buffer.byteLength ?? 0, ports, values: ids?.size ?? 0 });
    }),
    arguments: found,
    objectId: found[0].objectId,
  });
}
