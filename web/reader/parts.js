// Which part of a list an element belongs to: FNV-1a of 64 bits, its upper half folded into the lower one, of which
// alone a power of two of parts makes use.

const utf8 = new TextEncoder();

// partOf returns the index of the part, among so many, for an element with an ID, given as text or as its bytes.
export function partOf(id, parts) {
  const bytes = typeof id !== 'string' ? id : /^[\0-\x7f]*$/.test(id) ? undefined : utf8.encode(id);
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (let i = 0; i < (bytes ?? id).length; i++) {
    low = (low ^ (bytes ? bytes[i] : id.charCodeAt(i))) >>> 0;
    // times 2^40 + 435
    const product = low * 435;
    high = (Math.imul(high, 435) + Math.floor(product / 0x100000000) + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return ((low ^ high) >>> 0) & (parts - 1);
}

// userPart is partOf for a user's ID, whose bytes are those of a number of 64 bits, the lowest first, as browsers' machines have it.
export function userPart(id, parts) {
  return partOf(new Uint8Array(BigInt64Array.of(BigInt(id)).buffer), parts);
}
