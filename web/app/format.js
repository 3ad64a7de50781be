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

// until says how far away a time is that lies ahead, or that it's past.
export function until(time) {
  const ms = time - Date.now();
  return ms > 0 ? `in ${duration(ms)}` : `${duration(-ms)} ago`;
}

// Made when first needed: they take long to make.
let clockFormat;
export function clock(time) {
  clockFormat ??= new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  return clockFormat.format(new Date(time));
}

let timeFormat;
export function timeOfDay(time) {
  timeFormat ??= new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
  return timeFormat.format(new Date(time));
}

// bytes are counted as in the file managers of most systems: 1 kB is 1,000.
export function bytes(n) {
  if (n < 1000) return `${n} bytes`;
  const [size, unit] = n < 1e6 ? [n / 1e3, 'kB'] : n < 1e9 ? [n / 1e6, 'MB'] : [n / 1e9, 'GB'];
  return `${size.toLocaleString(undefined, { maximumFractionDigits: size < 10 ? 1 : 0 })} ${unit}`;
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

export { addresses, nameKey, nodeName } from '../cache/names.js';

// parseTime returns a time in milliseconds, or undefined for none: Go's zero time is in the year 1.
export function parseTime(text) {
  const time = text && !text.startsWith('0001-') ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
