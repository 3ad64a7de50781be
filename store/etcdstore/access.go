package etcdstore

import (
	"context"
	"errors"
	"iter"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// access is the way in which both kinds of stores read and write.
type access struct {
	client *clientv3.Client
	options
}

// bounded returns ctx with the timeout of a request.
func (a access) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok || a.timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, a.timeout)
}

// pageLen is how many keys one request lists, at some 100 bytes each.
const pageLen = 2000

// list yields the keys that begin with prefix, without their values, in order.
func (a access) list(ctx context.Context, prefix string) iter.Seq2[*mvccpb.KeyValue, error] {
	return func(yield func(*mvccpb.KeyValue, error) bool) {
		end := clientv3.GetPrefixRangeEnd(prefix)
		revision := int64(0) // the newest
		for from := prefix; ; {
			page, err := a.page(ctx, from, end, revision)
			if errors.Is(err, rpctypes.ErrCompacted) {
				page, err = a.page(ctx, from, end, 0)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			revision = page.Header.Revision
			for _, kv := range page.Kvs {
				if err := ctx.Err(); err != nil {
					yield(nil, err)
					return
				}
				if !yield(kv, nil) {
					return
				}
				from = string(kv.Key) + "\x00" // the next key after it
			}
			if !page.More {
				if err := ctx.Err(); err != nil {
					yield(nil, err)
				}
				return
			}
		}
	}
}

// page reads keys as of revision, or of the newest if that is 0. The result's header has the revision.
func (a access) page(ctx context.Context, from, end string, revision int64) (*clientv3.GetResponse, error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	page, err := a.client.Get(ctx, from, clientv3.WithRange(end), clientv3.WithKeysOnly(), clientv3.WithLimit(pageLen), clientv3.WithRev(revision))
	if err != nil {
		return nil, explain(ctx, err)
	}
	if revision > 0 {
		page.Header.Revision = revision // the header has the newest revision
	}
	return page, nil
}

// get yields what is stored under each of paths, or nil if nothing is stored or the path is empty. An error ends it.
func (a access) get(ctx context.Context, paths []string, opts ...clientv3.OpOption) iter.Seq2[*mvccpb.KeyValue, error] {
	return func(yield func(*mvccpb.KeyValue, error) bool) {
		for len(paths) > 0 {
			some := paths[:min(len(paths), a.maxOps)]
			paths = paths[len(some):]
			found, err := a.getSome(ctx, some, opts)
			for i := range some {
				if err == nil {
					err = ctx.Err()
				}
				if err != nil {
					yield(nil, err)
					return
				}
				if !yield(found[i], nil) {
					return
				}
			}
		}
	}
}

// getSome is get for no more paths than one transaction may read.
func (a access) getSome(ctx context.Context, paths []string, opts []clientv3.OpOption) ([]*mvccpb.KeyValue, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var gets []clientv3.Op
	var places []int
	for i, path := range paths {
		if path != "" {
			gets, places = append(gets, clientv3.OpGet(path, opts...)), append(places, i)
		}
	}
	found := make([]*mvccpb.KeyValue, len(paths))
	if len(gets) == 0 {
		return found, nil
	}
	res, err := a.readTxn(ctx, gets)
	if err != nil {
		return nil, err
	}
	for i, r := range res.Responses {
		if kvs := r.GetResponseRange().Kvs; len(kvs) > 0 {
			found[places[i]] = kvs[0]
		}
	}
	return found, nil
}

const (
	readAttempts = 100
	readPause    = 50 * time.Millisecond
)

// readTxn makes the reads in one transaction. The client makes only one attempt at a transaction, since it could
// write. So readTxn repeats it as often as the client would repeat a single read.
func (a access) readTxn(ctx context.Context, gets []clientv3.Op) (*clientv3.TxnResponse, error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	for attempt := 1; ; attempt++ {
		res, err := a.client.Txn(ctx).Then(gets...).Commit()
		if err == nil {
			return res, nil
		}
		if !isUnavailable(err) || attempt == readAttempts {
			return nil, explain(ctx, err)
		}
		select {
		case <-time.After(readPause):
		case <-ctx.Done():
			return nil, explain(ctx, err)
		}
	}
}
