//go:build unix

package netmapcache_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/netmapcache/internal/codec"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
	upstream "tailscale.com/ipn/ipnlocal/netmapcache"
	"tailscale.com/types/netmap"
)

var (
	hostileTime = flag.Duration("hostile.time", 0, "how long TestHostileFiles searches, instead of a number of files")
	hostileKeep = flag.String("hostile.keep", "", "directory in which TestHostileFiles puts the worst files")
)

// importPerByte is what Import may allocate for each byte of a file, besides what Load may allocate for the same columns.
const importPerByte = 8

// The bytes that Load may allocate for upstream's layout. Package json allocates most of them.
const (
	upstreamAlways  = 96 << 20
	upstreamPerByte = 1 << 10
)

// A specimen stands for a hostile file, or for hostile values in upstream's layout.
type specimen struct {
	upstream bool
	values   map[string]*piece // by kind, or by upstream's key
	parts    int               // the number of parts of peers and users, or of peers and users in upstream's layout
}

func (sp *specimen) syntax() *syntax {
	if sp.upstream {
		return &jsonSyntax
	}
	return &cborSyntax
}

// kindNames are the kinds of columns, as specimens name them.
var kindNames = []string{format.KindNode: "node", format.KindMisc: "misc", format.KindDNS: "dns", format.KindDERPMap: "derpmap",
	format.KindFilter: "filter", format.KindSSH: "ssh", format.KindPeers: "peers", format.KindUsers: "users"}

// specimensOf returns nm in both layouts.
func specimensOf(ctx context.Context, t *testing.T, nm *netmap.NetworkMap) (all []*specimen) {
	t.Helper()
	profiles := codec.AppendUsers(nil, slices.Sorted(maps.Keys(nm.UserProfiles)), nm.UserProfiles)
	ours := &specimen{values: make(map[string]*piece), parts: 1}
	for name, data := range map[string][]byte{
		"node": codec.AppendNode(nil, nm.SelfNode), "dns": codec.AppendDNS(nil, &nm.DNS), "derpmap": codec.AppendDERPMap(nil, nm.DERPMap),
		"filter": codec.AppendFilter(nil, nm.PacketFilterRules.AsSlice()), "ssh": codec.AppendSSH(nil, nm.SSHPolicy), "users": profiles,
		"peers": codec.AppendPeers(nil, nm.Peers[:min(3, len(nm.Peers))]), "misc": codec.AppendMisc(nil, &format.Misc{DisplayMessages: nm.DisplayMessages, Domain: nm.Domain}),
	} {
		ours.values[name], _ = parseCBOR(data)
	}
	s := memstore.New()
	if err := upstream.NewCache(s).Store(ctx, nm); err != nil {
		t.Fatal(err)
	}
	theirs := &specimen{upstream: true, values: make(map[string]*piece), parts: 1}
	for key, value := range contents(t, s) {
		if name, _, ok := bytes.Cut([]byte(key), []byte("-")); ok {
			key = string(name) + "-"
		}
		theirs.values[key] = parseJSON([]byte(value))
	}
	return []*specimen{ours, theirs}
}

// specimenOf returns a specimen with these columns. All parts of a list get the same elements.
func specimenOf(columns []hostileColumn) *specimen {
	sp := &specimen{values: make(map[string]*piece), parts: 1}
	for _, c := range columns {
		if c.data != "" {
			sp.values[kindNames[c.kind]], _ = parseCBOR([]byte(c.data))
			sp.parts = max(sp.parts, int(c.part)+1)
		}
	}
	return sp
}

// put puts the values of sp into s, and returns them as an exported file unless they are in upstream's layout.
func (sp *specimen) put(t *testing.T, s store.Store) (file []byte) {
	t.Helper()
	if !sp.upstream {
		columns := sp.columns()
		root := fillHostile(t, s, format.Root{PeerParts: uint64(sp.parts), UserParts: uint64(sp.parts)}, columns)
		values := [][]byte{root}
		for _, c := range columns {
			values = append(values, []byte(c.data))
		}
		return codec.AppendExported(nil, values)
	}
	for key, p := range sp.values {
		value := jsonSyntax.encode(p)
		if !strings.HasSuffix(key, "-") {
			must(t, s.Store(t.Context(), key, value))
			continue
		}
		for i := range sp.parts {
			must(t, s.Store(t.Context(), fmt.Sprint(key, i), value))
		}
	}
	return nil
}

// columns returns the columns of sp, in the root's order.
func (sp *specimen) columns() (columns []hostileColumn) {
	for kind, name := range kindNames {
		p, kind := sp.values[name], format.Kind(kind)
		if p == nil {
			continue
		}
		parts, count := 1, 1
		if kind == format.KindPeers || kind == format.KindUsers {
			parts = sp.parts
		}
		if p.kind == '[' && (kind == format.KindFilter || kind == format.KindPeers || kind == format.KindUsers) {
			count = p.count()
		}
		for i := range parts {
			data := cborSyntax.encode(belonging(p, kind, i, parts))
			columns = append(columns, hostileColumn{kind, uint64(i), uint64(count), string(data)})
		}
	}
	return columns
}

// belonging returns p, a column of kind, changed so that its elements belong to part i of n.
func belonging(p *piece, kind format.Kind, i, n int) *piece {
	var field byte
	var id []byte
	switch {
	case p.kind != '[' || n == 1:
		return p
	case kind == format.KindPeers:
		text := 0
		for netmapcache.PeerPart(fmt.Sprintf("%03x", text), n) != i {
			text++
		}
		field, id = 2, fmt.Appendf([]byte{majorText | 3}, "%03x", text)
	case kind == format.KindUsers:
		number := 1
		for netmapcache.UserPart(number, n) != i {
			number++
		}
		field, id = 1, appendHead(nil, 0, uint64(number))
	default:
		return p
	}
	p = &piece{kind: '[', members: slices.Clone(p.members)}
	for j, m := range p.members {
		if m.value.kind != '{' {
			continue
		}
		element := &piece{kind: '{', members: slices.Clone(m.value.members)}
		element.members = slices.DeleteFunc(element.members, func(m member) bool { return m.key[0] == field })
		at := 0
		for at < len(element.members) && element.members[at].key[0] < field {
			at++
		}
		element.members = slices.Insert(element.members, at, member{[]byte{field}, &piece{leaf: id}, 1})
		p.members[j].value = element
	}
	return p
}

func (sp *specimen) size() (n int) {
	for key, p := range sp.values {
		if key == "peers" || key == "users" || key == "peer-" || key == "user-" {
			n += sp.parts * p.size()
		} else {
			n += p.size()
		}
	}
	return n
}

// mutated returns a specimen made from sp, of at most limit bytes if possible.
func (sp *specimen) mutated(rng *rand.Rand, others map[string][]*piece, limit int) *specimen {
	for range 100 {
		next := &specimen{sp.upstream, maps.Clone(sp.values), sp.parts}
		keys := slices.Sorted(maps.Keys(next.values))
		key := keys[rng.IntN(len(keys))]
		switch must := key == "node" || key == "self"; {
		case rng.IntN(20) == 0 && !must:
			delete(next.values, key)
		case rng.IntN(20) == 0:
			next.parts = 1 << rng.IntN(10)
		case rng.IntN(40) == 0: // what isn't wanted costs bytes
			for _, other := range keys {
				if other != key && other != "node" && other != "self" {
					delete(next.values, other)
				}
			}
		default:
			p := next.values[key].clone()
			sp.syntax().mutate(rng, p, key, others)
			next.values[key] = p
		}
		if next.size() <= limit {
			return next
		}
	}
	return sp
}

// A cost is what reading a file costs.
type cost struct {
	bytes     int // in the file, or in all values
	allocated int // in all, including what is garbage at once
	limit     int // for allocated
	time      time.Duration
	err       error
}

// measure imports and loads the file that sp stands for, or loads its values in upstream's layout.
func (sp *specimen) measure(t *testing.T) cost {
	t.Helper()
	s := memstore.New()
	file := sp.put(t, s)
	c := cost{bytes: len(file)}
	if sp.upstream {
		c.bytes = storedBytes(t, s)
		c.limit = upstreamAlways + upstreamPerByte*c.bytes
	} else { // as Import loads it too
		c.limit = 2*(loadAlways+loadPerByte*c.bytes) + importPerByte*c.bytes
		s = memstore.New()
	}
	if sp.values["filter"] != nil {
		c.limit += 2 * (filterAlways + filterPerByte*c.bytes)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin := processorTime()
	if !sp.upstream {
		c.err = netmapcache.NewCache(s).Import(t.Context(), bytes.NewReader(file))
	}
	if c.err == nil {
		_, c.err = netmapcache.NewCache(s).Load(t.Context())
	}
	c.time = processorTime() - begin
	runtime.ReadMemStats(&after)
	c.allocated = int(after.TotalAlloc - before.TotalAlloc)
	return c
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A search looks for the worst specimens. For each measure, and each place whose repetition makes up most of a specimen, it keeps
// one. It keeps specimens that Load refuses apart.
type search struct {
	rng  *rand.Rand
	kept map[string]kept
	keys [2][]string // of kept: of those that load, and of those that are refused
}

type kept struct {
	*specimen
	cost
	score float64
}

// parent returns a specimen to change. Mostly it is one that loads, and the worst of a few by one measure.
func (se *search) parent() *specimen {
	keys := se.keys[0]
	if se.rng.IntN(10) == 0 && len(se.keys[1]) > 0 {
		keys = se.keys[1]
	}
	worst := keys[se.rng.IntN(len(keys))]
	for range se.rng.IntN(12) {
		other := keys[se.rng.IntN(len(keys))]
		if strings.Fields(other)[0] == strings.Fields(worst)[0] && se.kept[other].score > se.kept[worst].score {
			worst = other
		}
	}
	return se.kept[worst].specimen
}

// slackBytes is added to the size of a file, because otherwise the constant cost of any file would make small ones look bad.
const slackBytes = 16 << 10

var measures = map[string]func(cost) float64{
	"memory": func(c cost) float64 { return float64(c.allocated) / float64(c.bytes+slackBytes) },
	"limit":  func(c cost) float64 { return float64(c.allocated) / float64(c.limit) },
	"time":   func(c cost) float64 { return float64(c.time) / float64(c.bytes+slackBytes) },
}

// take keeps sp if it is worse than what was kept in its place.
func (se *search) take(t *testing.T, sp *specimen, c cost) {
	var where string
	most := -1
	for key, p := range sp.values {
		if path, n := p.heaviest(key); n > most || n == most && path < where {
			where, most = path, n
		}
	}
	for name, measure := range measures {
		key, refused := name+" "+where, 0
		if c.err != nil {
			key, refused = key+" (refused)", 1
		}
		old, ok := se.kept[key]
		if score := measure(c); !ok || score > old.score {
			if name == "time" { // accidents can make it longer
				score = min(score, measure(sp.measure(t)))
			}
			if !ok {
				se.keys[refused] = append(se.keys[refused], key)
			} else if score <= old.score {
				continue
			}
			se.kept[key] = kept{sp, c, score}
		}
	}
}

// TestHostileFiles searches for files that take the most memory and time when they are imported and loaded. It repeats, removes,
// empties and exchanges pieces of valid files, keeps all digests right, and changes the worst files further.
// No file may take more than its bound.
func TestHostileFiles(t *testing.T) {
	limits := []int{16 << 10, 64 << 10, 256 << 10, 1 << 20} // bytes of a file
	rng := rand.New(rand.NewPCG(1, uint64(*hostileTime)))
	se := &search{rng: rng, kept: make(map[string]kept)}
	others := make(map[string][]*piece)
	for _, nm := range []*netmap.NetworkMap{netmaptest.Realistic(12, 1), netmaptest.HostileJSON(1), netmaptest.HostileJSON(2)} {
		for _, sp := range specimensOf(t.Context(), t, nm) {
			for key, p := range sp.values {
				for _, at := range p.places(key) {
					others[at.path] = append(others[at.path], at.in.members[at.i].value)
				}
			}
			se.take(t, sp, sp.measure(t))
		}
	}
	for _, known := range hostileSnapshots() {
		sp := specimenOf(append([]hostileColumn{hostileNode}, known.columns...))
		se.take(t, sp, sp.measure(t))
	}
	begin, n := time.Now(), 0
	for ; n < torture.Times(40, 5000) && *hostileTime == 0 || time.Since(begin) < *hostileTime; n++ {
		sp := se.parent().mutated(rng, others, limits[rng.IntN(len(limits))])
		c := sp.measure(t)
		if c.err != nil && !errors.Is(c.err, netmapcache.ErrCacheNotAvailable) {
			t.Fatalf("Load: %v", c.err)
		}
		if c.allocated > c.limit {
			t.Errorf("%d bytes allocated for %d, want at most %d: %v", c.allocated, c.bytes, c.limit, c.err)
			sp.keep(t, fmt.Sprint("beyond", n))
		}
		se.take(t, sp, c)
	}
	t.Logf("%d files in %v, %d kinds of them", n, time.Since(begin).Round(time.Second), len(se.kept))
	worst := se.worst()
	for i, w := range worst {
		t.Logf("| %d | %s | %d | %d | %.2f | %v | %v |", i+1, w.key, w.bytes, w.allocated, float64(w.allocated)/float64(w.limit), w.time, w.err)
		w.keep(t, fmt.Sprintf("%02d", i+1))
	}
}

type ranked struct {
	key string
	kept
}

// worst returns the ten worst, each of another place: six by memory for each byte, two by how near they are to the limit, and
// two by time.
func (se *search) worst() (all []ranked) {
	taken := make(map[string]bool)
	for _, m := range []struct {
		name string
		n    int
	}{{"memory", 6}, {"limit", 8}, {"time", 10}} {
		var these []ranked
		for key, k := range se.kept {
			if strings.HasPrefix(key, m.name) {
				these = append(these, ranked{key, k})
			}
		}
		slices.SortFunc(these, func(a, b ranked) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.key, b.key)) })
		for _, r := range these {
			if place := strings.Fields(r.key)[1]; len(all) < m.n && !taken[place] {
				taken[place] = true
				all = append(all, r)
			}
		}
	}
	return all
}

// keep writes sp, as a file or as a directory in upstream's layout, if the flag says to keep files.
func (sp *specimen) keep(t *testing.T, name string) {
	if *hostileKeep == "" {
		return
	}
	path := filepath.Join(*hostileKeep, name)
	if !sp.upstream {
		must(t, os.WriteFile(path, sp.put(t, memstore.New()), 0o600))
		return
	}
	must(t, os.MkdirAll(path, 0o700))
	sp.put(t, netmapcache.FileStore(path))
}
