package main

import (
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/coder/websocket"
	"github.com/netmapcache/netmapcache/internal/packets"
)

// maxLimitBytes is how many bytes /-/limit sends and takes at most.
const maxLimitBytes = 1 << 30

// serveLimit sends packets over a plain WebSocket, a message each, or takes them, and tells at the end how many bytes came. What
// passes through the relay can't be faster: make bench-client compares the two.
func serveLimit(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	key, _ := hex.DecodeString(query.Get("key"))
	size, _ := strconv.Atoi(query.Get("bytes"))
	way := query.Get("way")
	flow, err := packets.New(key, size)
	if err != nil || size < 1 || size > maxLimitBytes || way != "down" && way != "up" {
		http.Error(w, "the query must be like way=down&bytes=8000000&key=<64 hexadecimal digits>", http.StatusBadRequest)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it has answered
	}
	defer conn.CloseNow()
	for flow.Left() > 0 {
		if way == "down" {
			err = conn.Write(r.Context(), websocket.MessageBinary, flow.Seal())
		} else if _, packet, readErr := conn.Read(r.Context()); readErr != nil {
			err = readErr
		} else if err = flow.Open(packet); err != nil {
			conn.Close(websocket.StatusPolicyViolation, err.Error())
		}
		if err != nil {
			return
		}
	}
	if way == "up" {
		conn.Write(r.Context(), websocket.MessageText, strconv.AppendInt(nil, int64(size), 10))
	}
	conn.Close(websocket.StatusNormalClosure, "")
}
