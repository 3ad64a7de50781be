//go:build js

package idbstore

import (
	"errors"
	"testing"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore/internal/browser"
)

func TestSubscribe(t *testing.T) {
	ctx, database := t.Context(), databaseOf(t)
	a, b := open(t, database), open(t, database)
	other := open(t, database+"2")

	changed := make(chan bool, 10)
	cancel := a.Subscribe(func() { changed <- true })
	live := browser.LiveFuncs()
	listener := openChannel(database)
	defer listener.Close()
	var messages int
	remove := listener.OnMessage(func() { messages++ })
	defer remove()

	conflict := store.Change{Guard: &store.Guard{Key: "a", Absent: true}, Put: []store.Entry{{Key: "b"}}}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"Store", func() error { return b.Store(ctx, "a", nil) }},
		{"Remove", func() error { return b.Remove(ctx, "a") }},
		{"Commit", func() error { return b.Commit(ctx, store.Change{Put: []store.Entry{{Key: "a"}}}) }},
		{"Delete", func() error { return Delete(ctx, database) }},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		<-changed
	}

	// The subscriber hears of none of these, and nobody of the last two.
	if err := a.Store(ctx, "a", nil); err != nil {
		t.Fatal(err)
	}
	if err := other.Store(ctx, "a", nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(ctx, conflict); !errors.Is(err, store.ErrConflict) {
		t.Fatal(err)
	}
	if err := b.Store(ctx, "z", nil); err != nil {
		t.Fatal(err)
	}
	<-changed
	if len(changed) != 0 {
		t.Errorf("%d calls too many", len(changed))
	}

	cancel()
	cancel()
	settle(t, "functions", browser.LiveFuncs, live)
	if err := b.Store(ctx, "z", nil); err != nil {
		t.Fatal(err)
	}
	ended := a.Subscribe(func() { changed <- true })
	defer ended()
	a.Close()
	settle(t, "functions", browser.LiveFuncs, live-2)
	if len(changed) != 0 {
		t.Error("called after cancel")
	}
	settle(t, "messages missing", func() int { return 7 - messages }, 0)
	if messages != 7 {
		t.Errorf("%d messages for 7 changes", messages)
	}
}

func TestWithoutBroadcastChannel(t *testing.T) {
	saved := mustRun(t, `const saved = globalThis.BroadcastChannel; delete globalThis.BroadcastChannel; return saved`)
	defer mustRun(t, `globalThis.BroadcastChannel = a`, saved)
	s := open(t, databaseOf(t))
	cancel := s.Subscribe(func() { t.Error("called") })
	if err := s.Store(t.Context(), "a", nil); err != nil {
		t.Error(err)
	}
	cancel()
}
