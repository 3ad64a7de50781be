// Builds the page again whenever something that it is made of changes.

import { spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
let waiting;

function build() {
  const { status } = spawnSync(process.execPath, [path('build.mjs')], { stdio: 'inherit' });
  console.log(status === 0 ? 'Built. Reload the page.' : 'Not built.');
}

for (const folder of ['.', '..', '../reader']) {
  watch(path(folder), () => {
    clearTimeout(waiting);
    waiting = setTimeout(build, 100); // editors write in several steps
  });
}
build();
