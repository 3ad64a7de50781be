//go:build !js

package filestore_test

import (
	"testing"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/filestore"
	"github.com/netmapcache/netmapcache/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return filestore.FileStore(t.TempDir())
	}, storetest.Options{
		Reopen: func(t *testing.T, s store.Store) store.Store { return s.(filestore.FileStore) },
	})
}
