// Long work in small pieces, so that a page can react in between.

const longest = 12; // milliseconds of work at a time

// breather returns a function to be called between pieces of work. When it is time to let others have a turn, it returns a promise
// to be awaited, which is rejected with what check throws.
export function breather(check) {
  let begun = performance.now();
  return () => {
    if (performance.now() - begun < longest) return undefined;
    return turn().then(() => {
      check?.();
      begun = performance.now();
    });
  };
}

// turn is fulfilled when others had theirs. A timer would be late in a page that is hidden.
function turn() {
  if (globalThis.scheduler?.yield) return scheduler.yield();
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
