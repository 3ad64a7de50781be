package etcdstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A lease is one of the numbered leases of a fleet. When a lease expires, all keys attached to it go at once. One of
// these keys is the lease's own, the sentinel. As long as the sentinel is there, all that was attached to the
// lease is there too, attached to this lease or to a later one.
type lease struct {
	number   int64
	id       clientv3.LeaseID
	revision int64 // of the sentinel; as long as this is the newest lease, whatever was attached after this revision was attached to it
}

func (s *SharedStore) sentinel(number int64) string { return fmt.Sprintf("%s%016x", s.leases, number) }

// current are the conditions that l has not expired and is the newest lease. Nodes attach keys only under these
// conditions. So no key ever moves back to a lease that expires earlier.
func (s *SharedStore) current(l lease) []clientv3.Cmp {
	return []clientv3.Cmp{
		clientv3.Compare(clientv3.LeaseValue(s.sentinel(l.number)), "=", l.id),
		s.noneAfter(l.number),
	}
}

func (s *SharedStore) noneAfter(number int64) clientv3.Cmp {
	return clientv3.Compare(clientv3.CreateRevision(s.sentinel(number)+"\x00"), "=", 0).WithRange(clientv3.GetPrefixRangeEnd(s.leases))
}

// newest returns the newest lease of the fleet, which has at least half its life left. If there is
// no such lease, it makes one. The server's time to live counts, not this machine's clock.
func (s *SharedStore) newest(ctx context.Context) (lease, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	for {
		res, err := s.client.Get(ctx, s.leases, clientv3.WithLastKey()...)
		if err != nil {
			return lease{}, explain(ctx, err)
		}
		var last lease
		if len(res.Kvs) > 0 {
			name := strings.TrimPrefix(string(res.Kvs[0].Key), s.leases)
			if last.number, err = strconv.ParseInt(name, 16, 64); err != nil {
				return lease{}, fmt.Errorf("lease %q: %w", name, err)
			}
			last.id, last.revision = clientv3.LeaseID(res.Kvs[0].Lease), res.Kvs[0].CreateRevision
			left, err := s.client.TimeToLive(ctx, last.id)
			if err != nil {
				return lease{}, explain(ctx, err)
			}
			if 2*time.Duration(left.TTL)*time.Second >= s.life {
				return last, nil
			}
		}
		next, made, err := s.grant(ctx, last)
		if made || err != nil {
			return next, err
		}
	}
}

// grant makes the lease after last. It makes none if another node has done so, or if last is gone. In the latter case numbers begin anew, and
// other nodes may have leases of lower numbers that end later.
func (s *SharedStore) grant(ctx context.Context, last lease) (l lease, made bool, err error) {
	granted, err := s.client.Grant(ctx, int64(s.life/time.Second))
	if err != nil {
		return lease{}, false, explain(ctx, err)
	}
	l = lease{number: last.number + 1, id: granted.ID}
	conditions := []clientv3.Cmp{s.noneAfter(last.number)}
	if last.number > 0 {
		conditions = s.current(last)
	}
	res, err := s.txn(ctx, conditions, []clientv3.Op{clientv3.OpPut(s.sentinel(l.number), "", clientv3.WithLease(l.id))}, nil)
	if err != nil {
		return lease{}, false, err
	}
	if !res.Succeeded {
		s.client.Revoke(ctx, l.id) // otherwise it would expire by itself
	}
	l.revision = res.Header.Revision
	return l, res.Succeeded, nil
}

// attach attaches paths to the newest lease without changing their values. It returns errStale if one of them
// is gone, or the lease is not the newest.
func (s *SharedStore) attach(ctx context.Context, paths []string) error {
	for most := s.maxOps - 2; len(paths) > 0; {
		some := paths[:min(len(paths), most)]
		paths = paths[len(some):]
		conditions := s.current(s.now)
		var ops []clientv3.Op
		for _, path := range some {
			conditions = append(conditions, clientv3.Compare(clientv3.CreateRevision(path), ">", 0))
			ops = append(ops, clientv3.OpPut(path, "", clientv3.WithIgnoreValue(), clientv3.WithLease(s.now.id)))
		}
		res, err := s.txn(ctx, conditions, ops, nil)
		if err != nil {
			return err
		}
		if !res.Succeeded {
			return errStale
		}
	}
	return nil
}
