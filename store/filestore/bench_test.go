//go:build !js

package filestore

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// columns returns a change that stores n values of size bytes.
func columns(n, size int) store.Change {
	var ch store.Change
	random := rand.NewChaCha8([32]byte{1})
	for i := range n {
		value := make([]byte, size)
		random.Read(value)
		ch.Put = append(ch.Put, store.Entry{Key: fmt.Sprintf("peers-%03d", i), Value: value})
	}
	return ch
}

// unsyncedFolder leaves durability to chance.
type unsyncedFolder struct{ osFolder }

type unsyncedFile struct{ file }

func (f unsyncedFolder) create(name string) (file, error) {
	made, err := f.osFolder.create(name)
	return unsyncedFile{made}, err
}
func (unsyncedFolder) syncDir() error { return nil }
func (unsyncedFile) Sync() error      { return nil }

// BenchmarkWrite writes 6.4 MB, as 320 keys in one change and otherwise, into an
// empty directory.
func BenchmarkWrite(b *testing.B) {
	ch := columns(320, 20_000)
	one := store.Change{Put: []store.Entry{{Key: "all", Value: bytes.Repeat(ch.Put[0].Value, 320)}}}
	for _, way := range []struct {
		name  string
		write func(b *testing.B, path string) error
	}{
		{"Commit", func(b *testing.B, path string) error {
			return FileStore(path).Commit(b.Context(), ch)
		}},
		{"CommitUnsynced", func(b *testing.B, path string) error {
			unsynced := func(f osFolder) folder { return unsyncedFolder{f} }
			return inDirectory(b, path, unsynced, func(d *Directory) error { return d.Commit(b.Context(), ch) })
		}},
		{"OneFile", func(b *testing.B, path string) error {
			return FileStore(path).Commit(b.Context(), one)
		}},
		{"StoreEach", func(b *testing.B, path string) error {
			for _, e := range ch.Put {
				if err := FileStore(path).Store(b.Context(), e.Key, e.Value); err != nil {
					return err
				}
			}
			return nil
		}},
	} {
		b.Run(way.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				path, err := os.MkdirTemp(b.TempDir(), "")
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if err := way.write(b, path); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDelta replaces a part of 20 kB and a root of 8 kB among 320 parts, and
// removes the old part.
func BenchmarkDelta(b *testing.B) {
	s := FileStore(b.TempDir())
	if err := s.Commit(b.Context(), columns(320, 20_000)); err != nil {
		b.Fatal(err)
	}
	root := []byte(nil)
	part := columns(1, 20_000).Put[0].Value
	for i := 0; b.Loop(); i++ {
		ch := store.Change{
			Put:    []store.Entry{{Key: fmt.Sprint("part-", i), Value: part}, {Key: "self", Value: bytes.Repeat([]byte{byte(i)}, 8_000)}},
			Remove: []string{fmt.Sprint("part-", i-1)},
			Guard:  &store.Guard{Key: "self", Value: root, Absent: i == 0},
		}
		if err := s.Commit(b.Context(), ch); err != nil {
			b.Fatal(err)
		}
		root = ch.Put[1].Value
	}
}

// BenchmarkRead reads 320 keys of 20 kB that the operating system has in memory.
func BenchmarkRead(b *testing.B) {
	s := FileStore(b.TempDir())
	ch := columns(320, 20_000)
	if err := s.Commit(b.Context(), ch); err != nil {
		b.Fatal(err)
	}
	var keys []string
	for _, e := range ch.Put {
		keys = append(keys, e.Key)
	}
	b.Run("LoadMany", func(b *testing.B) {
		for b.Loop() {
			for _, err := range s.LoadMany(b.Context(), keys) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("LoadEach", func(b *testing.B) {
		for b.Loop() {
			for _, key := range keys {
				if _, err := s.Load(b.Context(), key); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
