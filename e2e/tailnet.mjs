// Runs the server of the page and of the embedded tailnet.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

// startTailnet starts dist/tailnet with these flags, on a free port of the loopback interface.
// It resolves to the process and the server's origin.
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
      const url = /http:\/\/[^/\s]+/.exec(output);
      if (url) resolve({ server, origin: url[0] });
    });
  });
}
