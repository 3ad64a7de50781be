//go:build !js

package filestore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// inDirectory runs do on the directory of path, as FileStore's methods do, with what
// with returns in place of its folder.
func inDirectory(t testing.TB, path string, with func(osFolder) folder, do func(*Directory) error) error {
	t.Helper()
	d, err := FileStore(path).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	return do(&Directory{with(d.fs.(osFolder)), d.swept})
}

// faultyFolder fails operations by number, counted from 0, and records all.
type faultyFolder struct {
	osFolder
	fails func(op string, n int) bool
	late  bool // they fail when they have taken effect

	mu  sync.Mutex
	ops []string
}

// commit commits ch in the directory of path by way of f.
func (f *faultyFolder) commit(t *testing.T, path string, ch store.Change) error {
	return f.commitContext(t.Context(), t, path, ch)
}

func (f *faultyFolder) commitContext(ctx context.Context, t *testing.T, path string, ch store.Change) error {
	t.Helper()
	with := func(real osFolder) folder { f.osFolder = real; return f }
	return inDirectory(t, path, with, func(d *Directory) error { return d.Commit(ctx, ch) })
}

// do notes an operation and runs it unless it is to fail.
func (f *faultyFolder) do(op string, run func() error) error {
	f.mu.Lock()
	fail := f.fails != nil && f.fails(op, len(f.ops))
	f.ops = append(f.ops, op)
	f.mu.Unlock()
	if fail && f.late {
		run()
	}
	if fail {
		return &os.PathError{Op: op, Err: syscall.ENOSPC}
	}
	return run()
}

func (f *faultyFolder) create(name string) (made file, err error) {
	err = f.do("create", func() error { made, err = f.osFolder.create(name); return err })
	if err != nil {
		return nil, err
	}
	return faultyFile{made, f}, nil
}

func (f *faultyFolder) link(name, newName string) error {
	return f.do("link", func() error { return f.osFolder.link(name, newName) })
}

func (f *faultyFolder) rename(name, newName string) error {
	return f.do("rename", func() error { return f.osFolder.rename(name, newName) })
}

func (f *faultyFolder) remove(name string) error {
	return f.do("remove", func() error { return f.osFolder.remove(name) })
}

func (f *faultyFolder) syncDir() error {
	return f.do("syncDir", func() error { return f.osFolder.syncDir() })
}

type faultyFile struct {
	file
	fs *faultyFolder
}

func (f faultyFile) Write(p []byte) (n int, err error) {
	err = f.fs.do("write", func() error { n, err = f.file.Write(p); return err })
	if err != nil {
		f.file.Write(p[:len(p)/2]) // a full disk takes a part
	}
	return n, err
}

func (f faultyFile) Sync() error { return f.fs.do("sync", f.file.Sync) }

// valuesIn returns all that the directory holds.
func valuesIn(t *testing.T, path string) map[string]string {
	t.Helper()
	values := make(map[string]string)
	for _, key := range keysOf(t, FileStore(path)) {
		value, err := FileStore(path).Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		values[key] = string(value)
	}
	return values
}

// theChange is a change with new, replaced and removed keys, on filledDirectory.
var theChange = store.Change{
	Guard:  &store.Guard{Key: "self", Value: []byte("root 1")},
	Put:    []store.Entry{{Key: "new-a", Value: []byte("a2")}, {Key: "kept", Value: []byte("k2")}, {Key: "new-b", Value: []byte("b2")}, {Key: "self", Value: []byte("root 2")}},
	Remove: []string{"old-a", "old-b"},
}

func filledDirectory(t *testing.T) (path string) {
	path = t.TempDir()
	for key, value := range map[string]string{"self": "root 1", "old-a": "a1", "old-b": "b1", "kept": "k1"} {
		if err := FileStore(path).Store(t.Context(), key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestOrder: the operations of a change come in the order that makes it atomic.
func TestOrder(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change store.Change
		want   string
	}{
		{"one", store.Change{Put: []store.Entry{{Key: "a"}}},
			"create write sync; link rename syncDir"},
		{"replace", store.Change{Put: []store.Entry{{Key: "self"}}},
			"create write sync; link rename syncDir; remove"},
		{"columns, root, removals", theChange,
			"create*4 write*4 sync*4; rename*3 syncDir; link rename syncDir; remove; remove*2"},
		{"remove", store.Change{Remove: []string{"old-a", "x", "old-b"}},
			"remove*2 syncDir"},
		{"guard alone", store.Change{Guard: theChange.Guard}, "syncDir"},
		{"nothing", store.Change{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fs := &faultyFolder{}
			if err := fs.commit(t, filledDirectory(t), tt.change); err != nil {
				t.Fatal(err)
			}
			// Writes go on at once: put them in an order of their own.
			writes := 0
			for writes < len(fs.ops) && slices.Contains([]string{"create", "write", "sync"}, fs.ops[writes]) {
				writes++
			}
			order := map[string]int{"create": 0, "write": 1, "sync": 2}
			slices.SortFunc(fs.ops[:writes], func(a, b string) int { return order[a] - order[b] })
			var want []string
			for word := range strings.FieldsFuncSeq(tt.want, func(r rune) bool { return r == ' ' || r == ';' }) {
				op, times := word, 1
				if i := strings.IndexByte(word, '*'); i >= 0 {
					op, times = word[:i], int(word[i+1]-'0')
				}
				want = append(want, slices.Repeat([]string{op}, times)...)
			}
			if !slices.Equal(fs.ops, want) {
				t.Errorf("operations = %q\nwant         %q", fs.ops, want)
			}
		})
	}
}

// earlier returns names and values without those of the earlier entries of theChange, which
// may stay when it fails.
func earlier(names []string, values map[string]string) ([]string, map[string]string) {
	names, values = slices.Clone(names), maps.Clone(values)
	for _, e := range theChange.Put[:len(theChange.Put)-1] {
		names = slices.DeleteFunc(names, func(name string) bool { return name == nameOf(e.Key) })
		delete(values, e.Key)
	}
	return names, values
}

// checkNotApplied reports what theChange has changed, earlier entries of Put aside.
func checkNotApplied(t *testing.T, what, path string, names []string, values map[string]string) {
	t.Helper()
	wantNames, wantValues := earlier(names, values)
	gotNames, gotValues := earlier(namesIn(t, path), valuesIn(t, path))
	if !maps.Equal(gotValues, wantValues) {
		t.Errorf("%s: values = %q, want %q", what, gotValues, wantValues)
	}
	if !slices.Equal(gotNames, wantNames) {
		t.Errorf("%s: files = %q, want %q", what, gotNames, wantNames)
	}
}

// TestOneFailure: if any one operation of a change fails, the change reports that,
// leaves everything as it was, except earlier entries of Put, and leaves no temporary files. The exceptions
// are operations that only tidy up, and linking, which copying replaces.
func TestOneFailure(t *testing.T) {
	total := func() int {
		fs := &faultyFolder{}
		if err := fs.commit(t, filledDirectory(t), theChange); err != nil {
			t.Fatal(err)
		}
		return len(fs.ops)
	}()
	for n := range total {
		failed := ""
		fs := &faultyFolder{fails: func(op string, i int) bool {
			if i == n {
				failed = op
			}
			return i == n
		}}
		path := filledDirectory(t)
		before, names := valuesIn(t, path), namesIn(t, path)
		err := fs.commit(t, path, theChange)
		what := fmt.Sprintf("operation %d, %s, failed", n, failed)
		switch failed {
		case "remove", "link":
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if got, err := FileStore(path).Load(t.Context(), "self"); err != nil || string(got) != "root 2" {
				t.Errorf("%s: root = %q, %v", what, got, err)
			}
		default:
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s: error %v", what, err)
			}
			checkNotApplied(t, what, path, names, before)
		}
		// What was left behind, if anything, goes with the next change.
		if err := FileStore(path).Commit(t.Context(), store.Change{Put: []store.Entry{{Key: "x"}}}); err != nil {
			t.Errorf("%s: next commit: %v", what, err)
		}
		for _, name := range namesIn(t, path) {
			if strings.HasPrefix(name, ownPrefix) {
				t.Errorf("%s: %s is left", what, name)
			}
		}
	}
}

// TestLastingFailure: if all operations fail from some operation on, the old root is in
// force, or the new one with its columns.
func TestLastingFailure(t *testing.T) {
	for n := 0; ; n++ {
		reached := false
		fs := &faultyFolder{fails: func(op string, i int) bool {
			reached = reached || i >= n
			return i >= n
		}}
		path := filledDirectory(t)
		err := fs.commit(t, path, theChange)
		if !reached {
			return
		}
		got := valuesIn(t, path)
		var want map[string]string
		switch got["self"] {
		case "root 1":
			want = map[string]string{"old-a": "a1", "old-b": "b1"}
			if err == nil {
				t.Errorf("failing from %d: no error and the old root", n)
			}
		case "root 2":
			want = map[string]string{"new-a": "a2", "kept": "k2", "new-b": "b2"}
		default:
			t.Errorf("failing from %d: root = %q", n, got["self"])
		}
		for key, value := range want {
			if got[key] != value {
				t.Errorf("failing from %d: root = %q and %s = %q, want %q", n, got["self"], key, got[key], value)
			}
		}
	}
}

// TestLostAnswer: a rename that took effect although it failed, as happens on
// network file systems, is undone as well.
func TestLostAnswer(t *testing.T) {
	for i := range theChange.Put {
		count := 0
		fs := &faultyFolder{late: true, fails: func(op string, n int) bool {
			if op == "rename" {
				count++
			}
			return op == "rename" && count == i+1
		}}
		path := filledDirectory(t)
		before, names := valuesIn(t, path), namesIn(t, path)
		if err := fs.commit(t, path, theChange); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("rename %d: error %v", i, err)
		}
		checkNotApplied(t, fmt.Sprintf("rename %d", i), path, names, before)
	}
}

// TestUndoneNotDurable: if names can't be synced any more, the disk may hold the
// new root although it was undone, so the columns that it names stay.
func TestUndoneNotDurable(t *testing.T) {
	path := filledDirectory(t)
	syncs := 0
	fs := &faultyFolder{fails: func(op string, n int) bool {
		if op == "syncDir" {
			syncs++
		}
		return op == "syncDir" && syncs > 1
	}}
	if err := fs.commit(t, path, theChange); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Commit: %v, want ENOSPC", err)
	}
	want := map[string]string{"self": "root 1", "old-a": "a1", "old-b": "b1", "kept": "k2", "new-a": "a2", "new-b": "b2"}
	if got := valuesIn(t, path); !maps.Equal(got, want) {
		t.Errorf("values = %q, want %q", got, want)
	}
}

// TestContextEndsWithin: if the context ends while a change writes, the change is undone.
func TestContextEndsWithin(t *testing.T) {
	path := filledDirectory(t)
	before, names := valuesIn(t, path), namesIn(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	ch := columns(10*maxSyncs, 10)
	fs := &faultyFolder{fails: func(op string, n int) bool {
		if n == maxSyncs {
			cancel()
		}
		return false
	}}
	if err := fs.commitContext(ctx, t, path, ch); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit: %v, want context.Canceled", err)
	}
	if got := valuesIn(t, path); !maps.Equal(got, before) {
		t.Errorf("values = %q, want %q", got, before)
	}
	if got := namesIn(t, path); !slices.Equal(got, names) {
		t.Errorf("files = %q, want %q", got, names)
	}
}
