//go:build !js

package filestore_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/netmapcache/netmapcache/internal/cachetest"
	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/filestore"
	"tailscale.com/types/netmap"
)

// crashes searches what interruptions of calls of a Cache leave on a disk.
type crashes struct {
	*testing.T
	rnd *rand.Rand

	moments, cuts, checked int // for the log
}

// TestCrashes interrupts every call of a Cache on files before and after each
// operation on the file system, by a power cut, and by a kill that one
// follows. Always one of the snapshots from before and after the call is left, that from after
// once the call has returned; the next Store succeeds and leaves nothing else.
func TestCrashes(t *testing.T) {
	for _, script := range cachetest.Scripts() {
		for _, restart := range []bool{false, true} {
			if !torture.Long() && (restart && script.Name != "session" || script.Name == "growth") {
				continue // much the same, and slow
			}
			t.Run(fmt.Sprintf("%s, restart=%v", script.Name, restart), func(t *testing.T) {
				seed := uint64(1)
				if torture.Long() {
					seed = rand.Uint64()
				}
				c := &crashes{T: t, rnd: rand.New(rand.NewPCG(seed, 'c'))}
				c.run(script, restart)
				t.Logf("seed %d: %d moments, %d power cuts, %d of them different", seed, c.moments, c.cuts, c.checked)
			})
		}
	}
}

// run plays a script, with one Cache or with a new one for each call.
func (t *crashes) run(script cachetest.Script, restart bool) {
	disk := filestore.NewDisk()
	if err := script.Fill(t.Context(), disk.Store()); err != nil {
		t.Fatal(err)
	}
	cache := netmapcache.NewCache(disk.Store())
	for i, step := range script.Steps {
		if restart {
			cache = netmapcache.NewCache(disk.Store())
		}
		moments := record(disk, func() {
			if err := step.Call(t.Context(), cache); err != nil {
				t.Fatalf("%s: %v", step.Name, err)
			}
		})
		before := script.Before(i)
		limit := torture.Times(3, 100)
		t.cutAll(step.Name, moments, limit, true, before, step.Want)
		t.killSome(step.Name, moments, before, step.Want)
		if t.Failed() {
			return
		}
	}
}

// changes are the operations that change a disk.
var changes = map[string]bool{"create": true, "write": true, "sync": true, "link": true, "rename": true, "remove": true, "syncDir": true}

// record returns the disk as it was before call, after each operation of it, and
// at the end.
func record(disk *filestore.Disk, call func()) (moments []*filestore.Disk) {
	moments = append(moments, disk.Clone())
	disk.Hook = func(op string, done bool) error {
		if done && changes[op] {
			moments = append(moments, disk.Clone())
		}
		return nil
	}
	call()
	disk.Hook = nil
	return append(moments, disk.Clone())
}

// cutAll cuts the power at each of the moments of a call, the last of which is
// its end, and checks that what is left is before or after. If again is true it
// does so too while a Cache recovers, now and then.
func (t *crashes) cutAll(name string, moments []*filestore.Disk, limit int, again bool, before, after *netmap.NetworkMap) {
	t.Helper()
	type state struct {
		end  bool
		disk [sha256.Size]byte
	}
	seen := make(map[state]bool)
	for i, moment := range moments {
		end := i == len(moments)-1
		wants := []*netmap.NetworkMap{before, after}
		if end {
			wants = wants[1:]
		}
		t.moments++
		for cut := range moment.PowerCuts(limit, t.rnd) {
			t.cuts++
			if s := (state{end, cut.Fingerprint()}); seen[s] {
				continue
			} else {
				seen[s] = true
			}
			t.checked++
			if err := t.recover(cut, again && t.rnd.IntN(torture.Times(500, 50)) == 0, wants); err != nil {
				t.Errorf("%s: power cut after operation %d of %d: %v\nlost were %q", name, i, len(moments)-2, err, cut.Lost)
				return
			}
		}
	}
}

// recover checks that one of wants is left on disk, and that a Cache can go on
// from there.
func (t *crashes) recover(disk *filestore.Disk, again bool, wants []*netmap.NetworkMap) error {
	s := disk.Store()
	cache := netmapcache.NewCache(s)
	left, err := cachetest.Loads(t.Context(), cache, wants...)
	if err != nil {
		return err
	}
	if t.rnd.IntN(2) == 0 {
		cache = netmapcache.NewCache(s) // which knows nothing
	}
	var recovered error
	moments := record(disk, func() { recovered = cachetest.Recovers(t.Context(), s, cache, cachetest.Other()) })
	if recovered != nil {
		return recovered
	}
	if n := disk.Temporaries(); n > 0 {
		return fmt.Errorf("%d temporary files after Store", n)
	}
	if again {
		t.cutAll("Store after a power cut", moments, 4, false, left, cachetest.Other())
	}
	return nil
}

// killSome kills the process at some of the moments of a call, always when
// the new snapshot has just become visible, and isn't durable yet. Once the next process
// has stored what it finds, the same, it is.
func (t *crashes) killSome(name string, moments []*filestore.Disk, before, after *netmap.NetworkMap) {
	t.Helper()
	root := func(d *filestore.Disk) string {
		value, _ := d.Clone().Store().Load(t.Context(), "self")
		return string(value)
	}
	old, visible := root(moments[0]), false
	for i, moment := range moments {
		first := !visible && root(moment) != old
		visible = visible || first
		if !first && t.rnd.IntN(torture.Times(30, 2)) != 0 {
			continue
		}
		disk := moment.Clone()
		cache := netmapcache.NewCache(disk.Store())
		left, err := cachetest.Loads(t.Context(), cache, before, after)
		if err != nil {
			t.Errorf("%s: killed after operation %d of %d: %v", name, i, len(moments)-2, err)
			return
		}
		if left == nil {
			continue
		}
		if err := cache.Store(t.Context(), left); err != nil {
			t.Errorf("%s: Store after a kill: %v", name, err)
			return
		}
		t.cutAll(fmt.Sprintf("%s: killed after operation %d of %d, stored again", name, i, len(moments)-2),
			[]*filestore.Disk{disk}, torture.Times(4, 50), false, nil, left)
	}
}
