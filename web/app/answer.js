// A peer's answer to a request for a page, whole.

const patience = 60_000; // milliseconds until a peer that doesn't answer is given up
const most = 8 << 20; // bytes; more is refused

// fetchPage asks a peer for a page by a client. giveUp is an AbortController that ends it.
/** @returns {Promise<import('./types').Answer>} */
export async function fetchPage(client, url, giveUp) {
  const { signal } = giveUp;
  const limit = setTimeout(() => giveUp.abort(new Error('no answer in one minute')), patience);
  try {
    const { read, close, status, headers, url: from } = await client.request({ method: 'GET', url, headers: [], follow: true }, { signal });
    signal.addEventListener('abort', close);
    const chunks = [];
    let size = 0;
    try {
      for (let chunk = await read(); chunk; chunk = await read()) {
        chunks.push(chunk);
        size += chunk.length;
        if (size > most) throw new Error(`the answer has more than ${most} bytes`);
      }
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      close();
    }
    return { status, url: from, headers, body: new Uint8Array(await new Blob(chunks).arrayBuffer()) };
  } finally {
    clearTimeout(limit);
  }
}
