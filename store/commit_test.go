package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/plainstore"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
)

func TestValidKey(t *testing.T) {
	for key, want := range map[string]bool{
		"":                       false,
		"a":                      true,
		" ~":                     true,
		"a\x1f":                  false,
		"a\x7f":                  false,
		"é":                      false,
		"\xff":                   false,
		strings.Repeat("k", 100): true,
		strings.Repeat("k", 101): false,
	} {
		if got := store.ValidKey(key); got != want {
			t.Errorf("ValidKey(%q) = %v, want %v", key, got, want)
		}
	}
}

func TestGuardCheck(t *testing.T) {
	broken := errors.New("broken")
	notFound := fmt.Errorf("wrapped: %w", store.ErrKeyNotFound)
	damaged := fmt.Errorf("wrapped: %w", store.ErrDamaged)
	value := store.Guard{Key: "k", Value: []byte("1")}
	empty := store.Guard{Key: "k"}
	absent := store.Guard{Key: "k", Absent: true}
	for _, tt := range []struct {
		guard store.Guard
		value string
		err   error
		want  error
	}{
		{value, "1", nil, nil},
		{value, "2", nil, store.ErrConflict},
		{value, "", notFound, store.ErrConflict},
		{value, "", broken, broken},
		{value, "", damaged, store.ErrConflict},
		{value, "", damaged, store.ErrDamaged},
		{empty, "", nil, nil},
		{empty, "", notFound, store.ErrConflict},
		{absent, "", notFound, nil},
		{absent, "", nil, store.ErrConflict},
		{absent, "1", nil, store.ErrConflict},
		{absent, "", broken, broken},
		{absent, "", damaged, store.ErrConflict},
	} {
		if got := tt.guard.Check([]byte(tt.value), tt.err); !errors.Is(got, tt.want) {
			t.Errorf("%+v.Check(%q, %v) = %v, want %v", tt.guard, tt.value, tt.err, got, tt.want)
		}
	}
}

// TestCommitStepByStep: over four methods Commit checks the guard, then puts
// in order, then removes; a failure to put ends it, a failure to remove doesn't.
func TestCommitStepByStep(t *testing.T) {
	failed := errors.New("failed")
	change := store.Change{
		Guard:  &store.Guard{Key: "old", Value: []byte("1")},
		Put:    []store.Entry{{Key: "c"}, {Key: "b"}, {Key: "root"}},
		Remove: []string{"x", "old"},
	}
	removal := store.Change{Remove: change.Remove}
	all := []string{"Load old", "Store c", "Store b", "Store root", "Remove x", "Remove old"}
	for _, tt := range []struct {
		fail    string
		change  store.Change
		calls   []string
		wantErr error
	}{
		{"", change, all, nil},
		{"Load old", change, all[:1], failed},
		{"Store c", change, all[:2], failed},
		{"Store root", change, all[:4], failed},
		{"Remove x", change, all, nil},
		{"Remove x", removal, all[4:], failed},
	} {
		t.Run("failing "+tt.fail, func(t *testing.T) {
			s := memstore.New()
			if err := s.Store(t.Context(), "old", []byte("1")); err != nil {
				t.Fatal(err)
			}
			var calls []string
			s.Before = func(op, key string) error {
				call := op + " " + key
				calls = append(calls, call)
				if call == tt.fail {
					return failed
				}
				return nil
			}
			if err := store.Commit(t.Context(), plainstore.New(s), tt.change); !errors.Is(err, tt.wantErr) {
				t.Errorf("Commit: %v, want %v", err, tt.wantErr)
			}
			if !slices.Equal(calls, tt.calls) {
				t.Errorf("calls = %q, want %q", calls, tt.calls)
			}
		})
	}
}

func TestLoadManyStepByStep(t *testing.T) {
	failed := errors.New("failed")
	s := memstore.New()
	if err := s.Store(t.Context(), "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	s.Before = func(op, key string) error {
		if key == "bad" {
			return failed
		}
		return nil
	}
	var got []string
	for value, err := range store.LoadMany(t.Context(), plainstore.New(s), []string{"a", "x", "a", "bad", "a"}) {
		switch {
		case errors.Is(err, store.ErrKeyNotFound):
			got = append(got, "absent")
		case errors.Is(err, failed):
			got = append(got, "failed")
		default:
			got = append(got, string(value))
		}
	}
	if want := []string{"1", "absent", "1", "failed"}; !slices.Equal(got, want) {
		t.Errorf("LoadMany = %q, want %q", got, want)
	}
}
