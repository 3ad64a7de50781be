//go:build !js

package filestore

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// TestGolden: the files of a store are those that earlier builds wrote and read.
func TestGolden(t *testing.T) {
	want := map[string]string{
		"726f6f74": "the root", // root
		"64657270": "\x00\xff", // derp
		"7e207e":   "",         // ~ ~
	}
	dir := t.TempDir()
	for name, content := range want {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	values := map[string]string{"root": "the root", "derp": "\x00\xff", "~ ~": ""}
	read := map[string]string{}
	for key, err := range FileStore(dir).List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		value, err := FileStore(dir).Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		read[key] = string(value)
	}
	if !maps.Equal(read, values) {
		t.Errorf("read %q, want %q", read, values)
	}

	dir = t.TempDir()
	var ch store.Change
	for key, value := range values {
		ch.Put = append(ch.Put, store.Entry{Key: key, Value: []byte(value)})
	}
	if err := FileStore(dir).Commit(t.Context(), ch); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		written[e.Name()] = string(content)
	}
	want["006c6f636b"] = "" // what writers lock
	if !maps.Equal(written, want) {
		t.Errorf("wrote %q, want %q", written, want)
	}
}
