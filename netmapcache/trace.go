package netmapcache

import (
	"time"

	"github.com/netmapcache/netmapcache/store"
)

// A Trace has functions by which a Cache reports what its results don't contain. Each may be nil. The Cache calls
// them one at a time, while its other calls wait. So they must be quick, and must not call
// the Cache.
type Trace struct {
	// Committed is called at the end of each commit, successful or not: of a Store, an update, an Import, or of noted changes.
	Committed func(CommitInfo)
}

// CommitInfo describes a commit that has ended.
type CommitInfo struct {
	Err error // why nothing has changed; nil if the commit succeeded

	// Calls is the number of calls of Store and the Update methods that the commit was made for. Under [WithWriteBehind] there
	// may be many. It is 0 for an Import.
	Calls int

	Columns  int           // columns written
	Bytes    int64         // size of these columns and the root, in bytes; 0 if nothing had to be written
	Removed  int           // values removed, orphans included
	Outrun   int           // attempts that failed because another writer was faster
	Duration time.Duration // from the first access to the store to the end
}

// WithTrace makes the cache call the functions of t. They must not change afterwards.
func WithTrace(t *Trace) Option {
	return func(c *Cache) { c.trace = t }
}

// tell reports a commit that wrote written, which is empty if the commit wrote nothing or failed.
func (t *Trace) tell(written store.Change, info CommitInfo) {
	if t == nil || t.Committed == nil {
		return
	}
	info.Columns = max(len(written.Put)-1, 0) // the last is the root
	info.Removed = len(written.Remove)
	for _, e := range written.Put {
		info.Bytes += int64(len(e.Value))
	}
	t.Committed(info)
}
