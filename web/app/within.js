// within resolves as promise does, or to late after a time in milliseconds.
export function within(ms, promise, late = undefined) {
  return Promise.race([promise, new Promise((resolve) => setTimeout(resolve, ms, late))]);
}
