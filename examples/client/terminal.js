// A terminal that talks to a TCP port.

import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';

// talk shows in an element what comes by a connection, and sends what is typed, until the connection has ended.
export async function talk({ readable, writable, closed }, element, signal) {
  const terminal = new Terminal({ convertEol: true, cursorBlink: true, screenReaderMode: true, fontSize: 14, theme: { background: '#16191d' } });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(element);
  const resized = new ResizeObserver(() => fit.fit());
  resized.observe(element);
  terminal.attachCustomKeyEventHandler(({ key }) => key !== 'Tab'); // it leads on, for those who have no mouse

  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  terminal.onData((text) => writer.write(encoder.encode(text.replaceAll('\r', '\r\n'))).catch(() => {})); // closed tells
  terminal.focus();
  // What the terminal hasn't shown yet is not read.
  const screen = new WritableStream({ write: (bytes) => new Promise((shown) => terminal.write(bytes, shown)) });
  try {
    await readable.pipeTo(screen, { signal });
    await writer.close();
    await closed;
  } finally {
    writer.abort().catch(() => {}); // it has ended
    resized.disconnect();
    terminal.dispose();
  }
}
