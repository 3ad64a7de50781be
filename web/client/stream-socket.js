// A WebSocket for connections that are streams of bytes, as those to relays and control are: where messages begin and end
// means nothing to them. Sending a message costs a browser about as much as all else that is done for a packet, and so does
// waking the Go program. So those that come within a turn of the event loop are passed on as one, in both directions.

const most = 32768; // bytes that the Go program, and relays, take in one message

export class StreamSocket extends WebSocket {
  #sending = [];
  #received = [];
  #listener;
  #turn = new MessageChannel();
  #waits = false; // for the turn to end

  constructor(...args) {
    super(...args);
    this.#turn.port1.onmessage = () => this.#flush();
    super.addEventListener('message', ({ data }) => this.#later(this.#received, data));
    super.addEventListener('close', () => {
      this.#flush();
      this.#turn.port1.close();
    });
  }

  // The Go program listens to messages by one function.
  addEventListener(event, listener) {
    if (event === 'message') this.#listener = listener;
    else super.addEventListener(event, listener);
  }

  removeEventListener(event, listener) {
    if (event !== 'message') super.removeEventListener(event, listener);
    else if (this.#listener === listener) this.#listener = undefined;
  }

  // send takes data, a Uint8Array that is all of its buffer.
  send({ buffer }) {
    this.#later(this.#sending, buffer);
  }

  close(...args) {
    this.#flush();
    super.close(...args);
  }

  #later(queue, data) {
    queue.push(data);
    if (!this.#waits) this.#turn.port2.postMessage(undefined);
    this.#waits = true;
  }

  #flush() {
    this.#waits = true; // what the listener sends goes out at once, below
    for (const data of joined(this.#received.splice(0))) this.#listener?.({ data });
    this.#waits = false;
    const sending = joined(this.#sending.splice(0));
    if (this.readyState === WebSocket.OPEN) for (const data of sending) super.send(data);
  }
}

// joined returns the bytes of buffers in as few buffers as may be, of which none is above the bound unless it was.
function joined(buffers) {
  const all = [];
  while (buffers.length > 0) {
    let size = 0;
    const fits = buffers.findIndex(({ byteLength }) => (size += byteLength) > most);
    const parts = buffers.splice(0, fits < 0 ? buffers.length : Math.max(fits, 1));
    if (parts.length === 1) {
      all.push(parts[0]);
      continue;
    }
    const one = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
    let at = 0;
    for (const part of parts) {
      one.set(new Uint8Array(part), at);
      at += part.byteLength;
    }
    all.push(one.buffer);
  }
  return all;
}
