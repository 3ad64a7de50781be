// The texts that keys, addresses, times and bytes have in tailcfg's JSON.

// Texts are put together in here, as ASCII: joined from pieces, they would take several times the memory.
export const longest = 128;
const codes = new Uint8Array(longest);
let length = 0;

const arrays = []; // by length

// flat returns the text that was put together.
function flat() {
  const array = (arrays[length] ??= new Array(length).fill(0));
  for (let i = 0; i < length; i++) array[i] = codes[i];
  length = 0;
  return String.fromCharCode.apply(null, array);
}

// plainText returns bytes as text if they are ASCII, some at least, and at most as many as a name has.
export function plainText(bytes, start, end) {
  if (start === end || end - start > longest) return undefined;
  for (let i = start; i < end; i++) if (bytes[i] > 0x7f) return undefined;
  return asciiText(bytes, start, end);
}

// asciiText returns ASCII as text: at most as long as a name.
export function asciiText(bytes, start, end) {
  for (let i = start; i < end; i++) codes[length++] = bytes[i];
  return flat();
}

function put(text) {
  for (let i = 0; i < text.length; i++) codes[length++] = text.charCodeAt(i);
}

function putNumber(n) {
  if (n >= 10) putNumber(Math.trunc(n / 10));
  codes[length++] = 0x30 + (n % 10);
}

// putDigits puts n with so many digits.
function putDigits(n, digits) {
  for (let i = length + digits - 1; i >= length; i--) {
    codes[i] = 0x30 + (n % 10);
    n = Math.trunc(n / 10);
  }
  length += digits;
}

const putHexDigit = (n) => (codes[length++] = n < 10 ? 0x30 + n : 0x57 + n);

// hexText writes bytes as hexadecimal digits behind a prefix: some 40 at most.
export function hexText(bytes, start, end, prefix = '') {
  put(prefix);
  for (let i = start; i < end; i++) {
    putHexDigit(bytes[i] >> 4);
    putHexDigit(bytes[i] & 15);
  }
  return flat();
}

export function base64Text(bytes) {
  if (bytes.toBase64) return bytes.toBase64();
  const pieces = [];
  for (let i = 0; i < bytes.length; i += 4096) pieces.push(String.fromCharCode.apply(null, bytes.subarray(i, i + 4096)));
  return btoa(pieces.join(''));
}

// base32Text writes base32 (RFC 4648) without padding.
export function base32Text(bytes) {
  let text = '';
  let bits = 0;
  let n = 0;
  const digit = () => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[bits & 31];
  for (const b of bytes) {
    n += 8;
    const all = (bits << 8) | b;
    for (; n >= 5; n -= 5) {
      bits = all >> (n - 5);
      text += digit();
    }
    bits = all & ((1 << n) - 1);
  }
  if (n > 0) {
    bits <<= 5 - n;
    text += digit();
  }
  return text;
}

// addrText writes an IP address, of 4 bytes, or of 16 with its zone behind them as RFC 5952 has it. Then come a port or a number of
// bits, if they are given. No bytes give an empty text.
export function addrText(bytes, start, end, port, bits) {
  if (start === end) return '';
  const v4 = end - start === 4;
  if (!v4 && port !== undefined) put('[');
  if (v4) putIPv4(bytes, start);
  else putIPv6(bytes, start);
  if (end > start + 16) return withZone(flat(), bytes.slice(start + 16, end), port);
  if (!v4 && port !== undefined) put(']');
  if (port !== undefined) {
    put(':');
    putNumber(port);
  }
  if (bits !== undefined) {
    put('/');
    putNumber(bits);
  }
  return flat();
}

function withZone(text, zone, port) {
  const address = `${text}%${bytesText(zone)}`;
  return port === undefined ? address : `${address}]:${port}`;
}

function putIPv4(bytes, i) {
  for (let j = 0; j < 4; j++) {
    if (j > 0) put('.');
    putNumber(bytes[i + j]);
  }
}

function putIPv6(bytes, start) {
  if (isMapped(bytes, start)) {
    put('::ffff:');
    putIPv4(bytes, start + 12);
    return;
  }
  const group = (i) => (bytes[start + 2 * i] << 8) | bytes[start + 2 * i + 1];
  // The longest run of zero groups, the first of them, if it is of two or more.
  let runStart = 8;
  let runEnd = 8;
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && group(j) === 0) j++;
    if (j - i > 1 && j - i > runEnd - runStart) [runStart, runEnd] = [i, j];
    i = Math.max(i, j - 1);
  }
  for (let i = 0; i < 8; i++) {
    if (i === runStart) {
      put('::');
      i = runEnd;
      if (i >= 8) break;
    } else if (i > 0) put(':');
    const n = group(i);
    for (let shift = n < 16 ? 0 : n < 256 ? 4 : n < 4096 ? 8 : 12; shift >= 0; shift -= 4) putHexDigit((n >> shift) & 15);
  }
}

function isMapped(bytes, start) {
  for (let i = 0; i < 10; i++) if (bytes[start + i] !== 0) return false;
  return bytes[start + 10] === 0xff && bytes[start + 11] === 0xff;
}

// bytesText decodes UTF-8; each byte that isn't part of it becomes U+FFFD, as in Go.
export function bytesText(bytes) {
  const out = [];
  for (let i = 0; i < bytes.length; ) {
    const n = sequence(bytes, i);
    if (n === 0) {
      out.push(0xef, 0xbf, 0xbd);
      i++;
    }
    for (const end = i + n; i < end; i++) out.push(bytes[i]);
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array(out));
}

// sequence returns the length of the sequence of UTF-8 at i, 0 if there is none.
export function sequence(bytes, i) {
  const first = bytes[i];
  const within = (at, low, high) => bytes[at] >= low && bytes[at] <= high;
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return within(i + 1, 0x80, 0xbf) ? 2 : 0;
  if (first < 0xf0) return within(i + 1, first === 0xe0 ? 0xa0 : 0x80, first === 0xed ? 0x9f : 0xbf) && within(i + 2, 0x80, 0xbf) ? 3 : 0;
  if (first > 0xf4) return 0;
  const second = within(i + 1, first === 0xf0 ? 0x90 : 0x80, first === 0xf4 ? 0x8f : 0xbf);
  return second && within(i + 2, 0x80, 0xbf) && within(i + 3, 0x80, 0xbf) ? 4 : 0;
}

const zeroSeconds = -62135596800; // of the first day of the year 1, Go's zero time
const minSeconds = -62167219200; // of the year 0
const maxSeconds = 253402300799; // the last of the year 9999

// timeText writes a time as of RFC 3339. It has years of four digits, and offsets of less than a day: a time beyond
// those years becomes the first or last within, one of another offset is written as UTC.
// With omit, Go's zero time gives an empty text.
export function timeText(seconds, nanoseconds, offset, omit) {
  if (omit && seconds === zeroSeconds && nanoseconds === 0) return '';
  const minutes = Math.trunc(offset / 60);
  if (Math.abs(minutes) >= 24 * 60) offset = 0;
  putTime(Math.min(Math.max(Number(seconds) + offset, minSeconds), maxSeconds));
  if (nanoseconds > 0) {
    put('.');
    putDigits(nanoseconds, 9);
    while (codes[length - 1] === 0x30) length--;
  }
  if (offset === 0) {
    put('Z');
  } else {
    put(minutes < 0 ? '-' : '+');
    putDigits(Math.trunc(Math.abs(minutes) / 60), 2);
    put(':');
    putDigits(Math.abs(minutes) % 60, 2);
  }
  return flat();
}

const daySeconds = 24 * 60 * 60;

// putTime puts date and time. The calendar is counted from March of the year 0, by eras of 400 years.
function putTime(seconds) {
  const day = Math.floor(seconds / daySeconds);
  const time = seconds - day * daySeconds;
  const shifted = day + 719468;
  const era = Math.floor(shifted / 146097);
  const ofEra = shifted - era * 146097;
  const year = Math.trunc((ofEra - Math.trunc(ofEra / 1460) + Math.trunc(ofEra / 36524) - Math.trunc(ofEra / 146096)) / 365);
  const ofYear = ofEra - (365 * year + Math.trunc(year / 4) - Math.trunc(year / 100));
  const month = Math.trunc((5 * ofYear + 2) / 153);
  putDigits(year + era * 400 + (month < 10 ? 0 : 1), 4);
  put('-');
  putDigits(month < 10 ? month + 3 : month - 9, 2);
  put('-');
  putDigits(ofYear - Math.trunc((153 * month + 2) / 5) + 1, 2);
  put('T');
  putDigits(Math.trunc(time / 3600), 2);
  put(':');
  putDigits(Math.trunc(time / 60) % 60, 2);
  put(':');
  putDigits(time % 60, 2);
}
