package storetest_test

import (
	"testing"

	"github.com/netmapcache/netmapcache/store"
	"github.com/netmapcache/netmapcache/store/storetest"
)

func TestOwnStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return new(ownStore) }, storetest.Options{})
}
