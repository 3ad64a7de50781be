//go:build !js

package filestore

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/netmapcache/netmapcache/store"
)

// sector is the number of bytes that a disk writes at once, or not at all.
const sector = 512

// A Disk is a file system of one directory, in memory, whose power can be cut.
//
// What a power cut leaves is what POSIX promises, and no more, which is less
// than what most file systems do:
//   - A name leads where it led when the directory was last synced, or where it
//     led at any time since; each name for itself. So what was created, renamed
//     or removed since may be lost, or come in another order, and a renamed file
//     may have either name, both or none.
//   - A file has what had been written to it when it was last synced. Of what was
//     written since it has nothing; or all up to some sector; or its whole length,
//     with zeros in place of one sector or of all.
type Disk struct {
	// Hook, if not nil, is called for each operation before and after it takes
	// effect. The operation fails with the error that it returns. It may use
	// Clone, but nothing else of the disk.
	Hook func(op string, done bool) error

	// Lost tells what a power cut took from this disk.
	Lost []string

	turn  chan struct{}         // holds a token while no operation is under way
	free  chan struct{}         // holds a token while nobody has the lock
	names map[string][]*content // where each led when names were last synced, and since
}

// content is that of a file. A nil one stands for no file.
type content struct {
	data   []byte
	synced int // how many bytes of data are durable
}

func NewDisk() *Disk {
	d := &Disk{
		turn:  make(chan struct{}, 1),
		free:  make(chan struct{}, 1),
		names: make(map[string][]*content),
	}
	d.turn <- struct{}{}
	d.free <- struct{}{}
	return d
}

// Store returns a store in the directory of d.
func (d *Disk) Store() store.Committer { return &Directory{d, new(atomic.Bool)} }

// Clone returns a copy of d, on which nobody has the lock: the disk that is left
// if the process is killed.
func (d *Disk) Clone() *Disk {
	c := NewDisk()
	copies := map[*content]*content{nil: nil}
	for name, versions := range d.names {
		for _, v := range versions {
			if _, ok := copies[v]; !ok {
				clone := *v
				copies[v] = &clone
			}
			c.names[name] = append(c.names[name], copies[v])
		}
	}
	return c
}

// PowerCuts yields disks as a power cut can leave d: all that there can be, if that is
// no more than limit, else that many.
func (d *Disk) PowerCuts(limit int, rnd *rand.Rand) iter.Seq[*Disk] {
	var (
		names []string   // that lead elsewhere than when they were last synced
		files []*content // that are not synced
		of    []string   // a name of each
		sizes []int      // the number of fates of each of names, then of files
	)
	seen := make(map[*content]bool)
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		versions := d.names[name]
		if len(versions) > 1 {
			names = append(names, name)
			sizes = append(sizes, len(versions))
		}
		for _, v := range versions {
			if v != nil && v.synced < len(v.data) && !seen[v] {
				seen[v] = true
				files = append(files, v)
				of = append(of, name)
			}
		}
	}
	for _, c := range files {
		sizes = append(sizes, len(c.torn()))
	}
	return func(yield func(*Disk) bool) {
		for fates := range choices(sizes, limit, rnd) {
			cut := NewDisk()
			left := make(map[*content]*content)
			for i, c := range files {
				fate, torn := fates[len(names)+i], c.torn()
				left[c] = &content{torn[fate], len(torn[fate])}
				if fate < len(torn)-1 {
					cut.Lost = append(cut.Lost, fmt.Sprintf("part %d of file %s", fate, of[i]))
				}
			}
			for i, name := range names {
				if n := len(d.names[name]) - 1; fates[i] < n {
					cut.Lost = append(cut.Lost, fmt.Sprintf("the last %d of %d changes of name %s", n-fates[i], n, name))
				}
			}
			for name, versions := range d.names {
				v := versions[0]
				if i, ok := slices.BinarySearch(names, name); ok {
					v = versions[fates[i]]
				}
				if torn, ok := left[v]; ok {
					v = torn
				}
				if v != nil {
					cut.names[name] = []*content{v}
				}
			}
			if !yield(cut) {
				return
			}
		}
	}
}

// torn returns what a power cut can leave of c, from nothing to all.
func (c *content) torn() [][]byte {
	all := [][]byte{c.data[:c.synced]}
	hole := func(from, to int) {
		data := slices.Clone(c.data)
		clear(data[from:to])
		all = append(all, data)
	}
	hole(c.synced, len(c.data))
	for from := c.synced; from < len(c.data); {
		to := min((from/sector+1)*sector, len(c.data))
		if from > c.synced {
			all = append(all, c.data[:from])
		}
		hole(from, to)
		from = to
	}
	return append(all, c.data)
}

// choices yields slices that hold at each index i a number from 0 to sizes[i]-1: all
// that there are, if these are no more than limit. Else it yields that many: all
// numbers the greatest, all 0; then at random, half of them with one number that
// isn't the greatest, or one that isn't 0, and half of them any.
func choices(sizes []int, limit int, rnd *rand.Rand) iter.Seq[[]int] {
	total := 1
	for _, size := range sizes {
		if total <= limit {
			total *= size
		}
	}
	return func(yield func([]int) bool) {
		choice := make([]int, len(sizes))
		for n := range min(total, limit) {
			left, one := n, -1
			if total > limit && n >= 2 && n < limit/2 {
				one = rnd.IntN(len(sizes))
			}
			for i, size := range sizes {
				switch {
				case total <= limit:
					choice[i], left = left%size, left/size
				case n < 2 || one >= 0 && one != i:
					choice[i] = (size - 1) * (1 - n%2)
				default:
					choice[i] = rnd.IntN(size)
				}
			}
			if !yield(choice) {
				return
			}
		}
	}
}

// files returns what d holds.
func (d *Disk) files() map[string][]byte {
	files := make(map[string][]byte)
	for name, versions := range d.names {
		if now := versions[len(versions)-1]; now != nil {
			files[name] = now.data
		}
	}
	return files
}

// Temporaries returns how many temporary files d holds.
func (d *Disk) Temporaries() int {
	n := 0
	for name := range d.files() {
		if _, ok := fileKey(name); !ok && name != lockName {
			n++
		}
	}
	return n
}

// Fingerprint is the same for disks that hold the same values, and both some temporary
// files or none.
func (d *Disk) Fingerprint() [sha256.Size]byte {
	h := sha256.New()
	files := d.files()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if _, ok := fileKey(name); ok {
			fmt.Fprintf(h, "%s %d ", name, len(files[name]))
			h.Write(files[name])
		}
	}
	fmt.Fprint(h, d.Temporaries() > 0)
	return [sha256.Size]byte(h.Sum(nil))
}
