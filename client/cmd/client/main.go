//go:build js && wasm

// Command client is the reference client for browsers: it follows the network map of
// a control server with Tailscale's own control client, and keeps it in IndexedDB.
//
// The page that starts it passes an object named netmapcacheHost as a property of the
// program's global object, which is the program's own, not the page's. Its properties are
//
//	database             the name of the cache's database; the node's keys are in one named <database>-keys
//	controlURL           the control server, which also is the owner of the cache
//	hostname             what the node calls itself
//	ready(commands)      the program runs
//	state(state)         something changed; the argument is made by stateValue
//	ended(message)       the program ends: because it was stopped, if the message is empty
//
// and the commands are
//
//	netmap()  the network map so far, as JSON text with the names of netmap.NetworkMap and tailcfg, or null
//	retry()   try to reach control now, if waiting
//	stop()    end
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"syscall/js"
	"time"

	"github.com/netmapcache/netmapcache/client/internal/session"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/idbstore"
	"tailscale.com/envknob"
	"tailscale.com/types/logger"
)

func main() {
	log.SetFlags(0)
	envknob.SetNoLogsNoSupport()
	host := js.Global().Get("netmapcacheHost")
	message := ""
	if err := run(host); err != nil {
		message = err.Error()
	}
	host.Call("ended", message)
}

// run runs the client until the page stops it.
func run(host js.Value) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	database := host.Get("database").String()
	controlURL := host.Get("controlURL").String()

	networks, err := idbstore.Open(ctx, database)
	if err != nil {
		return fmt.Errorf("open the store of the network map: %w", err)
	}
	defer networks.Close()
	// Another database: the store of a cache is the cache's alone.
	keys, err := idbstore.Open(ctx, database+"-keys")
	if err != nil {
		return fmt.Errorf("open the store of this node's keys: %w", err)
	}
	defer keys.Close()

	client, err := session.New(ctx, session.Options{
		ControlURL: controlURL,
		Hostname:   host.Get("hostname").String(),
		Cache:      netmapcache.NewCache(networks, netmapcache.WithOwner(controlURL)),
		Identity:   keys,
		OnState:    func(s session.State) { host.Call("state", stateValue(s)) },
		Logf:       logger.Discard,
	})
	if err != nil {
		return err
	}

	commands := map[string]any{
		"netmap": js.FuncOf(func(js.Value, []js.Value) any { return netmapText(client) }),
		"retry":  js.FuncOf(func(js.Value, []js.Value) any { client.Retry(); return nil }),
		"stop":   js.FuncOf(func(js.Value, []js.Value) any { stop(); return nil }),
	}
	host.Call("ready", commands)
	client.Run(ctx)
	return nil
}

// netmapText returns the client's network map as JSON text, or nil.
func netmapText(client *session.Client) any {
	nm := client.Netmap()
	if nm == nil {
		return nil
	}
	nm.PacketFilter, nm.AllCaps = nil, nil // they follow from PacketFilterRules and SelfNode
	text, err := json.Marshal(nm)
	if err != nil {
		log.Printf("network map as JSON: %v", err)
		return nil
	}
	return string(text)
}

// stateValue returns s as JavaScript sees it: times are in milliseconds since 1970, 0 for none.
func stateValue(s session.State) map[string]any {
	nodeKey := ""
	if !s.NodeKey.IsZero() {
		nodeKey = s.NodeKey.String()
	}
	return map[string]any{
		"phase":     string(s.Phase),
		"since":     millis(s.Since),
		"retryAt":   millis(s.RetryAt),
		"loginURL":  s.LoginURL,
		"error":     s.Error,
		"nodeKey":   nodeKey,
		"fullMaps":  s.FullMaps,
		"deltas":    s.Deltas,
		"saved":     s.Saved,
		"savedAt":   millis(s.SavedAt),
		"saveError": s.SaveError,
	}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
