//go:build !linux && !js

package filestore

// prefetch does nothing here.
func (osFileSystem) prefetch(path string) {}
