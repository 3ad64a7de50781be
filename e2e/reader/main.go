// Command reader writes stored snapshots, good and bad, and what Go makes of them, for the test of
// the JavaScript reader (e2e/reader.test.mjs).
//
// On its standard output is a line of JSON for each case: its name, what the store holds by key (in base64), as far as that
// differs from the last case that is a base, and either the code of the error that loading gives or the netmap as
// netmapjson writes it; neither if JSON can't hold the netmap.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"github.com/netmapcache/netmapcache/wasm/netmapjson"
	"tailscale.com/types/netmap"
)

func main() {
	log.SetFlags(0)
	n := flag.Int("n", 500, "how many netmaps and mutations of each kind")
	seed := flag.Uint64("seed", 1, "of what is random")
	netmapsOnly := flag.Bool("netmaps", false, "only netmaps as they are stored")
	step := flag.Int("step", 7, "one in so many bits of each column is flipped and sealed")
	oneIn := flag.Int("one-in", 1, "only one in so many cases that aren't bases")
	judging := flag.Bool("judge", false, "say what Go makes of the columns on standard input")
	peers := flag.Int("peers", 0, "only one netmap, a realistic one with so many peers")
	flag.Parse()
	w := &writer{out: bufio.NewWriterSize(os.Stdout, 1<<20), oneIn: *oneIn}
	if *judging {
		w.judge(os.Stdin)
	} else if *peers > 0 {
		w.write(stored(netmaptest.Realistic(*peers, *seed)), "realistic, %d peers", *peers)
	} else {
		w.netmaps(*n, *seed)
		if !*netmapsOnly {
			w.damage()
			w.mutations(*n, *seed, *step)
			w.hostile()
		}
	}
	if err := w.out.Flush(); err != nil {
		log.Fatal(err)
	}
}

// A database is what a store holds.
type database map[string][]byte

type writer struct {
	out   *bufio.Writer
	base  database
	oneIn int
	n     int // cases so far, those that were left out as well
}

// A testCase is a line of the output.
type testCase struct {
	Name   string
	Base   bool               `json:",omitempty"`
	Values map[string]*[]byte // null for keys that the base has
	Code   string             `json:",omitempty"`
	Netmap json.RawMessage    `json:",omitempty"`
}

// writeBase writes the case of what db holds, which those that follow are to differ little from.
func (w *writer) writeBase(db database, format string, args ...any) {
	w.base = nil
	w.write(db, format, args...)
	w.base = db
}

// write writes the case of what db holds.
func (w *writer) write(db database, format string, args ...any) {
	if w.n++; w.base != nil && w.n%w.oneIn != 0 {
		return
	}
	c := testCase{Name: fmt.Sprintf(format, args...), Base: w.base == nil, Values: make(map[string]*[]byte)}
	for key := range w.base {
		if _, ok := db[key]; !ok {
			c.Values[key] = nil
		}
	}
	for key, value := range db {
		if base, ok := w.base[key]; !ok || !bytes.Equal(base, value) {
			c.Values[key] = &value
		}
	}
	ctx := context.Background()
	s := memstore.New()
	for key, value := range db {
		check(s.Store(ctx, key, value))
	}
	nm, err := netmapcache.NewCache(s).Load(ctx)
	if err != nil {
		c.Code = codeOf(err)
	} else if text, err := netmapjson.Marshal(nm); err == nil {
		c.Netmap = text
	}
	line, err := json.Marshal(c)
	check(err)
	w.out.Write(append(line, '\n'))
}

// codeOf returns the code by which the module knows an error of Load.
func codeOf(err error) string {
	switch {
	case errors.Is(err, netmapcache.ErrCorrupt):
		return "corrupt"
	case errors.Is(err, netmapcache.ErrFormat):
		return "format"
	case errors.Is(err, netmapcache.ErrCacheNotAvailable):
		return "not-available"
	}
	return err.Error()
}

// stored returns what a store holds once nm was stored.
func stored(nm *netmap.NetworkMap) database {
	ctx := context.Background()
	s := memstore.New()
	check(netmapcache.NewCache(s, netmapcache.WithOwner("owner")).Store(ctx, nm))
	db := make(database)
	for key, err := range s.List(ctx, "") {
		check(err)
		value, err := s.Load(ctx, key)
		check(err)
		db[key] = value
	}
	return db
}

// netmaps writes netmaps of all kinds.
func (w *writer) netmaps(n int, seed uint64) {
	w.base = nil // each is one
	w.write(database{}, "nothing")
	for i := range n {
		s := seed*1_000_000 + uint64(i)
		w.write(stored(netmaptest.Realistic(i%40, s)), "realistic %d", s)
		w.write(stored(netmaptest.HostileJSON(s)), "hostile %d", s)
		w.write(stored(netmaptest.Hostile(s)), "hostile beyond JSON %d", s)
	}
	w.write(stored(netmaptest.Realistic(3000, seed)), "realistic, large")
	large := netmaptest.Realistic(400, seed)
	large = netmaptest.HostileNames(large)
	w.write(stored(large), "hostile names")
}

// small returns the smallest of many netmaps that have something of everything.
func small() database {
	size := func(db database) (sum int) {
		for _, value := range db {
			sum += len(value)
		}
		return sum
	}
	var least database
	for seed := range uint64(300) {
		db := stored(netmaptest.HostileJSON(seed))
		if len(db) == len(names) && (least == nil || size(db) < size(least)) {
			least = db
		}
	}
	return least
}

// damage writes what accidents leave: every flipped bit, values cut short, columns missing or swapped.
func (w *writer) damage() {
	db := stored(netmaptest.Realistic(2, 1))
	w.writeBase(db, "to be damaged")
	keys := slices.Sorted(maps.Keys(db))
	with := func(key string, value []byte) database {
		d := maps.Clone(db)
		d[key] = value
		return d
	}
	for _, key := range keys {
		for bit := range 8 * len(db[key]) {
			if key != "self" && bit%61 != 0 {
				continue // the test itself flips all bits of columns
			}
			value := slices.Clone(db[key])
			value[bit/8] ^= 1 << (bit % 8)
			w.write(with(key, value), "%s: bit %d flipped", key, bit)
		}
		for length := range len(db[key]) {
			if key == "self" || length%61 == 0 {
				w.write(with(key, db[key][:length]), "%s: cut to %d bytes", key, length)
			}
		}
		d := maps.Clone(db)
		delete(d, key)
		w.write(d, "%s: missing", key)
		for _, other := range keys {
			d := maps.Clone(db)
			d[key], d[other] = d[other], d[key]
			w.write(d, "%s and %s swapped", key, other)
		}
	}
	w.write(with("self", []byte("{}")), "cleared")
}

// mutations writes snapshots whose columns or root were changed and sealed again: only the decoders can tell.
func (w *writer) mutations(n int, seed uint64, step int) {
	rng := rand.New(rand.NewPCG(seed, 2))
	db := small()
	w.writeBase(db, "to be mutated")
	root := openRoot(db["self"])
	for i := range root.columns() {
		data := db[root.key(i)]
		for bit := range 8 * len(data) {
			if bit%step != i%step {
				continue
			}
			value := slices.Clone(data)
			value[bit/8] ^= 1 << (bit % 8)
			w.write(root.with(db, i, value), "%s: bit %d flipped, sealed", root.key(i), bit)
		}
		for length := 0; length < len(data); length += 5 {
			w.write(root.with(db, i, data[:length]), "%s: cut to %d bytes, sealed", root.key(i), length)
		}
		for j := range n {
			w.write(root.with(db, i, mutate(rng, data)), "%s: mutation %d", root.key(i), j)
		}
	}
	body := root.body()
	for bit := range 8 * len(body) {
		value := slices.Clone(body)
		value[bit/8] ^= 1 << (bit % 8)
		d := maps.Clone(db)
		d["self"] = seal(value)
		w.write(d, "root: bit %d flipped, sealed", bit)
	}
	for j := range n {
		d := maps.Clone(db)
		d["self"] = seal(mutate(rng, body))
		w.write(d, "root: mutation %d", j)
	}
}

// mutate returns data with a few random changes, of which many leave it well-formed.
func mutate(rng *rand.Rand, data []byte) []byte {
	data = slices.Clone(data)
	for range 1 + rng.IntN(3) {
		at := rng.IntN(len(data) + 1)
		switch end := min(len(data), at+rng.IntN(9)); rng.IntN(5) {
		case 0:
			data = slices.Insert(data, at, pieces[rng.IntN(len(pieces))]...)
		case 1:
			data = slices.Delete(data, at, end)
		case 2:
			data = slices.Insert(data, at, slices.Clone(data[at:end])...)
		case 3:
			data = slices.Replace(data, at, end, pieces[rng.IntN(len(pieces))]...)
		case 4:
			if at < len(data) {
				data[at] += byte(rng.IntN(3)) - 1
			}
		}
		if len(data) == 0 {
			return data
		}
	}
	return data
}

// A column is one to be judged: what is to take the place of the column with that index, in the snapshot of [small].
type column struct {
	Index int
	Data  []byte
}

// judge writes the case of [small], and then one for each column that it reads as a line of JSON.
func (w *writer) judge(in io.Reader) {
	db := small()
	w.writeBase(db, "to be judged")
	root := openRoot(db["self"])
	for lines := json.NewDecoder(in); ; {
		check(w.out.Flush())
		var c column
		err := lines.Decode(&c)
		if err == io.EOF {
			return
		}
		check(err)
		w.write(root.with(db, c.Index, c.Data), "judged")
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
