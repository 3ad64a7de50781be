package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// Validate reports why ch may not be applied, or nil. The error is an [ErrBadKey] if a key of Put or of the guard
// is not valid, and another one if a key occurs twice in
// Put and Remove. Each Commit calls Validate before anything else.
func (ch Change) Validate() error {
	if g := ch.Guard; g != nil && !ValidKey(g.Key) {
		return fmt.Errorf("guard %q: %w", g.Key, ErrBadKey)
	}
	seen := make(map[string]bool, len(ch.Put)+len(ch.Remove))
	once := func(key string) error {
		if seen[key] {
			return fmt.Errorf("key %q occurs twice in a change", key)
		}
		seen[key] = true
		return nil
	}
	for _, e := range ch.Put {
		if !ValidKey(e.Key) {
			return fmt.Errorf("put %q: %w", e.Key, ErrBadKey)
		}
		if err := once(e.Key); err != nil {
			return err
		}
	}
	for _, key := range ch.Remove {
		if err := once(key); err != nil {
			return err
		}
	}
	return nil
}

// Check compares the result of loading g.Key, a value or an error, with what the
// guard demands. It reports nil if the guard holds, and an [ErrConflict] if it
// doesn't or if err is an [ErrDamaged]. It returns any other err, except
// [ErrKeyNotFound], wrapped.
func (g *Guard) Check(value []byte, err error) error {
	absent := errors.Is(err, ErrKeyNotFound)
	switch {
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("guard %q: %w: %w", g.Key, ErrConflict, err)
	case err != nil && !absent:
		return fmt.Errorf("guard %q: %w", g.Key, err)
	case absent != g.Absent, !absent && !bytes.Equal(value, g.Value):
		return fmt.Errorf("guard %q: %w", g.Key, ErrConflict)
	}
	return nil
}

// Commit applies ch to s. If s is a [Committer], it calls s.Commit. Otherwise it works step by
// step with the four methods of a [Store].
//
// Step by step, Commit writes in the order that [Committer.Commit] promises. So
// a reader that sees the last entry finds the others, provided that s makes
// writes durable in the order in which they are made. But Commit checks the guard
// before the first write and not again, so it overwrites what another writer changes in
// between. If a write fails, those before it stay.
func Commit(ctx context.Context, s Store, ch Change) error {
	if c, ok := s.(Committer); ok {
		return c.Commit(ctx, ch)
	}
	if err := ch.Validate(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if g := ch.Guard; g != nil {
		if err := g.Check(s.Load(ctx, g.Key)); err != nil {
			return err
		}
	}
	for _, e := range ch.Put {
		if err := s.Store(ctx, e.Key, e.Value); err != nil {
			return fmt.Errorf("put %q: %w", e.Key, err)
		}
	}
	var errs []error
	for _, key := range ch.Remove {
		if err := s.Remove(ctx, key); err != nil {
			errs = append(errs, fmt.Errorf("remove %q: %w", key, err))
		}
	}
	if len(ch.Put) > 0 {
		return nil // Put is in force; a later change can remove what remains
	}
	return errors.Join(errs...)
}
