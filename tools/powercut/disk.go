//go:build linux

package powercut

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
)

// A Disk logs what is written to it, and when that is flushed.
type Disk struct {
	start *Image // its content at first

	mu  sync.Mutex
	now *Image
	log []event
}

// An event is a write, a flush, or, if wants is not nil, a moment from which on a cut may leave
// other snapshots.
type event struct {
	written []piece
	flush   bool
	wants   []int
}

// NewDisk returns a disk with that content, of which a cut may leave one of wants.
func NewDisk(content *Image, wants ...int) *Disk {
	return &Disk{start: content, now: over(content), log: []event{{wants: wants}}}
}

// Expect notes that from now on a cut may leave one of wants.
func (d *Disk) Expect(wants ...int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, event{wants: wants})
}

func (d *Disk) read(dest []byte, offset int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now.read(dest, offset)
}

func (d *Disk) write(data []byte, offset int64) {
	written := pieces(data, offset)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range written {
		d.now.write(p)
	}
	d.log = append(d.log, event{written: written})
}

// flush makes what was written durable. A write that has come but is not yet acknowledged
// counts too, which a real disk doesn't promise.
func (d *Disk) flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, event{flush: true})
}

// A Cut is what a power cut can leave of a disk.
type Cut struct {
	Image *Image
	Wants []int  // one of these has to be left
	What  string // when the power was cut, and what was lost
}

// The ways in which a cut takes blocks that were written since the last flush.
const (
	leaveNone = iota
	leaveAll
	leaveSome // each by chance
	leaveOne
	loseOne
	ways
)

// Cuts yields what power cuts can leave: at each moment from which on only one snapshot may be
// left, none and all of the blocks written since the last flush; and after n writes, any of them. It
// repeats none. The image of one is to be used before the next is asked for.
func (d *Disk) Cuts(n int, rnd *rand.Rand) iter.Seq[Cut] {
	picks := make([][]int, len(d.log)) // the ways to cut after each event
	var writes []int
	for i, e := range d.log {
		switch {
		case len(e.wants) == 1 && i > 0:
			picks[i] = []int{leaveNone, leaveAll}
		case e.written != nil:
			writes = append(writes, i)
		}
	}
	if len(writes) == 0 {
		n = 0
	}
	for range n {
		i := writes[rnd.IntN(len(writes))]
		picks[i] = append(picks[i], rnd.IntN(ways))
	}
	return func(yield func(Cut) bool) {
		durable := over(d.start)
		var pending []piece
		var wants []int
		seen := make(map[string]bool) // since the last flush or change of wants
		for i, e := range d.log {
			switch {
			case e.flush:
				for _, p := range pending {
					durable.write(p)
				}
				pending = nil
				clear(seen)
			case e.wants != nil:
				wants = e.wants
				clear(seen)
			}
			pending = append(pending, e.written...)
			for _, way := range picks[i] {
				left := choose(pending, way, rnd)
				key := fmt.Sprint(left)
				if seen[key] {
					continue
				}
				seen[key] = true
				cut := Cut{over(durable), wants, fmt.Sprintf("after event %d of %d, %d of %d blocks left", i+1, len(d.log), len(left), len(pending))}
				for _, k := range left {
					cut.Image.write(pending[k])
				}
				if !yield(cut) {
					return
				}
			}
		}
	}
}

// choose returns the indexes of the pieces that a cut leaves.
func choose(pending []piece, way int, rnd *rand.Rand) (left []int) {
	one := rnd.IntN(max(1, len(pending)))
	for i := range pending {
		if way == leaveAll || way == leaveSome && rnd.IntN(2) == 0 || way == leaveOne && i == one || way == loseOne && i != one {
			left = append(left, i)
		}
	}
	return left
}
