// Has a browser run a script, and tells what came of it.

import assert from 'node:assert/strict';

import { serve } from './serve.mjs';

// report returns what a script posts to /result as JSON. It is the module of a page beside which the files of a folder, and more
// answers by their paths, are served.
export async function report(browser, folder, script, answers = {}) {
  let receive;
  const received = new Promise((resolve) => (receive = resolve));
  const server = await serve(folder, {
    '/': (_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><script type="module" src="script.js"></script>'),
    '/script.js': (_, response) => response.setHeader('Content-Type', 'text/javascript').end(script),
    '/result': async (request, response) => {
      const chunks = await request.toArray();
      response.end();
      receive(JSON.parse(Buffer.concat(chunks)));
    },
    ...answers,
  });
  try {
    await browser.open(`${server.origin}/`);
    return await Promise.race([received, browser.gone.then(() => assert.fail('the browser ended'))]);
  } finally {
    await browser.close();
    await server.close();
  }
}
