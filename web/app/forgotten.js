// Whether the network was forgotten is remembered, so that a reload doesn't join it again.

export const forgotten = {
  get: () => attempt(() => localStorage.getItem('forgotten')) === 'yes',
  set: (is) => attempt(() => (is ? localStorage.setItem('forgotten', 'yes') : localStorage.removeItem('forgotten'))),
};

// attempt returns what f does, or nothing where the browser grants no storage.
function attempt(f) {
  try {
    return f();
  } catch {
    return undefined;
  }
}
