package etcdstore_test

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A hook is called before each request of a client, and after each that may have written; the request fails
// with the error that it returns.
type hook func(done bool) error

// hooked has the requests of client call what *h is at the time.
func hooked(client *clientv3.Client, h *hook) *clientv3.Client {
	client.KV = hookedKV{client.KV, h}
	return client
}

type hookedKV struct {
	clientv3.KV
	hook *hook
}

func (kv hookedKV) call(done bool) error {
	if h := *kv.hook; h != nil {
		return h(done)
	}
	return nil
}

func (kv hookedKV) Get(ctx context.Context, key string, opts ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	if err := kv.call(false); err != nil {
		return nil, err
	}
	return kv.KV.Get(ctx, key, opts...)
}

func (kv hookedKV) Txn(ctx context.Context) clientv3.Txn {
	return &hookedTxn{Txn: kv.KV.Txn(ctx), kv: kv}
}

type hookedTxn struct {
	clientv3.Txn
	kv     hookedKV
	writes bool
}

func (t *hookedTxn) If(cs ...clientv3.Cmp) clientv3.Txn   { t.Txn = t.Txn.If(cs...); return t }
func (t *hookedTxn) Else(ops ...clientv3.Op) clientv3.Txn { t.Txn = t.Txn.Else(ops...); return t }
func (t *hookedTxn) Then(ops ...clientv3.Op) clientv3.Txn {
	for _, op := range ops {
		t.writes = t.writes || !op.IsGet()
	}
	t.Txn = t.Txn.Then(ops...)
	return t
}

func (t *hookedTxn) Commit() (*clientv3.TxnResponse, error) {
	if err := t.kv.call(false); err != nil {
		return nil, err
	}
	res, err := t.Txn.Commit()
	if err == nil && t.writes && res.Succeeded {
		err = t.kv.call(true)
	}
	if err != nil {
		return nil, err
	}
	return res, nil
}
