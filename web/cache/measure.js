// measure puts a stage on the timeline, in place of what it took last: a page may
// run for weeks, and the timeline forgets nothing by itself. A timeline that is missing, or was
// replaced by something else, gets nothing.
export function measure(stage, start, end = performance.now()) {
  const name = `netmapcache:${stage}`;
  try {
    performance.clearMeasures(name);
    performance.measure(name, { start: Math.max(start, 0), end: Math.max(end, 0) });
  } catch {
    // Nothing depends on it.
  }
}
