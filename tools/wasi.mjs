// Runs a WASI program, which may use the directories of this machine.
import {readFile} from 'node:fs/promises';
import {argv, cwd, env} from 'node:process';
import {WASI} from 'node:wasi';

const [, , program, ...args] = argv;
const wasi = new WASI({version: 'preview1', args: [program, ...args], env: {...env, PWD: cwd()}, preopens: {'/': '/'}, returnOnExit: false});
wasi.start(await WebAssembly.instantiate(await WebAssembly.compile(await readFile(program)), wasi.getImportObject()));
