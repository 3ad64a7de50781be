//go:build js && wasm

package main

import (
	"context"
	"iter"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/idbstore"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// A kept is a netmap that was loaded, kept for calls that read pieces of it.
type kept struct {
	info   netmapcache.Info // of the snapshot, or of one before it
	netmap *netmap.NetworkMap
	texts  []string // by index in Peers, what to search; nil before the first search
}

// current returns the stored netmap. It is loaded only if the snapshot changed, as its
// root tells, since it was loaded last.
func (c *cache) current(ctx context.Context) (*kept, error) {
	select {
	case <-c.turn:
		defer func() { c.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	info, err := c.Info(ctx)
	if err == nil && c.kept != nil && c.kept.info == info && !c.expired(info) {
		return c.kept, nil
	}
	c.kept = nil
	start, waited := time.Now(), *c.store.waited
	// Nearly all that a Load allocates stays. To look for garbage meanwhile would take a quarter of the time.
	percent := debug.SetGCPercent(-1)
	nm, err := c.Load(ctx)
	debug.SetGCPercent(percent)
	if err != nil {
		return nil, err
	}
	read := *c.store.waited - waited
	c.loaded(read, time.Since(start)-read)
	k := &kept{info: info, netmap: nm}
	if !info.Upstream { // of upstream's layout info can't tell whether it changed
		c.kept = k
	}
	return k, nil
}

// expired reports whether [cache.Load] refuses the snapshot for its age.
func (c *cache) expired(info netmapcache.Info) bool {
	return c.maxAge > 0 && time.Since(info.ConfirmedAt) > c.maxAge
}

// matching returns the peers in which all words of search occur, in whatever case:
// in names, addresses, tags, operating system or owner.
func (k *kept) matching(search string) []tailcfg.NodeView {
	words := strings.Fields(strings.ToLower(search))
	if len(words) == 0 {
		return k.netmap.Peers
	}
	if k.texts == nil {
		k.texts = make([]string, len(k.netmap.Peers))
		for i, p := range k.netmap.Peers {
			k.texts[i] = strings.ToLower(searchText(k.netmap, p))
		}
	}
	var found []tailcfg.NodeView
	for i, p := range k.netmap.Peers {
		contains := func(word string) bool { return strings.Contains(k.texts[i], word) }
		if !slices.ContainsFunc(words, func(word string) bool { return !contains(word) }) {
			found = append(found, p)
		}
	}
	return found
}

// searchText returns what of a peer can be searched.
func searchText(nm *netmap.NetworkMap, p tailcfg.NodeView) string {
	texts := []string{p.Name(), p.ComputedName(), string(p.StableID())}
	for _, a := range p.Addresses().All() {
		texts = append(texts, a.Addr().String())
	}
	texts = p.Tags().AppendTo(texts)
	if info := p.Hostinfo(); info.Valid() {
		texts = append(texts, info.Hostname(), info.OS())
	}
	if owner := nm.UserProfiles[p.User()]; owner.Valid() {
		texts = append(texts, owner.LoginName(), owner.DisplayName())
	}
	return strings.Join(texts, "\n")
}

// database is another name for the store, since a field Store would hide the method.
type database = idbstore.Store

// A timedStore is an [idbstore.Store] that adds up how long loads wait for it, and
// tells of its commits.
type timedStore struct {
	*database
	committed func()
	waited    *time.Duration
}

// Commit implements [store.Committer].
func (s timedStore) Commit(ctx context.Context, ch store.Change) error {
	err := s.database.Commit(ctx, ch)
	if err == nil && len(ch.Put)+len(ch.Remove) > 0 {
		s.committed()
	}
	return err
}

// CommitStream implements [store.StreamCommitter]. Only whole snapshots and their parts come this way.
func (s timedStore) CommitStream(ctx context.Context, guard *store.Guard, stream store.Stream) error {
	err := s.database.CommitStream(ctx, guard, stream)
	if err == nil {
		s.committed()
	}
	return err
}

// LoadMany implements [store.BulkLoader].
func (s timedStore) LoadMany(ctx context.Context, keys []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		asked := time.Now()
		for value, err := range s.database.LoadMany(ctx, keys) {
			*s.waited += time.Since(asked)
			if !yield(value, err) {
				return
			}
			asked = time.Now()
		}
	}
}
