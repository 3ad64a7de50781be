// fetch through the network: from what the platform's fetch takes to what it gives.

import { ClientError } from './client-error.js';
import { readable, Upload } from './streams.js';

const nullBody = [204, 205, 304]; // a Response of such a status must have none

// fetchBy sends the request that the platform's fetch would, by the request function of run.js.
export async function fetchBy(send, input, init = {}) {
  const { head, body, redirect, signal } = await requestOf(input, init);
  const cancel = () => body?.cancel();
  let raw;
  try {
    raw = await send({ ...head, follow: redirect === 'follow', body }, { signal });
  } catch (error) {
    cancel();
    throw error;
  }
  if (redirect === 'error' && raw.status >= 300 && raw.status < 400 && raw.headers.some(([name]) => name === 'Location')) {
    raw.close();
    cancel();
    throw new ClientError('redirect', `${head.url} leads on to another URL`);
  }
  return responseOf(raw, head, signal, cancel);
}

async function requestOf(input, init) {
  const given = input instanceof Request ? input : undefined;
  let url;
  try {
    url = new URL(given?.url ?? input);
  } catch {
    throw invalid(`${input} is no absolute URL`);
  }
  url.hash = '';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalid(`${url.protocol} is neither http: nor https:`);
  const { redirect = given?.redirect ?? 'follow', signal = given?.signal } = init;
  if (!['follow', 'error', 'manual'].includes(redirect)) throw invalid(`redirect can't be ${redirect}`);
  const method = String(init.method ?? given?.method ?? 'GET').toUpperCase();
  const headers = new Headers(init.headers ?? given?.headers);
  const content = init.body ?? given?.body ?? undefined;
  if (content !== undefined && (method === 'GET' || method === 'HEAD')) throw invalid(`${method} has no body`);
  let body;
  if (content instanceof ReadableStream) {
    body = new Upload(content);
  } else if (content !== undefined) {
    const whole = new Response(content); // which knows all kinds of bodies that there are
    const type = whole.headers.get('Content-Type');
    if (type && !headers.has('Content-Type')) headers.set('Content-Type', type);
    const blob = await whole.blob();
    body = new Upload(blob.stream(), blob);
  }
  return { head: { method, url: url.href, headers: [...headers] }, body, redirect, signal };
}

// responseOf calls onEnd when the response has been read, or given up.
function responseOf(raw, { method, url }, signal, onEnd) {
  const empty = method === 'HEAD' || nullBody.includes(raw.status);
  const end = () => {
    signal?.removeEventListener('abort', end);
    raw.close();
    onEnd();
  };
  signal?.addEventListener('abort', end);
  if (empty || signal?.aborted) end();
  signal?.throwIfAborted();
  let response;
  try {
    response = new Response(empty ? null : readable(raw, end, () => (signal?.aborted ? signal.reason : undefined)), raw);
  } catch (cause) { // the platform knows no such status
    end();
    throw new ClientError('failed', `the answer can't be used: ${cause.message}`, { cause });
  }
  return Object.defineProperties(response, { url: { value: raw.url }, redirected: { value: raw.url !== url } });
}

const invalid = (message) => new ClientError('invalid-argument', `fetch: ${message}`);
