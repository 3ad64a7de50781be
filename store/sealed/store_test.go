//go:build !js

package sealed_test

import (
	"testing"

	"github.com/netmapcache/netmapcache/internal/plainstore"
	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/filestore"
	"github.com/netmapcache/netmapcache/store/memstore"
	"github.com/netmapcache/netmapcache/store/storetest"
)

func TestMemstore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return seal(t, memstore.New()) }, storetest.Options{})
}

func TestFourMethods(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return seal(t, plainstore.New(memstore.New())) }, storetest.Options{})
}

func TestFilestore(t *testing.T) {
	directories := make(map[store.Store]string)
	open := func(t *testing.T, directory string) store.Store {
		s := seal(t, filestore.FileStore(directory))
		directories[s] = directory
		return s
	}
	storetest.Run(t,
		func(t *testing.T) store.Store { return open(t, t.TempDir()) },
		storetest.Options{
			Reopen: func(t *testing.T, s store.Store) store.Store { return open(t, directories[s]) },
			Keys:   60, // writing many files takes long, and is tested with filestore
		})
}
