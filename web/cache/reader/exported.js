// A snapshot in one file, as Cache.Export of Go writes it: an array of byte strings, the root and then its columns.

import { byteString, decodeAny, list } from './decoder.js';
import { corrupt, readColumn } from './root.js';
import { columnKeys, openRoot, Snapshot } from './snapshot.js';

const name = 'exported snapshot';

// writeExported returns the file for the values of a snapshot.
export function writeExported(values) {
  const pieces = [head(4, values.length), ...values.flatMap((value) => [head(2, value.length), value])];
  const file = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    file.set(piece, at);
    at += piece.length;
  }
  return file;
}

// head returns the head of a value of a major type, in its shortest form.
function head(major, n) {
  if (n < 24) return [(major << 5) | n];
  const size = n < 0x100 ? 1 : n < 0x10000 ? 2 : 4;
  const bytes = [(major << 5) | (24 + Math.log2(size))];
  for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes.push((n >>> shift) & 0xff);
  return bytes;
}

// readExported returns the snapshot in a file: exactly the columns that its root names, in their order.
export async function readExported(file) {
  const values = readColumn(name, () => decodeAny(file, () => list(byteString)));
  if (values.length === 0) throw corrupt(name, 'empty');
  const [value, ...columns] = values;
  const root = await openRoot(value);
  if (!root) throw corrupt(name, 'not a root');
  if (columnKeys(value).length !== columns.length) throw corrupt(name, 'wrong number of columns');
  return Snapshot.make(value, root, columns);
}
