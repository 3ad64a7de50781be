// Command fleetsim prints how much a fleet of nodes stores and writes that keep their netmaps in etcd. The
// sizes are those of a real cache of a realistic netmap. The time is simulated.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
)

func main() {
	rate := flag.Float64("rate", 1, "changes of a peer a second in the tailnet")
	life := flag.Duration("life", 6*time.Hour, "life of a lease")
	history := flag.Duration("history", time.Minute, "how long servers keep what was replaced: twice the retention of their compaction")
	span := flag.Duration("span", 10*time.Minute, "simulated time")
	flag.Parse()
	fmt.Println("| nodes | shared | delay | stored | history | writes a second | bytes a second |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, nodes := range []int{100, 1000, 10_000} {
		sizes, err := measure(nodes)
		if err != nil {
			log.Fatal(err)
		}
		for _, shared := range []bool{false, true} {
			for _, delay := range []time.Duration{0, 5 * time.Second, 30 * time.Second, 5 * time.Minute} {
				r := fleet{nodes: nodes, sizes: sizes, shared: shared, delay: delay, rate: *rate, life: *life}.simulate(*span)
				fmt.Printf("| %d | %v | %v | %s | %s | %.0f | %s |\n", nodes, yes(shared), delay,
					size(r.stored), size(r.bytes*history.Seconds()), r.writes, size(r.bytes))
			}
		}
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func size(n float64) string {
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if n < 1000 {
			return fmt.Sprintf("%.3g %s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%.3g TB", n)
}

// sizes are those of the values of a cache, in bytes.
type sizes struct {
	root  int
	parts []int // columns of peers
	other int   // all other columns
}

func (s sizes) total() int {
	n := s.root + s.other
	for _, part := range s.parts {
		n += part
	}
	return n
}

// measure stores a netmap with that many peers in a cache, and returns the sizes.
func measure(peers int) (sizes, error) {
	ctx := context.Background()
	s := memstore.New()
	if err := netmapcache.NewCache(s).Store(ctx, netmaptest.Realistic(peers, 1)); err != nil {
		return sizes{}, err
	}
	var n sizes
	for key, err := range s.List(ctx, "") {
		if err != nil {
			return sizes{}, err
		}
		value, err := s.Load(ctx, key)
		if err != nil {
			return sizes{}, err
		}
		switch {
		case key == "self":
			n.root = len(value)
		case strings.HasPrefix(key, "peers-"):
			n.parts = append(n.parts, len(value))
		default:
			n.other += len(value)
		}
	}
	return n, nil
}

// A fleet is simulated. All its nodes learn of each change of a peer at once.
type fleet struct {
	nodes  int
	sizes  sizes
	shared bool
	delay  time.Duration // of write-behind, from the first noted change to the commit
	rate   float64       // changes a second
	life   time.Duration // of a lease
}

// A load is what a fleet stores, in bytes, and writes each second.
type load struct {
	stored        float64 // includes, if shared, the superseded columns that leases still hold
	writes, bytes float64
}

// simulate lets that much time pass. At the beginning all nodes have stored everything.
func (f fleet) simulate(span time.Duration) load {
	random := rand.New(rand.NewPCG(1, 1))
	changes := int(span.Seconds() * f.rate)
	at := func(change int) float64 { return float64(change) / f.rate }
	part := make([]int, changes)    // the part that each change changes
	version := make([]int, changes) // the version of the part after it
	versions := make([]int, len(f.sizes.parts))
	for i := range changes {
		part[i] = random.IntN(len(versions))
		versions[part[i]]++
		version[i] = versions[part[i]]
	}

	type column struct{ part, version int }
	put := make(map[column]bool)
	var writes, bytes, columnBytes float64
	changed := make([]int, len(versions)) // the version of each part to commit, or 0
	for range f.nodes {
		first := random.IntN(max(1, int(f.delay.Seconds()*f.rate))) // nodes don't commit in step
		for first < changes {
			last := first // the last change before the commit
			commit := at(first) + f.delay.Seconds()
			var parts []int
			for ; last < changes && at(last) <= commit; last++ {
				if changed[part[last]] == 0 {
					parts = append(parts, part[last])
				}
				changed[part[last]] = version[last]
			}
			writes++
			bytes += float64(f.sizes.root)
			for _, p := range parts {
				c := column{p, changed[p]}
				changed[p] = 0
				if !f.shared || !put[c] {
					put[c] = f.shared
					bytes += float64(f.sizes.parts[p])
					columnBytes += float64(f.sizes.parts[p])
				}
			}
			first = last
		}
	}
	r := load{writes: writes / span.Seconds(), bytes: bytes / span.Seconds()}
	if f.shared {
		// A column that no root names any more stays until its lease ends, at most a whole life.
		superseded := columnBytes / span.Seconds() * f.life.Seconds()
		r.stored = float64(f.sizes.total()-f.sizes.root) + superseded + float64(f.nodes*f.sizes.root)
	} else {
		r.stored = float64(f.nodes * f.sizes.total())
	}
	return r
}
