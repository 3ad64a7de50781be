//go:build !js

package filestore

import (
	"context"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// A turn is shared by the writers of one directory within this process. They take turns
// before they lock the file. So they needn't poll for the lock of another writer of this process. Also, on
// some systems the lock belongs to the process, and on others there is no lock.
type turn struct {
	dir   fs.FileInfo
	free  chan struct{} // holds a token while it is nobody's turn
	users int           // writers that have it or wait for it
}

var turns struct {
	sync.Mutex
	all []*turn
}

// takeTurn waits for the caller's turn among the writers of dir.
func takeTurn(ctx context.Context, dir fs.FileInfo) (leave func(), err error) {
	t := joinTurn(dir)
	select {
	case <-t.free:
		return func() {
			t.free <- struct{}{}
			t.quit()
		}, nil
	case <-ctx.Done():
		t.quit()
		return nil, ctx.Err()
	}
}

func joinTurn(dir fs.FileInfo) *turn {
	turns.Lock()
	defer turns.Unlock()
	i := slices.IndexFunc(turns.all, func(t *turn) bool { return os.SameFile(t.dir, dir) })
	if i < 0 {
		i = len(turns.all)
		turns.all = append(turns.all, &turn{dir: dir, free: make(chan struct{}, 1)})
		turns.all[i].free <- struct{}{}
	}
	turns.all[i].users++
	return turns.all[i]
}

func (t *turn) quit() {
	turns.Lock()
	defer turns.Unlock()
	if t.users--; t.users == 0 {
		turns.all = slices.DeleteFunc(turns.all, func(other *turn) bool { return other == t })
	}
}
