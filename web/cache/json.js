// Writes arguments as JSON, in small pieces.

import { isObject } from './check.js';
import { NetmapCacheError } from './error.js';
import { breather } from './reader/breathe.js';

// toJSON returns the JSON of an object or a list. A large one is written while others have their turn, so it must not be
// changed meanwhile; a small one is written at once.
export async function toJSON(value, check) {
  const pieces = [];
  const breathe = breather(check);
  for (const piece of write(value, 2)) {
    pieces.push(piece);
    const turn = breathe();
    if (turn) await turn;
  }
  return pieces.join('');
}

// write yields the JSON of a value: of objects and lists, on so many levels, that of each element by itself.
function* write(value, levels) {
  const isList = Array.isArray(value);
  if (levels === 0 || !(isList || isObject(value)) || value.toJSON) {
    yield stringify(value) ?? 'null';
    return;
  }
  let before = '';
  yield isList ? '[' : '{';
  for (const [name, element] of Object.entries(value)) {
    if (!isList && (element === undefined || typeof element === 'function')) continue;
    yield isList ? before : `${before}${stringify(name)}:`;
    yield* write(element, levels - 1);
    before = ',';
  }
  yield isList ? ']' : '}';
}

function stringify(value) {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw new NetmapCacheError('invalid-argument', `argument can't be written as JSON: ${cause.message}`, { cause });
  }
}
