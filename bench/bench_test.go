package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain makes the test a process that measures, if it is run again as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-child" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestMedianAndSpread(t *testing.T) {
	for _, tt := range []struct {
		values         []float64
		median, spread float64
	}{
		{[]float64{3}, 3, 0},
		{[]float64{4, 1, 2}, 2, 0.75},
		{[]float64{4, 1, 2, 8}, 3, 7.0 / 6},
	} {
		if m, s := median(tt.values), spread(tt.values); m != tt.median || s != tt.spread {
			t.Errorf("median and spread of %v = %v, %v, want %v, %v", tt.values, m, s, tt.median, tt.spread)
		}
	}
	if !math.IsNaN(median(nil)) || !math.IsNaN(spread(nil)) {
		t.Error("median and spread of nothing are numbers")
	}
}

const someResults = `goos: linux
dropped: not at all
BenchmarkCache/op=ColdStore/peers=100/impl=ours 1 9 sec/op 7 cpu-sec/op
BenchmarkCache/op=ColdStore/peers=1000/impl=ours 1 2 sec/op 1 cpu-sec/op
BenchmarkCache/op=ColdStore/peers=1000/impl=ours 1 4 sec/op 1 cpu-sec/op
BenchmarkCache/op=ColdStore/peers=10000/impl=ours 1 3 sec/op 100 cpu-sec/op
BenchmarkCache/op=ColdStore/peers=10000/impl=baseline-unsynced 1 1 sec/op
BenchmarkCache/op=ColdStore/peers=10000/impl=upstream 1 12 sec/op 10 cpu-sec/op
`

func TestResults(t *testing.T) {
	r, err := readResults(strings.NewReader(someResults), "some")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what      string
		got, want float64
	}{
		{"median of two", r.value(opColdStore, 1000, implOurs, unitWall), 3},
		{"name with a hyphen", r.value(opColdStore, 10_000, implUnsynced, unitWall), 1},
		{"ratio", r.ratio(opColdStore, 10_000, implUpstream, implOurs, unitWall), 4},
		{"exponent of a constant, from 1,000 peers on", r.exponent(opColdStore, implOurs, unitWall), 0},
		{"exponent of a square", r.exponent(opColdStore, implOurs, unitCPU), 2},
	} {
		if math.Abs(tt.got-tt.want) > 1e-9 {
			t.Errorf("%s = %v, want %v", tt.what, tt.got, tt.want)
		}
	}
	if v := r.exponent(opColdStore, implUpstream, unitWall); !math.IsNaN(v) {
		t.Errorf("exponent of one size = %v", v)
	}
	if got := r.config["dropped"]; got != "not at all" {
		t.Errorf("configuration = %q", got)
	}
	if got := r.cell(opColdStore, 1000, implOurs, unitWall, "s"); got != "3.000 s ±33%" {
		t.Errorf("cell = %q", got)
	}
}

func TestScaled(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		unit string
		want string
	}{
		{0.0123456, "s", "12.35 ms"}, {0, "B", "0 B"}, {17, "", "17"}, {8.04, "B", "8 B"}, {12_345, "", "12.35 k"}, {2e-6, "s", "2.000 µs"}, {5e6, "B", "5.000 MB"},
	} {
		if got := scaled(tt.v, tt.unit); got != tt.want {
			t.Errorf("scaled(%v, %q) = %q, want %q", tt.v, tt.unit, got, tt.want)
		}
	}
}

func TestGoals(t *testing.T) {
	r, err := readResults(strings.NewReader(someResults), "some")
	if err != nil {
		t.Fatal(err)
	}
	met := map[string]string{}
	for _, row := range reachTable(r).rows {
		met[row[0]] = row[2] + " " + row[3]
	}
	for what, want := range map[string]string{
		"cold Store, CPU": "10x more no",
		"cold Store, wall; ours is durable, upstream's not": "4x less no",
		"growth of cold Store, CPU":                         "exponent 2.00 no",
		"UpdatePeers(1), CPU":                               "", // not measured
	} {
		if met[what] != want {
			t.Errorf("%s: %q, want %q", what, met[what], want)
		}
	}
}

func TestReplaceSection(t *testing.T) {
	const text = "a\n<!-- bench x -->\nold\n<!-- end x -->\nb\n<!-- bench y -->\n<!-- end y -->\nc\n"
	got, err := replaceSection(text, "x", "new\n")
	if want := strings.Replace(text, "old", "new", 1); err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	if again, err := replaceSection(got, "x", "new\n"); err != nil || again != got {
		t.Errorf("a second time: %q, %v", again, err)
	}
	if _, err := replaceSection(text, "z", ""); err == nil {
		t.Error("no error where there is no such place")
	}
	if _, err := replaceSection("<!-- end x -->\n<!-- bench x -->\n", "x", ""); err == nil {
		t.Error("no error where the end comes first")
	}
}

func TestCountCalls(t *testing.T) {
	const log = `12 openat(AT_FDCWD, "before", O_RDONLY) = 3
12 newfstatat(AT_FDCWD, "/netmapcache-bench/begin/Load", 0x1, AT_SYMLINK_NOFOLLOW) = -1 ENOENT
12 openat(AT_FDCWD, "a", O_RDONLY <unfinished ...>
13 mmap(NULL, 262144, PROT_READ, MAP_PRIVATE, -1, 0) = 0x7f
13 read(3, "..", 512) = 2
12 <... openat resumed>) = 4
12 newfstatat(AT_FDCWD, "/netmapcache-bench/end/Load", 0x1, AT_SYMLINK_NOFOLLOW) = -1 ENOENT
12 close(4) = 0
`
	if got, want := countCalls([]byte(log)), map[string]int{"Load": 2}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestMeasure measures once, and reports.
func TestMeasure(t *testing.T) {
	const peers = 20
	if memory := "/dev/shm"; os.MkdirAll(memory, 0700) == nil {
		t.Setenv("TMPDIR", memory) // there, nothing has to wait for a disk
	}
	var out bytes.Buffer
	work := t.TempDir()
	p := plan{peers: []int{peers}, count: 1, work: work, out: &out, disk: &disk{dir: t.TempDir()}}
	if err := describe(&out, work, p.disk); err != nil {
		t.Fatal(err)
	}
	if err := p.measure(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := p.trace(context.Background()); err != nil {
		t.Fatal(err)
	}
	r, err := readResults(&out, "results")
	if err != nil {
		t.Fatal(err)
	}
	for impl, ops := range map[string][]string{
		implUpstream: allOps()[:len(operations)],
		implOurs:     allOps()[:len(operations)],
		implMemory:   slices.Concat(storeOps[2:7], []string{opColdStore, opUpdateSelf, opLoadWarm, opLoadAgain, opFirstStore}),
		implBaseline: slices.DeleteFunc(allOps(), func(op string) bool { return op == opSameStore }),
		implUnsynced: {opColdStore},
		implBytes:    {opLoadWarm, opLoadDropped},
	} {
		for _, op := range ops {
			if !(r.value(op, peers, impl, unitWall) > 0) {
				t.Errorf("%s of %s wasn't measured", op, impl)
			}
		}
	}
	for _, unit := range []string{unitPeak, unitAbove} {
		if math.IsNaN(r.value(opLoadWarm, peers, implOurs, unit)) {
			t.Errorf("no %s of Load", unit)
		}
	}

	docs := t.TempDir()
	text, err := os.ReadFile("../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(docs, "performance.md"), text, 0600); err != nil {
		t.Fatal(err)
	}
	if err := writeDocs(r, docs); err != nil {
		t.Fatal(err)
	}
	for _, pic := range pictures {
		if _, err := os.Stat(filepath.Join(docs, "performance", pic.file+".svg")); err != nil {
			t.Error(err)
		}
	}
	if err := reportFile(io.Discard, "none", ""); err == nil {
		t.Error("no error without results")
	}
}
