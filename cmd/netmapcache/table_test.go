package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
)

// TestFit prints tables on terminals of all widths that are in use.
func TestFit(t *testing.T) {
	dir := t.TempDir()
	check(t, netmapcache.NewCache(netmapcache.FileStore(dir)).Store(t.Context(), netmaptest.HostileNames(netmaptest.Realistic(100, 1))))
	for _, command := range []string{"peers", "show"} {
		for _, width := range []int{40, 80, 140, 200} {
			var out bytes.Buffer
			run(t.Context(), []string{command, dir}, nil, &output{bufio.NewWriter(&out), width}, &out)
			for line := range strings.Lines(out.String()) {
				if n := text.StringWidthWithoutEscSequences(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("%s at %d columns: a line of %d: %s", command, width, n, line)
					break
				}
			}
			if !strings.Contains(out.String(), "100.") {
				t.Errorf("%s at %d columns shows no address", command, width)
			}
		}
	}
}
