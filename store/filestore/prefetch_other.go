//go:build !linux && !js

package filestore

import "io/fs"

// readAhead is how many files LoadMany opens before it reads them. More would be of no use, since the system can't be told to
// read ahead, and on Windows an open file can block a writer.
const readAhead = 1

func (osFolder) prefetch(fs.File) {}
