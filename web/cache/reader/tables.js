// Reads structs by tables of their fields, which are generated: structs.js. One function goes through all of them, so that it
// soon runs as fast as it can. With a function for each struct a first load of 10,000 peers took 1.2 times the time of the main
// thread, and 1.4 times that of all threads (Node.js, in turn, medians of 7 processes); the code was a third longer.

import { at, brief, bytes, checkStem, count, fail, field, hash, invalid, isNull, key, list, map, nullable, position, skip, stem, text, textEnd, textStart, time, uint } from './decoder.js';

// zero and never tell when a field is left out of JSON: if its value is Go's zero value, or empty; or never.
export const zero = Symbol('zero');
const never = Symbol('never');

class Field {
  constructor([name, read, omit], always) {
    this.name = name;
    this.read = read; // it is given what has been read of the struct, and the bytes of strings that aren't UTF-8; or lengths of strings
    this.omit = always ? never : omit; // the value with which it is left out
  }
}

// struct returns a function that reads a struct. Unknown reads fields that aren't in its table. Zeros returns one of JSON with what is never left out. A row is a name, a
// function that reads the field, and the value with which it is left out, if there is one. If field number copy is
// left out, it is the same list as another one.
export function struct(unknown, zeros, rows, copy, of) {
  const fields = rows.map((row) => new Field(row, row.length === 2));
  const lengths = new Uint32Array(rows.length);
  return () => (brief ? check(fields, lengths, unknown) : read(fields, zeros(), unknown, copy, of));
}

function read(fields, v, unknown, copy, of) {
  let odd; // bytes of strings that aren't UTF-8, by number; of other fields they mean nothing
  let copied = copy === undefined;
  for (let left = count(), n = 0; left > 0; left--) {
    n = field(n);
    const f = n < 0 ? undefined : fields[n];
    if (f === undefined) {
      unknown(n, v);
      continue;
    }
    const x = f.read(v, odd);
    if (invalid !== undefined) (odd ??= [])[n] = invalid;
    if (n === copy) copied = true;
    if (x !== f.omit && (f.omit !== zero || !isZero(x))) v[f.name] = x;
  }
  if (!copied && v[of]) v[fields[copy].name] = v[of].slice();
  return v;
}

// check goes through a struct without making anything of it. It keeps the lengths of strings; of other fields they mean nothing.
function check(fields, lengths, unknown) {
  for (let left = count(), n = 0; left > 0; left--) {
    const last = n;
    n = field(n);
    for (let i = last + 1; i < n && i < lengths.length; i++) lengths[i] = 0;
    const f = n < 0 ? undefined : fields[n];
    if (f === undefined) {
      unknown(n, {});
      continue;
    }
    f.read(undefined, lengths);
    lengths[n] = textEnd - textStart;
  }
}

// isZero tells the zero value of Go, which a negative zero isn't, and what is empty.
function isZero(x) {
  if (typeof x !== 'object' || x === null) return x === '' || x === false || x === null || Object.is(x, 0);
  if (Array.isArray(x)) return x.length === 0;
  for (const name in x) return name === undefined;
  return true;
}

// What follows returns functions that read values, made of others.

export const uintOf = (max) => () => uint(max);
export const timeOf = (omit) => () => time(omit);
export const keyOf = (prefix, omit) => () => key(prefix, omit);
export const hashOf = (omit) => () => hash(omit);
export const nullableOf = (value) => () => nullable(value);
export const listOf = (value) => () => list(value);
export const mapOf = (key, value) => () => (brief && key === text ? checkMap(value) : map(key, value));

// stemOf reads strings that may begin like the one in another field of the struct.
export const stemOf = (name, n) => (v, odd) => (brief ? checkStem(odd[n]) : stem(v[name] ?? '', odd?.[n]));

// checkMap checks a map with strings as keys. Go writes them in order, the shorter ones first, which shows that no two are equal.
function checkMap(value) {
  if (isNull()) return;
  const n = count();
  const first = position();
  let ordered = true;
  for (let i = 0, start = 0, end = 0; i < n; i++) {
    text();
    if (i > 0 && ordered && !isBefore(start, end)) {
      ordered = false;
      at(first, () => checkKeys(n));
    }
    start = textStart;
    end = textEnd;
    value();
  }
}

// isBefore reports whether other bytes come before those of the string read last.
function isBefore(start, end) {
  const longer = textEnd - textStart - (end - start);
  for (let i = 0; longer === 0 && start + i < end; i++) {
    const more = bytes[textStart + i] - bytes[start + i];
    if (more !== 0) return more > 0;
  }
  return longer > 0;
}

function checkKeys(n) {
  const keys = new Set();
  for (let i = 0; i < n; i++) {
    text();
    keys.add(bytes.subarray(textStart, textEnd).join());
    skip();
  }
  if (keys.size < n) fail('duplicate map key');
}
