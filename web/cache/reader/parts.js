// Which part of a list an element belongs to: FNV-1a of 64 bits, its upper half folded into the lower one, of which
// alone a power of two of parts makes use.

// partOf returns the index of the part, among so many, for an element whose ID is in bytes.
export function partOf(bytes, start, end, parts) {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (let i = start; i < end; i++) {
    low = (low ^ bytes[i]) >>> 0;
    // times 2^40 + 435
    const product = low * 435;
    high = (Math.imul(high, 435) + Math.floor(product / 0x100000000) + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return ((low ^ high) >>> 0) & (parts - 1);
}

const word = new DataView(new ArrayBuffer(8));
const wordBytes = new Uint8Array(word.buffer);

// userPart is partOf for a user's ID, whose bytes are those of a number of 64 bits, the lowest first.
export function userPart(id, parts) {
  if (typeof id === 'number') {
    word.setInt32(0, id, true);
    word.setInt32(4, Math.floor(id / 0x100000000), true);
  } else {
    word.setBigInt64(0, BigInt(id), true);
  }
  return partOf(wordBytes, 0, 8, parts);
}
