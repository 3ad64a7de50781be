//go:build js

package browser

import "syscall/js"

// A Channel is a BroadcastChannel. A message reaches every other
// channel of the same name and origin, in this page and elsewhere. In a browser without
// BroadcastChannel, and on the zero Channel, it reaches nobody.
type Channel struct {
	raw js.Value
}

// NewChannel opens the channel of that name.
func NewChannel(name string) Channel {
	raw, err := Try(func() (js.Value, error) {
		class, err := Global("BroadcastChannel")
		if err != nil {
			return js.Undefined(), err
		}
		return class.New(name), nil
	})
	if err != nil {
		return Channel{}
	}
	return Channel{raw}
}

// Post sends a message without content.
func (c Channel) Post() {
	if c.raw.Truthy() {
		// This throws if the channel has been closed, and then the message isn't needed.
		Try(func() (js.Value, error) { return c.raw.Call("postMessage", js.Null()), nil })
	}
}

// OnMessage calls fn for each message of another channel. fn runs as in [Listen].
func (c Channel) OnMessage(fn func()) (remove func()) {
	if !c.raw.Truthy() {
		return func() {}
	}
	return Listen(c.raw, "message", func(js.Value) { fn() })
}

// Close ends the channel.
func (c Channel) Close() {
	if c.raw.Truthy() {
		c.raw.Call("close")
	}
}
