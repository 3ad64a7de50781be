// The page in which accidents are tested: the module as built, and beside it inpage.mjs.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { serve } from './serve.mjs';

const script = (name) => async (_, response) => {
  response.setHeader('Content-Type', 'text/javascript');
  response.end(await readFile(new URL(name, import.meta.url)));
};

// startServer serves the page on an origin of its own.
export const startServer = () =>
  serve(fileURLToPath(new URL('../dist', import.meta.url)), {
    '/': (_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>lab</title>'),
    '/favicon.ico': (_, response) => response.end(),
    ...Object.fromEntries(['inpage.mjs', 'history.mjs', 'netmap.mjs'].map((name) => [`/${name}`, script(name)])),
  });

// openPage opens the page in a browser or in a context of one. before is run in it first
// of all, with the arguments that follow.
export async function openPage(context, origin, before, ...args) {
  const page = await context.newPage();
  if (before) await page.evaluateOnNewDocument(before, ...args);
  await page.goto(origin);
  await page.evaluate(async () => {
    globalThis.lab = { ...(await import('/inpage.mjs')) };
  });
  return page;
}
