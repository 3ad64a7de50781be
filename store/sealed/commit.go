package sealed

import (
	"bytes"
	"context"
	"errors"

	"github.com/netmapcache/netmapcache/store"
)

// A committer makes a sealed store a [store.Committer].
type committer struct {
	o     *outer
	inner store.Committer
}

// Commit implements [store.Committer]. The same value is sealed differently each
// time. So Commit itself compares the guard with the stored value, and the guard of the inner
// store's change makes sure that this value is still there when the change is applied.
func (c committer) Commit(ctx context.Context, ch store.Change) error {
	if err := ch.Validate(); err != nil {
		return err
	}
	var sealed store.Change
	for _, e := range ch.Put {
		sealed.Put = append(sealed.Put, c.o.seal(e))
	}
	for _, key := range ch.Remove {
		sealed.Remove = append(sealed.Remove, c.o.sealName(key))
	}
	if ch.Guard == nil {
		return c.inner.Commit(ctx, sealed)
	}
	for {
		last := sealed.Guard
		var err error
		if sealed.Guard, err = c.guard(ctx, ch.Guard); err != nil {
			return err
		}
		err = c.inner.Commit(ctx, sealed)
		// Another writer may have sealed an equal value again. Then the guard still holds.
		if !errors.Is(err, store.ErrConflict) || ch.Guard.Absent || last != nil && bytes.Equal(last.Value, sealed.Guard.Value) {
			return err
		}
	}
}

// guard returns the condition on the inner store that corresponds to g, or an error
// if g doesn't hold.
func (c committer) guard(ctx context.Context, g *store.Guard) (*store.Guard, error) {
	stored := c.o.sealName(g.Key)
	if g.Absent {
		return &store.Guard{Key: stored, Absent: true}, nil
	}
	value, err := c.inner.Load(ctx, stored)
	sealed := bytes.Clone(value)
	if err == nil {
		value, err = c.o.open(stored, value)
	}
	plain := store.Guard{Key: stored, Value: g.Value}
	if err := plain.Check(value, err); err != nil {
		return nil, err
	}
	return &store.Guard{Key: stored, Value: sealed}, nil
}
