// A bound for the rules of a packet filter, which Go parses when it loads: what they make is to be in proportion to what they are.

const slack = 1 << 19;
const perElement = 96;
const matchWeight = 3; // prefixes that a match counts as

// makesTooMuch reports whether rules make more prefixes and matches than they may: a grant becomes a match for each of its
// destinations with each of its capabilities, and a range of addresses up to 254 prefixes.
export function makesTooMuch(rules) {
  let elements = 0;
  let made = 0;
  const address = (text) => {
    elements++;
    made += 1 + prefixesOf(text);
  };
  for (const { SrcIPs, DstPorts, CapGrant } of rules) {
    SrcIPs?.forEach(address);
    DstPorts?.forEach(({ IP }) => address(IP));
    for (const { Dsts, Caps, CapMap } of CapGrant ?? []) {
      const destinations = Dsts?.length ?? 0;
      const capabilities = (Caps?.length ?? 0) + Object.keys(CapMap ?? {}).length;
      elements += destinations + capabilities;
      made += matchWeight * destinations * capabilities;
    }
    if (made > slack + perElement * elements) return true;
  }
  return false;
}

// prefixesOf returns how many prefixes a range of addresses consists of, 0 if text is none.
function prefixesOf(text) {
  const dash = text.indexOf('-');
  if (dash < 0) return 0;
  const from = bitsOf(text.slice(0, dash));
  const to = bitsOf(text.slice(dash + 1));
  if (!from || from.length !== to?.length || from > to) return 0;
  let same = 0;
  while (same < from.length && from[same] === to[same]) same++;
  const low = from.slice(same + 1); // of the lower half, which begins at from
  const high = to.slice(same + 1); // of the upper half, which ends at to
  if (!low.includes('1') && !high.includes('0')) return 1;
  const digits = (bits, digit, beforeLast) => bits.slice(0, Math.max(bits.lastIndexOf(beforeLast), 0)).split(digit).length;
  return digits(low, '0', '1') + digits(high, '1', '0');
}

// bitsOf returns the bits of an IP address without a zone, undefined if text is none.
function bitsOf(text) {
  const octets = (part) => /^\d{1,3}(\.\d{1,3}){3}$/.test(part) && part.split('.').every((n) => n < 256 && (n === '0' || n[0] !== '0')) && part.split('.').map(Number);
  const bits = (numbers, size) => numbers.map((n) => n.toString(2).padStart(size, '0')).join('');
  if (!text.includes(':')) return octets(text) ? bits(octets(text), 8) : undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [left, right] = halves.map((half, i) => groupsOf(half, i === halves.length - 1 ? octets : () => false));
  if (!left || (halves.length > 1 && !right)) return undefined;
  const missing = 8 - left.length - (right?.length ?? 0);
  if (halves.length > 1 ? missing < 1 : missing !== 0) return undefined;
  return bits([...left, ...Array(missing).fill(0), ...(right ?? [])], 16);
}

function groupsOf(half, octets) {
  if (half === '') return [];
  const groups = half.split(':');
  const v4 = octets(groups.at(-1));
  if (v4) groups.splice(-1, 1, ((v4[0] << 8) | v4[1]).toString(16), ((v4[2] << 8) | v4[3]).toString(16));
  return groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group)) ? groups.map((group) => parseInt(group, 16)) : undefined;
}
