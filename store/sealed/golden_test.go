package sealed_test

import (
	"encoding/base64"
	"maps"
	"testing"

	"github.com/netmapcache/netmapcache/store/memstore"
)

// TestGolden: entries that an earlier build sealed under testKey are opened, and their names are sealed the same way again.
func TestGolden(t *testing.T) {
	entries := map[string]string{
		"SCLOQ60hP5LNxpIPJ2_sq9ahhIb9f6nyAZxXCw": "pnaAVleTclL4NPYTpTlsibdxIq9GR9+yVF3GSbD78PSdK70Qk+1Iu8NSZanZabwQ",
		"aNODGo7mNEI-PnYcGJptRqBV9TZWapq8":       "5qGLF/2b91foefe7O7VJZab7s/npIPLdqlA2ttyGgm2qBdyhq8W2igg84Ps5KWp76QjuPZVEi0H7fy+3UEiwt16QczJT0pICu2g+FsjdEr4JOYencGyiUksopEy6pk+st5M5Tr1CSv56iw==",
	}
	inner := memstore.New()
	for name, value := range entries {
		sealed, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			t.Fatal(err)
		}
		put(t, inner, name, string(sealed))
	}
	want := map[string]string{"root": "the root", longName: "a long name's"}
	read := map[string]string{}
	s := seal(t, inner)
	for key, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		value, err := s.Load(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		read[key] = string(value)
	}
	if !maps.Equal(read, want) {
		t.Errorf("read %q, want %q", read, want)
	}

	for key := range want {
		put(t, s, key, "another value")
	}
	for name := range inner.List(t.Context(), "") {
		if entries[name] == "" {
			t.Errorf("another name: %s", name)
		}
	}
}
