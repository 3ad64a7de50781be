/** The WebAssembly program, as bundlers give it: its address, for the option `wasm` of `openCache`. */
declare const address: string;
export default address;
