package netmapcache

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// FileStore exists here for programs that are also built for other systems. All
// methods report [errors.ErrUnsupported], since there are no files under js.
type FileStore string

var errNoFiles = fmt.Errorf("netmapcache: FileStore: no files under js: %w", errors.ErrUnsupported)

// List implements [Store].
func (FileStore) List(context.Context, string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { yield("", errNoFiles) }
}

// Load implements [Store].
func (FileStore) Load(context.Context, string) ([]byte, error) { return nil, errNoFiles }

// Store implements [Store].
func (FileStore) Store(context.Context, string, []byte) error { return errNoFiles }

// Remove implements [Store].
func (FileStore) Remove(context.Context, string) error { return errNoFiles }
