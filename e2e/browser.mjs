// Starts the browser that the tests drive.

import puppeteer from 'puppeteer-core';

// CHROMIUM names another Chromium or Chrome than the one Debian installs.
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

// launch starts a headless Chromium that can reach nothing but this machine.
// With userDataDir, what it stores there outlives it. With acceptInsecureCerts it trusts every certificate.
export async function launch({ userDataDir, acceptInsecureCerts } = {}) {
  return puppeteer.launch({
    executablePath,
    userDataDir,
    acceptInsecureCerts,
    headless: true,
    // A page makes hundreds of calls in one evaluation. The tests have their own time limit.
    protocolTimeout: process.env.TORTURE ? 30 * 60_000 : undefined,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      ...(acceptInsecureCerts ? ['--ignore-certificate-errors'] : []), // in workers too
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
    ],
  });
}
