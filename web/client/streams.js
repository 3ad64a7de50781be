// What a peer sends and is sent, as streams of the platform.

// How many bytes are passed on at once, at most: who is given more has to hold it.
const most = 1 << 17;

// readable returns the stream of what raw.read gives. Nothing is read before it is asked for. onEnd is called once, with an
// error if there was one. If the end has another reason, which why returns, that is what the reader of the stream is told.
export function readable(raw, onEnd, why) {
  return new ReadableStream({
    async pull(controller) {
      try {
        const chunk = await raw.read();
        if (why() !== undefined) throw why(); // it may be read as if it had ended
        if (chunk) {
          controller.enqueue(chunk);
          return;
        }
        controller.close();
        onEnd();
      } catch (error) {
        const reason = why() ?? error;
        controller.error(reason);
        onEnd(reason);
      }
    },
    cancel() {
      onEnd();
    },
  }, { highWaterMark: 0 });
}

// duplex returns a connection: its two directions, and when both have ended. If one breaks, so does the other, for the same reason.
export function duplex(raw) {
  let end;
  let fail;
  const closed = new Promise((resolve, reject) => [end, fail] = [resolve, reject]);
  closed.catch(() => {}); // who cares waits for it
  let open = 2;
  let reason;
  let controller;
  const halfEnded = () => {
    if (reason !== undefined || --open > 0) return;
    raw.close();
    end();
  };
  const broken = (error) => {
    if (reason !== undefined || open === 0) return;
    reason = error;
    raw.close();
    if (!controller.signal.aborted) controller.error(error);
    fail(error);
  };
  const failing = async (promise) => {
    try {
      await promise;
    } catch (error) {
      broken(error);
      throw reason ?? error;
    }
  };
  const write = async (bytes) => {
    for (let at = 0; at < bytes.length; at += most) await raw.write(bytes.subarray(at, at + most));
  };
  const writable = new WritableStream({
    start(given) {
      controller = given;
      // The stream's own abort waits for a write, which may wait for the peer.
      const { signal } = controller;
      signal.addEventListener('abort', () => broken(signal.reason));
    },
    write: (chunk) => failing(write(bytesOf(chunk))),
    async close() {
      await failing(raw.closeWrite());
      halfEnded();
    },
  });
  let reading = true;
  const readEnded = (error) => {
    if (!reading) return;
    reading = false;
    if (error === undefined) halfEnded();
    else broken(error);
  };
  return { readable: readable(raw, readEnded, () => reason), writable, closed };
}

function bytesOf(chunk) {
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError('a connection takes bytes: an ArrayBuffer or a view of one');
}

// An Upload reads a body in the way of raw.read. One of a known size can be read again: it is its blob's.
export class Upload {
  #source;
  #blob;
  #attempt = 0;
  #rest = new Uint8Array();

  constructor(stream, blob) {
    this.#source = stream.getReader();
    this.#blob = blob;
    this.size = blob?.size;
  }

  async read(attempt) {
    if (attempt > this.#attempt) this.#restart(attempt);
    while (this.#rest.length === 0) {
      const { done, value } = await this.#source.read();
      if (done) return null;
      this.#rest = bytesOf(value);
    }
    const bytes = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(most);
    return bytes;
  }

  #restart(attempt) {
    this.cancel();
    this.#attempt = attempt;
    this.#source = this.#blob.stream().getReader();
    this.#rest = new Uint8Array();
  }

  // cancel gives up an attempt, unless a later one has begun.
  cancel(attempt = this.#attempt) {
    if (attempt === this.#attempt) this.#source.cancel().catch(() => {});
  }
}
