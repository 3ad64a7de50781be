//go:build unix

package filestore

import (
	"errors"
	"os"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// TestUnsafeDirectory: nothing is read from, or written to, a directory into which
// other users can put files.
func TestUnsafeDirectory(t *testing.T) {
	const nobody = 65534
	for _, tt := range []struct {
		name  string
		mode  os.FileMode
		owner int // -1 for this process's
		safe  bool
	}{
		{"private", 0700, -1, true},
		{"read by others", 0755, -1, true},
		{"written by the group", 0775, -1, true},
		{"written by others", 0757, -1, false},
		{"written by others, sticky", 0777 | os.ModeSticky, -1, false},
		{"of another user", 0700, nobody, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := t.TempDir()
			s := FileStore(path)
			if err := s.Store(t.Context(), "a", nil); err != nil {
				t.Fatal(err)
			}
			if tt.owner >= 0 {
				if err := os.Chown(path, tt.owner, -1); err != nil {
					t.Skipf("only root can give a directory away: %v", err)
				}
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}

			_, loadErr := s.Load(t.Context(), "a")
			var listErr, manyErr error
			for _, listErr = range s.List(t.Context(), "") {
			}
			for _, manyErr = range s.LoadMany(t.Context(), []string{"a"}) {
			}
			for call, err := range map[string]error{
				"Load":     loadErr,
				"List":     listErr,
				"LoadMany": manyErr,
				"Store":    s.Store(t.Context(), "b", nil),
				"Commit":   s.Commit(t.Context(), store.Change{Put: []store.Entry{{Key: "b"}}}),
				"Remove":   s.Remove(t.Context(), "a"),
			} {
				if tt.safe && err != nil || !tt.safe && !errors.Is(err, ErrUnsafeDirectory) {
					t.Errorf("%s: %v", call, err)
				}
			}
			if names := namesIn(t, path); !tt.safe && len(names) != 1 {
				t.Errorf("files: %q", names)
			}
		})
	}
}
