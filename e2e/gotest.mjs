#!/usr/bin/env node
// Runs a Go test binary in Firefox or WebKitGTK, for "go test -exec" as tools/browsertest
// calls it:
//
//   BROWSER=firefox node gotest.mjs binary.wasm [test flags]
//
// All it takes of the browser is to open a page: output and exit code come back by HTTP.

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { engines } from './engines.mjs';
import { serve } from './serve.mjs';

const [binary, ...flags] = process.argv.slice(2);
const { TORTURE = '' } = process.env;
const goroot = spawnSync('go', ['env', 'GOROOT'], { encoding: 'utf8' }).stdout.trim();

const html = `<!doctype html><title>Go test</title><script src="/wasm_exec.js"></script><script type="module">
  let sent = Promise.resolve();
  const send = (path, body) => (sent = sent.then(() => fetch(path, { method: 'POST', body })));
  console.log = (line) => send('/output', line);
  const go = new Go();
  go.argv = ${JSON.stringify(['test', ...flags])};
  go.env = ${JSON.stringify({ TORTURE })};
  go.exit = (code) => send('/exit', String(code));
  try {
    const { instance } = await WebAssembly.instantiateStreaming(fetch('/test.wasm'), go.importObject);
    await go.run(instance);
  } catch (err) {
    send('/output', String(err));
    send('/exit', '2');
  }
</script>`;

const file = (type, path) => async (_, response) => {
  response.setHeader('Content-Type', type);
  response.end(await readFile(path));
};

const receive = (use) => async (request, response) => {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  response.end();
  use(body);
};

let exit;
const exited = new Promise((resolve) => (exit = resolve));

const server = await serve('', {
  '/': (_, response) => response.setHeader('Content-Type', 'text/html').end(html),
  '/wasm_exec.js': file('text/javascript', join(goroot, 'lib/wasm/wasm_exec.js')),
  '/test.wasm': file('application/wasm', binary),
  '/output': receive((line) => console.log(line)),
  '/exit': receive((code) => exit(Number(code))),
});
// go test sends SIGQUIT when the tests take too long.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT']) process.on(signal, () => exit(2));

const browser = await engines[process.env.BROWSER]();
browser.gone.then(() => exit(2));
await browser.open(server.origin);
process.exitCode = await exited;
await browser.close();
await server.close();
