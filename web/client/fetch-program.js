// Fetches and compiles the program. That is most of a client's start, and may begin before the rest is known.

export async function fetchProgram({ url = new URL('./client.wasm', import.meta.url), onProgress } = {}) {
  try {
    return await load(url, {}, onProgress);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // the network didn't fail
    // Where a browser can't keep so much, Chromium breaks a response off that two ask for at once, such as a service worker that is installed.
    return load(url, { cache: 'no-store' }, onProgress);
  }
}

async function load(url, init, onProgress) {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${response.url}: HTTP status ${response.status}`);
  const module = await WebAssembly.compileStreaming(onProgress ? counted(response, onProgress) : response);
  const compiled = performance.now();
  const fetched = performance.getEntriesByName(response.url).at(-1)?.responseEnd || compiled;
  return { module, fetched: performance.timeOrigin + fetched, compiled: performance.timeOrigin + compiled };
}

// counted returns the same response, which tells of its progress as it is read. Such a one isn't found among the programs that a browser has
// compiled before, and keeps.
function counted({ body, headers }, onProgress) {
  // The length of a compressed response says nothing of what is read.
  const total = Number(headers.get('X-Decoded-Length') ?? (headers.has('Content-Encoding') ? 0 : headers.get('Content-Length'))) || 0;
  let received = 0;
  const count = new TransformStream({
    transform(chunk, controller) {
      received += chunk.byteLength;
      onProgress({ received, total });
      controller.enqueue(chunk);
    },
  });
  return new Response(body.pipeThrough(count), { headers: { 'Content-Type': headers.get('Content-Type') ?? '' } });
}
