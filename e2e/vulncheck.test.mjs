// tools/vulncheck says what it couldn't check, with programs in the place of go and npm that find nothing, something, or no database.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const vulncheck = fileURLToPath(new URL('../tools/vulncheck', import.meta.url));

let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netmapcache-vulncheck-'));
  const program = async (name, body) => {
    await writeFile(join(folder, name), `#!/bin/sh\n${body}\n`);
    await chmod(join(folder, name), 0o755);
  };
  await program('go', `case $1 in tool) echo '${join(folder, 'govulncheck')}' ;; *) echo tags ;; esac`);
  await program('govulncheck', 'echo "$GO_SAYS"; [ "$GO_SAYS" = fine ]');
  await program('npm', 'echo "$NPM_SAYS"; [ "$NPM_SAYS" = fine ]');
});

after(() => rm(folder, { recursive: true }));

// What the programs really say if they have no database.
const goLost = 'govulncheck: fetching vulnerabilities: Get "https://vuln.go.dev/index/modules.json.gz": dial tcp: lookup vuln.go.dev: no such host';
const npmLost = 'npm warn audit 405 Method Not Allowed\nnpm error audit endpoint returned an error';
const none = 'no known vulnerability';
const vulnerable = 'VULNERABLE, or failed, see above';
const unchecked = "NOT CHECKED, the database can't be reached";
const databases = { GOVULNDB: 'https://go.example', NPM_AUDIT_REGISTRY: 'https://npm.example' };

for (const [name, says, env, wantStatus, wantGo, wantNpm] of [
  ['nothing', { go: 'fine', npm: 'fine' }, {}, 0, none, none],
  ['a vulnerable module', { go: 'Vulnerability #1', npm: 'fine' }, {}, 1, vulnerable, none],
  ['a vulnerable package', { go: 'fine', npm: '1 high severity' }, {}, 1, none, vulnerable],
  ['no database', { go: goLost, npm: npmLost }, {}, 0, unchecked, unchecked],
  ['no database, where tests run by themselves', { go: goLost, npm: npmLost }, { CI: 'true' }, 0, unchecked, unchecked],
  ['a named database missing elsewhere', { go: goLost, npm: npmLost }, databases, 0, unchecked, unchecked],
  ['the named database of modules missing', { go: goLost, npm: npmLost }, { CI: 'true', GOVULNDB: databases.GOVULNDB }, 1, unchecked, unchecked],
  ['the named database of packages missing', { go: 'fine', npm: npmLost }, { CI: 'true', ...databases }, 1, none, unchecked],
]) {
  test(`vulncheck finds ${name}`, () => {
    const unset = { CI: '', GOVULNDB: '', NPM_AUDIT_REGISTRY: '' };
    const { status, stdout, stderr } = spawnSync(vulncheck, {
      encoding: 'utf8',
      env: { ...process.env, ...unset, ...env, PATH: `${folder}:${process.env.PATH}`, GO_SAYS: says.go, NPM_SAYS: says.npm },
    });
    assert.equal(stdout.trimEnd().split('\n').at(-1), `vulncheck: Go modules: ${wantGo}; npm packages: ${wantNpm}`, stderr);
    assert.equal(status, wantStatus);
  });
}
