// Runs the server of the page and of the embedded tailnet.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

// startTailnet starts dist/tailnet with these flags, on a free port of the loopback interface.
// It resolves to { server, origin, ask }: the process, its origin, and a function that asks it for a state of the control plane
// or the network, or for another one (client/cmd/tailnet).
export function startTailnet(...flags) {
  const server = spawn(join(root, 'dist', 'tailnet'), ['-addr', '127.0.0.1:0', ...flags], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    let output = '';
    server.on('error', reject);
    server.on('exit', (code) => reject(new Error(`the server ended with code ${code}`)));
    server.stdout.on('data', (data) => {
      output += data;
      const url = /https?:\/\/[^/\s]+/.exec(output);
      if (url) resolve({ server, origin: url[0], ask: (what, wanted) => ask(url[0], what, wanted) });
    });
  });
}

async function ask(origin, what, wanted) {
  const post = wanted && { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(wanted) };
  const response = await fetch(`${origin}/-/${what}`, post);
  if (response.status !== 200) throw new Error(`${what}: ${response.status} ${response.statusText}`);
  return response.json();
}
