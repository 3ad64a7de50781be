//go:build js && wasm

// Command hello is the least Go program that can tell a page that it runs. With it
// make bench-web measures what any Go program in a page costs.
package main

import "syscall/js"

func main() { js.Global().Call("ready") }
