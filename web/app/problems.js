// What went wrong, as sentences that say what to do next.

const ofCache = {
  unavailable: "This browser doesn't let the page keep anything, and without that it can't connect either. Leave private browsing, or allow this site to store data, then reload.",
  silent: 'The browser doesn’t answer when asked for the saved network: another tab may be changing it. Close this page’s other tabs, then reload; if that doesn’t help, restart the browser.',
  blocked: 'Another tab holds the saved network, maybe with an older version of this page. Close that tab, then reload this one.',
  quota: 'The storage that the browser grants this site is full: the network as it was saved last stays, newer changes are not saved. Free space on this device; saving then goes on by itself.',
  storage: 'The saved network can’t be read or written. Reload; if that doesn’t help, restart the browser.',
  corrupt: 'The saved network is damaged and isn’t shown. The next one from the control plane takes its place; or forget it now.',
  'wrong-owner': 'The saved network belongs to another account or server and isn’t shown. Forget it to start with this one.',
  expired: 'The saved network is older than half a year and isn’t shown, since its keys are no longer good. Connect to get a new one, or forget it.',
  format: 'The saved network was written by a newer version of this page. Reload to get that version.',
};

// forgettable are the codes of what is saved and of no use.
export const forgettable = ['corrupt', 'wrong-owner', 'expired', 'format'];

// explain returns the sentences for a problem of the cache, the client, saving or the page, and whether forgetting helps:
// { text, reason, forget }.
export function explain(where, { code, message }) {
  const text = {
    cache: () => ofCache[code] ?? 'The saved network can’t be used. Reload; if that doesn’t help, forget it.',
    client: () => 'The client couldn’t be started, or has ended. See that this page’s server can be reached, then connect again.',
    logout: () => 'The network is forgotten here, but the control plane couldn’t be told, and goes on listing this device. Remove it there.',
    saving: () => (isQuota(message) ? ofCache.quota : 'The network couldn’t be saved: the one saved last stays. The page tries again with the next change.'),
    page: () => message,
  }[where]();
  return { text, reason: where === 'page' ? '' : message, forget: where === 'cache' && forgettable.includes(code) };
}

const isQuota = (message) => /quota/i.test(message);
