package netmapcache

import (
	"context"
	"errors"
	"time"

	"github.com/netmapcache/netmapcache/store"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
	"tailscale.com/types/views"
)

var (
	ErrKeyNotFound       = store.ErrKeyNotFound
	ErrCacheNotAvailable = errors.New("netmap cache is not available")
	ErrCorrupt           = errors.New("netmap cache is corrupt")
	ErrWrongOwner        = errors.New("netmap cache belongs to another owner")
	ErrExpired           = errors.New("netmap cache is too old")
	ErrFormat            = errors.New("netmap cache has a newer format")
)

type Store = store.Store
type Cache struct{}
type Option func(*Cache)
type Info struct {
	Generation  uint64
	SavedAt     time.Time
	ConfirmedAt time.Time
	Owner       string
	Peers       int
	Users       int
	Columns     int
	Bytes       int64
}

var errStub = errors.New("not implemented yet")

func WithOwner(owner string) Option                                   { return func(*Cache) {} }
func WithMaxAge(d time.Duration) Option                               { return func(*Cache) {} }
func NewCache(s Store, opts ...Option) *Cache                         { return &Cache{} }
func (c *Cache) Load(ctx context.Context) (*netmap.NetworkMap, error) { return nil, errStub }
func (c *Cache) Store(ctx context.Context, nm *netmap.NetworkMap) error {
	return errStub
}
func (c *Cache) UpdateSelfOnly(ctx context.Context, nm *netmap.NetworkMap) error {
	return errStub
}
func (c *Cache) UpdatePeers(ctx context.Context, update []tailcfg.NodeView, remove []tailcfg.StableNodeID) error {
	return errStub
}
func (c *Cache) UpdateUserProfiles(ctx context.Context, update map[tailcfg.UserID]tailcfg.UserProfileView) error {
	return errStub
}
func (c *Cache) UpdatePacketFilter(ctx context.Context, rules views.Slice[tailcfg.FilterRule]) error {
	return errStub
}
func (c *Cache) Info(ctx context.Context) (Info, error) { return Info{}, errStub }
func (c *Cache) Clear(ctx context.Context) error        { return errStub }
