//go:build !linux && !js

package filestore

import "io/fs"

// readAhead is how many files LoadMany opens before it reads them. Where the system can't be told to
// read ahead there is no use in it, and on Windows an open file can be in a writer's way.
const readAhead = 1

func (osFolder) prefetch(fs.File) {}
