// A WebAssembly program with the imports and exports of a Go program, that does
// nothing but set a timer of 0 ms and exit with code 0:
//
//   (module
//     (import "gojs" "runtime.wasmExit" (func $exit (param i32)))
//     (import "gojs" "runtime.scheduleTimeoutEvent" (func $timer (param i32)))
//     (memory (export "mem") 1)
//     (func (export "run") (param i32 i32) (call $timer (i32.const 0)) (call $exit (i32.const 0)))
//     (func (export "resume"))
//     (func (export "getsp") (result i32) (i32.const 0)))
const section = (id, ...content) => [id, content.length, ...content];
const name = (text) => [text.length, ...Buffer.from(text)];

export const exitingWasm = Buffer.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  // types: 0 (i32), 1 (i32 i32), 2 (), 3 () -> i32
  ...section(1, 4, 0x60, 1, 0x7f, 0, 0x60, 2, 0x7f, 0x7f, 0, 0x60, 0, 0, 0x60, 0, 1, 0x7f),
  ...section(2, 2, ...name('gojs'), ...name('runtime.wasmExit'), 0x00, 0, ...name('gojs'), ...name('runtime.scheduleTimeoutEvent'), 0x00, 0),
  ...section(3, 3, 1, 2, 3),
  ...section(5, 1, 0x00, 1),
  ...section(7, 4, ...name('mem'), 0x02, 0, ...name('run'), 0x00, 2, ...name('resume'), 0x00, 3, ...name('getsp'), 0x00, 4),
  ...section(10, 3, 10, 0, 0x41, 0, 0x10, 1, 0x41, 0, 0x10, 0, 0x0b, 2, 0, 0x0b, 4, 0, 0x41, 0, 0x0b),
]);
