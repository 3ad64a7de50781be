//go:build !windows && !js

package filestore

// patiently runs do. Only on Windows do programs that look at a file keep others from changing it.
func patiently(do func() error) error { return do() }
