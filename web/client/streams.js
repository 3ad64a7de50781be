// What a peer sends and is sent, as streams of the platform.

// readable returns the stream of what raw.read gives. Nothing is read before it is asked for. onEnd is called once, with an
// error if there was one. Once the signal has been aborted, it is its reason that the reader of the stream is told.
export function readable(raw, onEnd, signal) {
  return new ReadableStream({
    async pull(controller) {
      try {
        const chunk = await raw.read();
        if (chunk) {
          controller.enqueue(chunk);
          return;
        }
        controller.close();
        onEnd();
      } catch (error) {
        const reason = signal?.aborted ? signal.reason : error;
        controller.error(reason);
        onEnd(reason);
      }
    },
    cancel() {
      onEnd();
    },
  }, { highWaterMark: 0 });
}

// duplex returns a connection: its two directions, and when both have ended.
export function duplex(raw) {
  let end;
  let fail;
  const closed = new Promise((resolve, reject) => [end, fail] = [resolve, reject]);
  closed.catch(() => {}); // who cares waits for it
  let open = 2;
  const ended = (error) => {
    if (!error && --open > 0) return;
    raw.close();
    if (error) fail(error);
    else end();
  };
  const once = () => {
    let done = false;
    return (error) => {
      if (!done) ended(error);
      done = true;
    };
  };
  const writeEnded = once();
  const failing = async (promise) => {
    try {
      await promise;
    } catch (error) {
      writeEnded(error);
      throw error;
    }
  };
  const writable = new WritableStream({
    write: (chunk) => failing(raw.write(bytesOf(chunk))),
    async close() {
      await failing(raw.closeWrite());
      writeEnded();
    },
    abort(reason) {
      writeEnded(reason ?? new DOMException('the connection was aborted', 'AbortError'));
    },
  });
  return { readable: readable(raw, once()), writable, closed };
}

function bytesOf(chunk) {
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError('a connection takes bytes: an ArrayBuffer or a view of one');
}

// reader returns what reads a stream in the way of raw.read, and gives it up.
export function reader(stream) {
  const source = stream.getReader();
  return {
    async read() {
      for (;;) {
        const { done, value } = await source.read();
        if (done) return null;
        if (value.byteLength > 0) return bytesOf(value);
      }
    },
    cancel: (reason) => source.cancel(reason).catch(() => {}),
  };
}
