package node

import (
	"context"
	"errors"
	"strings"
	"testing"

	"tailscale.com/types/logger"
)

// TestOtherControl starts a node with the keys of another control server's, before and after that was told of a logout.
func TestOtherControl(t *testing.T) {
	r := newRig(t)
	first := r.start()
	key := first.awaitSaved().NodeKey
	first.Stop()
	elsewhere := Options{
		ControlURL: r.url, Claim: r.url + "/else", Hostname: "test", Networks: r.networks, Keys: r.keys,
		OnState: func(State) {}, OnMark: func(Mark) {}, Logf: logger.Discard,
	}
	before := r.network.Registrations()
	if _, err := Start(elsewhere); !errors.Is(err, ErrOtherControl) || !strings.Contains(err.Error(), r.url) {
		t.Errorf("Start: %v; want %v with the other's URL", err, ErrOtherControl)
	}
	if told := r.network.Registrations() - before; told != 0 {
		t.Errorf("control was told %d times", told)
	}
	second := r.start()
	if again := second.awaitSaved().NodeKey; again != key {
		t.Error("the node has another key after that")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := second.Logout(ctx); err != nil {
		t.Fatal(err)
	}
	second.Stop()
	third, err := Start(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	third.Stop()
}
