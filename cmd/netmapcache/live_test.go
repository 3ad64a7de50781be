package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"github.com/spf13/cobra"
)

// TestLive runs commands beside two writers. Each command has to show one whole snapshot.
func TestLive(t *testing.T) {
	dir := t.TempDir()
	check(t, netmapcache.NewCache(netmapcache.FileStore(dir)).Store(t.Context(), netmaptest.Realistic(300, 9)))
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for i := range uint64(2) {
		writers.Go(func() {
			c := netmapcache.NewCache(netmapcache.FileStore(dir))
			for seed := i; ; seed += 2 {
				if err := c.Store(ctx, netmaptest.Realistic(300, seed%8)); errors.Is(err, context.Canceled) {
					return
				} else if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 10 {
		for _, args := range [][]string{{"dump", dir}, {"verify", dir}, {"peers", "--partial", dir}, {"export", "--partial", dir, "-"}} {
			var out, errs bytes.Buffer
			if status := run(t.Context(), args, nil, &output{bufio.NewWriter(&out), 0}, &errs); status != 0 {
				t.Errorf("%s: exit status %d: %s", args[0], status, errs.String())
			}
			if args[0] == "dump" {
				checkDump(t, out.String())
			}
		}
	}
	stop()
	writers.Wait()
}

// TestValuesBesideWriter: another writer replaces the snapshot while values reads it.
func TestValuesBesideWriter(t *testing.T) {
	s := memstore.New()
	c := netmapcache.NewCache(s)
	check(t, c.Store(t.Context(), netmaptest.Realistic(5, 1)))
	loads, busy := 0, false
	s.Before = func(op, key string) error {
		if busy || op != "Load" || key == rootKey {
			return nil
		}
		if loads++; loads == 2 || loads == 12 {
			busy = true
			check(t, c.Store(t.Context(), netmaptest.Realistic(5, uint64(loads))))
			busy = false
		}
		return nil
	}
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	values, err := (&source{store: s}).values(cmd, "")
	check(t, err)
	var text strings.Builder
	for _, v := range values {
		check(t, v.err)
		fmt.Fprintf(&text, "# %s, %d bytes\n%s\n", v.key, len(v.data), diagnose(v.key, v.data, false))
	}
	checkDump(t, text.String())
	if loads < 12 {
		t.Errorf("only %d loads", loads)
	}
}

// checkDump checks that text has all columns that its root names.
func checkDump(t *testing.T, text string) {
	_, root, ok := strings.Cut(text, "# self, ")
	if !ok {
		t.Fatal("no root")
	}
	root, _, _ = strings.Cut(root, "\n# ")
	digests := regexp.MustCompile(`/Digest/: h'([0-9a-f]+)'`).FindAllStringSubmatch(root, -1)
	if len(digests) < 5 {
		t.Errorf("%d columns in the root", len(digests))
	}
	for _, d := range digests {
		if !strings.Contains(text, "."+d[1]+", ") {
			t.Errorf("a column is missing: %s", d[1])
		}
	}
}
