// Reads CBOR (RFC 8949) as docs/format.cddl has it, and gives the forms that tailcfg has in JSON. It takes what the decoder
// of Go takes (netmapcache/internal/codec) and nothing else. The functions that read structs are generated: structs.js.
//
// A column is read in one go, so what is being read is held by the module: a function call for each value is all that
// there is time for at 10,000 peers.

import { addrText, asciiText, base32Text, base64Text, bytesText, hexText, longest, sequence, timeText } from './forms.js';

// The bounds of Go's decoder: of the bytes of a column, of levels of values that are skipped, and of maps, which structs are too,
// in a value of so many bytes. Nothing else takes much more memory than it has bytes.
export const maxBytes = 64 << 20;
const maxNested = 32;
const maxMaps = (bytes) => (1 << 16) + Math.floor(bytes / 4);

export let bytes;
let pos;
let ascii; // the bytes as text, one character for each, right where they are below 0x80; made when it is needed
let maps; // that may still come
export let brief; // whether values are only checked
export let invalid; // bytes of the string read last, if they aren't UTF-8

// Where the string that was only checked last begins and ends.
export let textStart;
export let textEnd;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder('utf-8', { ignoreBOM: true });

export class DecodeError extends Error {}

export function fail(message) {
  throw new DecodeError(message);
}

// decode reads data, a column or a root, all of it, by value. If it is only checked, nothing is made of it but numbers, for
// who shows a few of many values, but has all checked before.
export function decode(data, value, onlyChecked = false) {
  if (data.length > maxBytes) fail(`longer than ${maxBytes} bytes`);
  return decodeAny(data, value, false, onlyChecked);
}

// decodeStart is decode for the beginning of data.
export const decodeStart = (data, value) => decodeAny(data, value, true);

// decodeAny is decode for data of any length.
export function decodeAny(data, value, beginning = false, onlyChecked = false) {
  bytes = data;
  pos = 0;
  ascii = undefined;
  brief = onlyChecked;
  maps = maxMaps(data.length);
  try {
    if (isNull()) fail('null in place of a value');
    const v = value();
    if (pos < bytes.length && !beginning) fail('bytes after the value');
    return v;
  } catch (err) {
    // Not by design: but what is stored must never harm who reads it.
    throw err instanceof DecodeError ? err : new DecodeError('not readable', { cause: err });
  } finally {
    bytes = ascii = invalid = undefined;
  }
}

const words = new Int32Array(1 << 14);

// asciiOf makes one string of data, from which all others are cut: to make each of them anew takes several times as long.
function asciiOf(data) {
  const n = (data.length + 3) >> 2;
  const room = n > words.length ? new Int32Array(n) : words;
  const copy = new Uint8Array(room.buffer);
  copy.set(data);
  for (let i = 0; i < n; i++) room[i] &= 0x7f7f7f7f;
  return lossy.decode(copy.subarray(0, data.length));
}

export const position = () => pos;

// at reads a value that begins at another position, and returns to where it was.
export function at(position, value) {
  const here = pos;
  pos = position;
  const v = value();
  pos = here;
  return v;
}

// fieldAt reads the field with a number of the struct at a position, which has been read before, and returns to where it was. It
// returns undefined if the field is left out.
export function fieldAt(position, number, value) {
  const here = pos;
  pos = position;
  let v;
  for (let left = head(5), n = 0; left > 0; left--) {
    n = field(n);
    if (n === number) {
      v = value();
      break;
    }
    skip();
  }
  pos = here;
  return v;
}

// findText is fieldAt for a string, of which it tells textStart and textEnd.
export function findText(position, number) {
  textStart = textEnd = 0;
  fieldAt(position, number, checkText);
}

// argument reads a head and returns its argument, a BigInt if it is above 2^53; or undefined if the
// length isn't known beforehand.
function argument() {
  const info = bytes[pos++] & 0x1f;
  if (info < 24) return info;
  if (info === 31) return undefined;
  if (info > 27) fail('not CBOR');
  const size = 1 << (info - 24);
  if (bytes.length - pos < size) fail('unexpected end');
  let n = 0;
  for (const end = pos + Math.min(size, 4); pos < end; pos++) n = n * 256 + bytes[pos];
  if (size < 8) return n;
  let low = 0;
  for (const end = pos + 4; pos < end; pos++) low = low * 256 + bytes[pos];
  return n < 0x200000 ? n * 0x100000000 + low : (BigInt(n) << 32n) | BigInt(low);
}

// head reads a head of a major type and returns its argument.
function head(major) {
  const b = bytes[pos];
  if (b >> 5 !== major || pos >= bytes.length) fail('value of another kind');
  if ((b & 0x1f) < 24) {
    pos++;
    return b & 0x1f;
  }
  if ((b & 0x1f) === 24) {
    pos += 2;
    return bytes[pos - 1] ?? fail('unexpected end');
  }
  return argument() ?? fail('value of indefinite length');
}

export function isNull() {
  if (bytes[pos] !== 0xf6) return false;
  pos++;
  return true;
}

// things returns n, the number of things that follow of at least size bytes each.
function things(n, size) {
  if (n > (bytes.length - pos) / size) fail('unexpected end');
  return Number(n);
}

// take returns where the n bytes after a head begin, and goes beyond them.
function take(n) {
  if (n > bytes.length - pos) fail('unexpected end');
  const start = pos;
  pos += Number(n);
  return start;
}

// Structs

// count reads the head of a struct, or a map, and returns the number of its entries.
export function count() {
  const n = things(head(5), 2);
  if (maps-- === 0) fail('too many maps');
  return n;
}

// field reads the number of the field after the one with number last: -1 for those that the writer had no numbers for.
export function field(last) {
  const b = bytes[pos];
  if (b < 24 && b > last && last >= 0) {
    pos++;
    return b;
  }
  if (last < 0) fail('field after the last one');
  if (b === 0x20) {
    pos++;
    return -1;
  }
  const n = head(0);
  return n > last ? n : fail('field numbers out of order');
}

// other reads a field that has no number here: those without any become properties of v, unless they were set by number;
// others are passed over.
export function other(n, v) {
  if (n !== -1) return skip();
  const fields = JSON.parse(jsonObject());
  for (const name of Object.keys(fields)) if (!Object.hasOwn(v, name) || !v[name]) set(v, name, fields[name]);
}

// jsonObject reads text that is a JSON object.
export function jsonObject() {
  const value = textString();
  try {
    if (!value.startsWith('{')) fail();
    JSON.parse(value);
  } catch {
    fail('not a JSON object');
  }
  return value;
}

// skip passes over a value of any kind, as long as it is well-formed.
export const skip = () => skipNested(maxNested);

function skipNested(levels) {
  if (levels === 0) fail('nested too deeply');
  if (pos >= bytes.length) fail('unexpected end');
  const first = bytes[pos];
  const major = first >> 5;
  const n = argument();
  switch (major) {
    case 2:
    case 3:
      if (n !== undefined) take(n);
      else while (!atBreak()) take(head(major));
      return;
    case 4:
    case 5: {
      const each = major - 3;
      // Each takes a byte at least, so that this ends.
      for (let i = 0; n === undefined ? !atBreak() : i < n; i++) for (let j = 0; j < each; j++) skipNested(levels - 1);
      return;
    }
    default:
      if (n === undefined || (first === 0xf8 && n < 32)) fail('not CBOR');
      if (major === 6) skipNested(levels - 1);
  }
}

function atBreak() {
  if (bytes[pos] !== 0xff) return false;
  pos++;
  return true;
}

// Values

export function bool() {
  const b = bytes[pos];
  if (b !== 0xf4 && b !== 0xf5) fail('want bool');
  pos++;
  return b === 0xf5;
}

function integer() {
  const negative = bytes[pos] >> 5 === 1;
  const n = head(negative ? 1 : 0);
  if (typeof n === 'bigint' && n > 0x7fffffffffffffffn) fail('integer out of range'); // to compare all with it is slow
  if (!negative) return n;
  return typeof n === 'bigint' ? -1n - n : -1 - n;
}

export const int = () => Number(integer());

// id reads an integer that must not be rounded.
export function id() {
  const n = integer();
  return Number.isSafeInteger(n) ? n : String(n);
}

export const intKey = () => String(integer());

export function uint(max = Infinity) {
  const n = head(0);
  if (n > max) fail('integer out of range');
  return Number(n);
}

const view = new DataView(new ArrayBuffer(8));

export function float() {
  const b = bytes[pos];
  if (b === 0xf9) return half(Number(argument()));
  if (b !== 0xfa && b !== 0xfb) fail('want float');
  const size = b === 0xfa ? 4 : 8;
  pos++;
  const start = take(size);
  for (let i = 0; i < size; i++) view.setUint8(i, bytes[start + i]);
  return size === 4 ? view.getFloat32(0) : view.getFloat64(0);
}

function half(u) {
  const exponent = (u >> 10) & 0x1f;
  const fraction = u & 0x3ff;
  const size = exponent === 0x1f ? (fraction ? NaN : Infinity) : exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
  return u >> 15 ? -size : size;
}

// text reads a string. Of one that isn't UTF-8 each byte that is to blame is replaced, as in Go's JSON.
export function text() {
  if (brief) return checkText();
  invalid = undefined;
  if (bytes[pos] >> 5 === 2) return anyText(take(head(2)), pos);
  return textString();
}

function textString() {
  const start = take(head(3));
  return cut(start, pos) ?? fail('text string is not UTF-8');
}

function checkText() {
  const isText = bytes[pos] >> 5 !== 2;
  textStart = take(head(isText ? 3 : 2));
  textEnd = pos;
  if (isText) checkUTF8(bytes, textStart, textEnd);
  return '';
}

function checkUTF8(bytes, i, end) {
  while (i < end) {
    if (bytes[i++] < 0x80) continue;
    const n = sequence(bytes, --i);
    i += n;
    if (n === 0 || i > end) fail('text string is not UTF-8');
  }
}

// cut returns bytes as text if they are UTF-8.
function cut(start, end) {
  for (let i = start; i < end; i++) {
    if (bytes[i] > 0x7f) {
      try {
        return utf8.decode(bytes.subarray(start, end));
      } catch {
        return undefined;
      }
    }
  }
  if (brief && end - start <= longest) return asciiText(bytes, start, end);
  ascii ??= asciiOf(bytes);
  return ascii.slice(start, end);
}

function anyText(start, end) {
  const text = cut(start, end);
  if (text !== undefined) return text;
  invalid = bytes.slice(start, end);
  return bytesText(invalid);
}

// byteString reads a byte string as what it is.
export const byteString = () => bytes.subarray(take(head(2)), pos);

// stem reads a string that may begin like another, of which the bytes are given if they aren't UTF-8.
export function stem(like, likeBytes) {
  const major = bytes[pos] >> 5;
  if (major !== 0 && major !== 4) return text();
  if (major === 4 && things(head(4), 1) !== 2) fail('wrong length');
  const n = head(0);
  invalid = undefined;
  if (!likeBytes && n <= like.length && isASCII(like)) return like.slice(0, Number(n)) + (major === 4 ? text() : '');
  const all = likeBytes ?? new TextEncoder().encode(like);
  if (n > all.length) fail('wrong length');
  const part = all.subarray(0, Number(n));
  let rest = [];
  if (major === 4) {
    const end = text();
    rest = invalid ?? new TextEncoder().encode(end);
  }
  const whole = new Uint8Array(part.length + rest.length);
  whole.set(part);
  whole.set(rest, part.length);
  try {
    invalid = undefined;
    return utf8.decode(whole);
  } catch {
    invalid = whole;
    return bytesText(whole);
  }
}

// checkStem checks such a string, where the other one has so many bytes.
export function checkStem(length) {
  const major = bytes[pos] >> 5;
  if (major !== 0 && major !== 4) return text();
  if (major === 4 && things(head(4), 1) !== 2) fail('wrong length');
  const n = head(0);
  if (n > length) fail('wrong length');
  textStart = textEnd = 0;
  if (major === 4) text();
  textEnd += n;
  return '';
}

function isASCII(text) {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

// json reads a tailcfg.RawMessage: JSON that was never looked into. What isn't JSON is given as it is.
export function json() {
  if (brief) return text();
  const source = bytes[pos] >> 5 === 2 ? lossy.decode(byteString()) : textString();
  if (source === '') return null;
  try {
    return JSON.parse(source);
  } catch {
    return source;
  }
}

export function base64() {
  if (isNull()) return null;
  const value = byteString();
  return brief ? '' : base64Text(value);
}

// fixed reads a byte string of n bytes, and returns where they begin.
function fixed(n) {
  const start = take(head(2));
  if (pos - start !== n) fail('wrong length');
  return start;
}

// key reads a key. With omit, one of zeros gives an empty string.
export function key(prefix, omit) {
  const start = fixed(32);
  return brief || (omit && isZeros(start)) ? '' : hexText(bytes, start, pos, prefix);
}

export function hash(omit) {
  const start = fixed(32);
  return omit && isZeros(start) ? '' : base32Text(bytes.subarray(start, pos));
}

export function digest() {
  const start = fixed(16);
  return hexText(bytes, start, pos);
}

function isZeros(start) {
  for (let i = start; i < pos; i++) if (bytes[i] !== 0) return false;
  return true;
}

// optBool reads an opt.Bool: true, false, null if it is explicitly unset, undefined if it is empty.
export function optBool() {
  const major = bytes[pos] >> 5;
  if (major !== 2 && major !== 3) return bool();
  const value = text();
  return optBools.has(value) ? optBools.get(value) : value;
}

const optBools = new Map([['true', true], ['false', false], ['unset', null], ['', undefined]]);

// time reads a time. With omit, Go's zero time gives an empty string.
export function time(omit) {
  let n = 1;
  if (bytes[pos] >> 5 === 4) {
    n = head(4);
    if (n !== 2 && n !== 3) fail('wrong length');
  }
  const seconds = integer();
  const nanoseconds = n > 1 ? uint(999_999_999) : 0;
  const offset = n > 2 ? int() : 0;
  return brief ? '' : timeText(seconds, nanoseconds, offset, omit);
}

export function addr() {
  const start = take(head(2));
  checkAddr(pos - start);
  return brief ? '' : addrText(bytes, start, pos);
}

function checkAddr(length) {
  if (length < 0 || (length > 0 && length < 4) || (length > 4 && length < 16)) fail('wrong length');
}

export function addrPort() {
  const start = take(head(2));
  const end = pos - 2;
  checkAddr(end - start);
  return brief ? '' : addrText(bytes, start, end, bytes[end] | (bytes[end + 1] << 8));
}

export function prefix() {
  const start = take(head(2));
  const end = pos - 1;
  const bits = bytes[end];
  checkAddr(end - start);
  if (end > start + 16) fail('wrong length');
  if (bits > (end - start) * 8 && bits !== 255) fail('wrong length');
  if (brief) return '';
  return bits === 255 && end > start ? 'invalid Prefix' : addrText(bytes, start, end, undefined, bits);
}

// Containers

export function nullable(value) {
  return isNull() ? null : value();
}

const none = [];

export function list(value) {
  if (isNull()) return null;
  const n = things(head(4), 1);
  if (brief) {
    for (let i = 0; i < n; i++) value();
    return none;
  }
  const v = n < 64 ? new Array(n) : [];
  for (let i = 0; i < n; i++) v[i] = value();
  return v;
}

export function map(key, value) {
  if (isNull()) return null;
  const n = count();
  const v = {};
  let others; // whose keys are not UTF-8
  for (let i = 0; i < n; i++) {
    invalid = undefined;
    const k = key();
    if (invalid) {
      (others ??= []).push([invalid, k, value()]);
      continue;
    }
    if (Object.hasOwn(v, k)) fail('duplicate map key');
    set(v, k, value());
  }
  if (others) setOthers(v, others);
  return v;
}

// set sets a property, whatever its name.
function set(v, name, value) {
  if (name === '__proto__') Object.defineProperty(v, name, { value, enumerable: true, configurable: true, writable: true });
  else v[name] = value;
}

// setOthers sets properties by keys that aren't UTF-8. Where replacing what is to blame makes keys equal, that one stays
// which Go's JSON has last: the greatest by its bytes.
function setOthers(v, others) {
  others.sort((a, b) => compareBytes(a[0], b[0]));
  others.forEach(([raw, name, value], i) => {
    if (i > 0 && compareBytes(raw, others[i - 1][0]) === 0) fail('duplicate map key');
    if (!Object.hasOwn(v, name) || compareBytes(raw, new TextEncoder().encode(name)) > 0) set(v, name, value);
  });
}

export function compareBytes(a, b) {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
