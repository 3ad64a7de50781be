package store_test

import (
	"context"
	"fmt"
	"log"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/memstore"
)

// A logged store tells of each commit. It embeds all the abilities of the store that it wraps.
type logged struct{ abilities }

type abilities interface {
	store.Committer
	store.BulkLoader
}

func (l logged) Commit(ctx context.Context, ch store.Change) error {
	err := l.abilities.Commit(ctx, ch)
	fmt.Printf("put %d, remove %d: %v\n", len(ch.Put), len(ch.Remove), err)
	return err
}

// A store is wrapped by a type that embeds its abilities.
func Example_wrap() {
	s := logged{memstore.New()}
	err := store.Commit(context.Background(), s, store.Change{Put: []store.Entry{{Key: "a", Value: []byte("1")}}})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// put 1, remove 0: <nil>
}
