package etcdstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/netmapcache/netmapcache/store"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// A change is a [store.Change] in terms of etcd.
type change struct {
	guard  *store.Guard
	path   func(key string) string // of the guard's key
	always []clientv3.Cmp          // conditions of each transaction that puts something
	put    []put
	remove []string // paths

	// markers begins the paths of the markers of this store. If the entries of a change don't fit into one transaction, the first
	// transaction also puts a marker. Every transaction that removes an entry removes all markers. So if the marker is
	// still there in the last transaction, the entries are too. markers is empty if other writers don't remove what is put.
	markers string
}

// A put is an entry to write.
type put struct {
	key   string // for errors
	path  string
	value []byte
	lease clientv3.LeaseID
}

var (
	// errOutrun says that another change removed an entry between two transactions of this one.
	errOutrun = fmt.Errorf("a change of several transactions: %w", store.ErrConflict)

	// errStale says that a condition of change.always doesn't hold, or that a lease is gone.
	errStale = errors.New("etcd: the leases have changed")
)

const (
	// opBytes is an upper bound for the size of an operation or comparison in a request, without its key and value.
	// requestBytes is one for the size of a request without its operations, names of users included.
	opBytes      = 64
	requestBytes = 1024

	// outrunAttempts is how often a change of several transactions is tried. An attempt fails if another change removes something meanwhile.
	outrunAttempts = 100
)

func (p put) op() clientv3.Op {
	return clientv3.OpPut(p.path, string(p.value), clientv3.WithLease(p.lease))
}

func (p put) size() int { return opBytes + len(p.path) + len(p.value) }

// room is the space that is left in a transaction.
type room struct{ ops, bytes int }

func (a access) room() room { return room{a.maxOps, a.maxBytes - requestBytes} }

// take reports whether ops operations of that size fit. If they do, it takes the space.
func (r *room) take(ops, bytes int) bool {
	if ops > r.ops || bytes > r.bytes {
		return false
	}
	r.ops, r.bytes = r.ops-ops, r.bytes-bytes
	return true
}

// commit applies c, by one transaction if the entries fit into it, otherwise by several. It returns the revision at
// which the last entry was put.
func (a access) commit(ctx context.Context, c change) (revision int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := a.checkSizes(c); err != nil {
		return 0, err
	}
	for range outrunAttempts {
		if revision, err = a.tryCommit(ctx, c); err != errOutrun {
			return revision, err
		}
	}
	return 0, errOutrun
}

// checkSizes reports an error if an entry doesn't fit into a request.
func (a access) checkSizes(c change) error {
	for _, p := range c.put {
		r := a.room()
		r.take(0, c.overhead())
		if !r.take(1, p.size()) {
			return fmt.Errorf("store %q: value of %d bytes doesn't fit into a request of %d bytes; see WithMaxRequestBytes", p.key, len(p.value), a.maxBytes)
		}
	}
	return nil
}

// overhead is the size of a transaction without its entries and removals.
func (c *change) overhead() int {
	size := (2 + len(c.always)) * (opBytes + len(c.markers) + store.MaxKeyLen)
	if c.guard != nil {
		size += 2*opBytes + 2*len(c.path(c.guard.Key)) + len(c.guard.Value)
	}
	return size
}

// tryCommit applies c unless it is outrun.
func (a access) tryCommit(ctx context.Context, c change) (revision int64, err error) {
	if len(c.put) == 0 {
		return 0, a.removeOnly(ctx, c)
	}
	final := a.room()
	final.ops -= 2 // for operations on markers
	final.bytes -= c.overhead()
	fit := final
	all := true
	for _, p := range c.put {
		all = all && fit.take(1, p.size())
	}
	if all {
		return a.finish(ctx, c, c.put, fit, "")
	}
	var early, last []put
	for i, p := range c.put {
		if i == len(c.put)-1 || c.guard != nil && p.key == c.guard.Key {
			last = append(last, p)
			final.take(1, p.size())
		} else {
			early = append(early, p)
		}
	}
	marker, err := a.putBatches(ctx, c, early)
	if err != nil {
		return 0, err
	}
	return a.finish(ctx, c, last, final, marker)
}

// putBatches puts entries, in as many transactions as needed. It returns the path of the marker that it puts with them, if any.
func (a access) putBatches(ctx context.Context, c change, entries []put) (marker string, err error) {
	var ops []clientv3.Op
	if c.markers != "" {
		marker = c.markers + rand.Text()
		ops = append(ops, clientv3.OpPut(marker, ""))
	}
	for len(entries) > 0 {
		r := a.room()
		r.ops -= len(ops)
		r.bytes -= c.overhead()
		n := 0
		for ; n < len(entries) && r.take(1, entries[n].size()); n++ {
			ops = append(ops, entries[n].op())
		}
		if _, err := a.txnGuarded(ctx, c, "", ops); err != nil {
			return "", err
		}
		ops, entries = nil, entries[n:]
	}
	return marker, nil
}

// finish makes the change take effect. Under the guard it puts entries, the last of which is the commit point, and removes
// as much as there is room for. Then it removes the rest.
func (a access) finish(ctx context.Context, c change, entries []put, r room, marker string) (revision int64, err error) {
	var ops []clientv3.Op
	for _, p := range entries {
		ops = append(ops, p.op())
	}
	now := 0
	for now < len(c.remove) && r.take(1, opBytes+len(c.remove[now])) {
		now++
	}
	ops = append(ops, c.removals(c.remove[:now])...)
	if now == 0 && marker != "" {
		ops = append(ops, clientv3.OpDelete(marker))
	}
	res, err := a.txnGuarded(ctx, c, marker, ops)
	if err != nil {
		return 0, err
	}
	// Remove the rest only as long as the commit point is still this change's, since a later change may name it again.
	last := clientv3.Compare(clientv3.ModRevision(entries[len(entries)-1].path), "=", res.Header.Revision)
	for rest := c.remove[now:]; len(rest) > 0; {
		n := a.removable(rest)
		res, err := a.txn(ctx, []clientv3.Cmp{last}, c.removals(rest[:n]), nil)
		if err != nil || !res.Succeeded {
			break // a later change can remove the rest
		}
		rest = rest[n:]
	}
	return res.Header.Revision, nil
}

// removeOnly applies a change that puts nothing.
func (a access) removeOnly(ctx context.Context, c change) error {
	if len(c.remove) == 0 && c.guard == nil {
		return nil
	}
	rest := slices.Clone(c.remove)
	if g := c.guard; g != nil { // remove its key last, since the guard has to hold until then
		if i := slices.Index(rest, c.path(g.Key)); i >= 0 {
			rest = append(slices.Delete(rest, i, i+1), c.path(g.Key))
		}
	}
	for {
		n := a.removable(rest)
		_, err := a.txnGuarded(ctx, c, "", c.removals(rest[:n]))
		if errors.Is(err, store.ErrConflict) && len(rest) < len(c.remove) {
			return fmt.Errorf("etcd: another writer changed the store when %d of %d keys were removed", len(c.remove)-len(rest), len(c.remove))
		}
		if rest = rest[n:]; err != nil || len(rest) == 0 {
			return err
		}
	}
}

// removable returns how many of paths one transaction can remove.
func (a access) removable(paths []string) int {
	r := a.room()
	r.ops -= 2
	n := 0
	for n < len(paths) && r.take(1, opBytes+len(paths[n])) {
		n++
	}
	return n
}

// removals are the operations that remove paths. If there are any, they also remove all markers.
func (c *change) removals(paths []string) []clientv3.Op {
	var ops []clientv3.Op
	for _, path := range paths {
		ops = append(ops, clientv3.OpDelete(path))
	}
	if len(ops) > 0 && c.markers != "" {
		ops = append(ops, clientv3.OpDelete(c.markers, clientv3.WithPrefix()))
	}
	return ops
}

// txnGuarded does ops under all conditions of c. Its error says which condition doesn't hold.
func (a access) txnGuarded(ctx context.Context, c change, marker string, ops []clientv3.Op) (*clientv3.TxnResponse, error) {
	conditions := c.always
	var gets []clientv3.Op
	if g := c.guard; g != nil {
		path := c.path(g.Key)
		if g.Absent {
			conditions = append(conditions[:len(conditions):len(conditions)], clientv3.Compare(clientv3.CreateRevision(path), "=", 0))
		} else {
			conditions = append(conditions[:len(conditions):len(conditions)], clientv3.Compare(clientv3.Value(path), "=", string(g.Value)))
		}
		gets = append(gets, clientv3.OpGet(path))
	}
	if marker != "" {
		conditions = append(conditions[:len(conditions):len(conditions)], clientv3.Compare(clientv3.CreateRevision(marker), ">", 0))
		gets = append(gets, clientv3.OpGet(marker, clientv3.WithKeysOnly()))
	}
	res, err := a.txn(ctx, conditions, ops, gets)
	if err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	if res.Succeeded {
		return res, nil
	}
	found := res.Responses
	if g := c.guard; g != nil {
		var value []byte
		absent := store.ErrKeyNotFound
		if kvs := found[0].GetResponseRange().Kvs; len(kvs) > 0 {
			value, absent = kvs[0].Value, nil
		}
		if err := g.Check(value, absent); err != nil {
			return nil, err
		}
		found = found[1:]
	}
	if marker != "" && found[0].GetResponseRange().Count == 0 {
		return nil, errOutrun
	}
	return nil, errStale
}

// txn makes one transaction.
func (a access) txn(ctx context.Context, conditions []clientv3.Cmp, ops, otherwise []clientv3.Op) (*clientv3.TxnResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	res, err := a.client.Txn(ctx).If(conditions...).Then(ops...).Else(otherwise...).Commit()
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return nil, errStale
	}
	if err != nil {
		return nil, explainWrite(ctx, err)
	}
	return res, nil
}
