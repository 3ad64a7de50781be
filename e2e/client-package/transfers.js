// What the tests of transfers do in the page.

// The native peers' services (client/internal/tailnet), by port.
export const port = { echo: 7, discard: 9, pattern: 19, check: 20, closing: 21, reset: 22, nobody: 8 };

// reason returns what a promise is rejected with: its code, or itself.
export const reason = (promise) => promise.then(() => 'no error', (error) => error?.code ?? error?.message ?? error);

// piece returns so many bytes of the pattern from one on: byte i is i modulo 251.
export function piece(from, size) {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (from + i) % 251;
  return bytes;
}

// A Check reads the pattern.
export class Check {
  size = 0;
  wrong = -1;
  #reader;

  constructor(readable) {
    this.#reader = readable.getReader();
  }

  // until reads to the end, or until there are so many bytes.
  async until(wanted = Infinity) {
    while (this.size < wanted) {
      const { done, value } = await this.#reader.read();
      if (done) break;
      for (let i = 0; i < value.length && this.wrong < 0; i++) if (value[i] !== (this.size + i) % 251) this.wrong = this.size + i;
      this.size += value.length;
    }
    return this;
  }

  cancel() {
    return this.#reader.cancel();
  }
}

// write writes so much of the pattern, and ends the stream.
export async function write(writable, size, onWritten = () => {}) {
  const writer = writable.getWriter();
  const most = 251 * 400;
  const whole = piece(0, most); // the same bytes each time, which stay ours
  for (let at = 0; at < size; at += most) {
    await writer.write(whole.subarray(0, Math.min(most, size - at)));
    onWritten(at + most);
  }
  await writer.close();
}

// patternStream returns a stream of so much of the pattern, which is made when it is asked for, always in the same bytes. before is awaited with
// how much has been.
export function patternStream(size, before = () => {}) {
  const whole = piece(0, 251 * 400);
  let left = size;
  return new ReadableStream({
    async pull(controller) {
      await before(size - left);
      if (left === 0) return controller.close();
      const bytes = whole.subarray(0, left);
      left -= bytes.length;
      return controller.enqueue(bytes);
    },
  }, { highWaterMark: 0 });
}
