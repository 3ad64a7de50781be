package netmapcache

import (
	"time"

	"github.com/netmapcache/netmapcache/store"
)

// A Trace has functions that a Cache calls to tell what its results don't. Each may be nil. They are
// called while the Cache has other calls wait, so they are called one at a time, must be quick, and must not call
// the Cache.
type Trace struct {
	// Committed is called when a Store, an update, an Import, or a commit of noted changes has ended, well or not.
	Committed func(CommitInfo)
}

// CommitInfo describes a commit that has ended.
type CommitInfo struct {
	Err error // why nothing has changed; nil if the commit succeeded

	// Calls is how many calls of Store and the Update methods the commit was made for. Under [WithWriteBehind] there
	// may be many. It is 0 for an Import.
	Calls int

	Columns  int           // columns written
	Bytes    int64         // size of these columns and of the root, in bytes; 0 if nothing had to be written
	Removed  int           // values removed, those among them that no root named any more
	Outrun   int           // attempts that failed because another writer was faster
	Duration time.Duration // from the look at the store to the end
}

// WithTrace has the cache call the functions of t, which must not change.
func WithTrace(t *Trace) Option {
	return func(c *Cache) { c.trace = t }
}

// tell tells of a commit that wrote written, which is empty if it wrote nothing, or failed.
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
