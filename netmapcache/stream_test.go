package netmapcache_test

import (
	"bytes"
	"context"
	"reflect"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
)

// restarting is a store that begins each commit anew, as one does that has lost its connection.
type restarting struct {
	store.Committer
	changes [][2]store.Change // that streams made, each twice
}

func (s *restarting) CommitStream(ctx context.Context, guard *store.Guard, stream store.Stream) error {
	var made [2]store.Change
	for i := range made {
		made[i].Guard = guard
		var err error
		made[i].Remove, err = stream(func(e store.Entry) error {
			e.Value = bytes.Clone(e.Value)
			made[i].Put = append(made[i].Put, e)
			return nil
		})
		if err != nil {
			return err
		}
	}
	s.changes = append(s.changes, made)
	return s.Commit(ctx, made[1])
}

func TestStreamsAgain(t *testing.T) {
	s := &restarting{Committer: memstore.New()}
	c := netmapcache.NewCache(s)
	nm := netmaptest.Realistic(300, 1)
	changed := netmaptest.WithPeersRemoved(netmaptest.WithPeerChanged(nm, 7, 1), 0)
	for _, step := range []error{
		c.Store(t.Context(), nm),
		c.Store(t.Context(), changed),
		c.UpdateSelfOnly(t.Context(), netmaptest.WithSelfChanged(changed, 1)),
	} {
		if step != nil {
			t.Fatal(step)
		}
	}
	if len(s.changes) != 3 {
		t.Errorf("%d streams, want 3", len(s.changes))
	}
	for i, made := range s.changes {
		if len(made[0].Put) == 0 || !reflect.DeepEqual(made[0], made[1]) {
			t.Errorf("change %d differs when it is made again", i)
		}
	}
	checkLoad(t, c, s, netmaptest.WithSelfChanged(changed, 1))
}
