// Words for times, keys and names.

// duration puts a span of milliseconds into words, in its largest unit.
export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  if (hours < 48) return hours === 1 ? '1 hour' : `${hours} hours`;
  return `${Math.round(hours / 24)} days`;
}

export function ago(time) {
  const ms = Date.now() - time;
  return ms < 1500 ? 'just now' : `${duration(ms)} ago`;
}

export function clock(time) {
  return new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

export function bytes(n) {
  return n < 10_000 ? `${n} bytes` : n < 10_000_000 ? `${Math.round(n / 1000)} kB` : `${Math.round(n / 1e6)} MB`;
}

export function count(n, one, many = `${one}s`) {
  return `${n.toLocaleString()} ${n === 1 ? one : many}`;
}

// shortKey returns the form in which Tailscale prints keys: "[", five
// characters of base64 and "]".
export function shortKey(key) {
  const hex = key?.split(':')[1] ?? '';
  const raw = String.fromCharCode(...(hex.slice(0, 8).match(/../g) ?? []).map((byte) => parseInt(byte, 16)));
  return raw ? `[${btoa(raw).slice(0, 5)}]` : '';
}

// nodeName returns the part of a node's name that is its own.
export function nodeName(node) {
  return node.Name?.split('.')[0] || node.Hostinfo?.Hostname || node.StableID || `node ${node.ID}`;
}

export function addresses(node) {
  return (node.Addresses ?? []).map((prefix) => prefix.replace(/\/(32|128)$/, ''));
}

export function userName(netmap, id) {
  const user = netmap.UserProfiles?.[id];
  return user?.DisplayName || user?.LoginName || '';
}
