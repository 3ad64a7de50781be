//go:build js && wasm

// Command limit opens and seals packets for limit.js.
package main

import (
	"encoding/hex"
	"syscall/js"

	"github.com/netmapcache/netmapcache/internal/packets"
)

func main() {
	var flow *packets.Flow
	packet := make([]byte, packets.SealedSize)
	bytes := js.Global().Get("Uint8Array")
	js.Global().Call("ready", map[string]any{
		// begin(key, size) begins a flow.
		"begin": js.FuncOf(func(_ js.Value, args []js.Value) any {
			key, err := hex.DecodeString(args[0].String())
			if err == nil {
				flow, err = packets.New(key, args[1].Int())
			}
			if err != nil {
				panic(err)
			}
			return nil
		}),
		// open(message) opens the next packet, and returns how many bytes are still to come.
		"open": js.FuncOf(func(_ js.Value, args []js.Value) any {
			n := js.CopyBytesToGo(packet, bytes.New(args[0]))
			if err := flow.Open(packet[:n]); err != nil {
				panic(err)
			}
			return flow.Left()
		}),
		// send(socket, most) sends packets, as many at most, and returns how many bytes are still to come.
		"send": js.FuncOf(func(_ js.Value, args []js.Value) any {
			for range min(args[1].Int(), (flow.Left()+packets.Size-1)/packets.Size) {
				sealed := flow.Seal()
				message := bytes.New(len(sealed))
				js.CopyBytesToJS(message, sealed)
				args[0].Call("send", message)
			}
			return flow.Left()
		}),
	})
	select {}
}
