//go:build !windows && !js

package filestore

// patiently runs do. Only on Windows can a program that has a file open keep others from changing it.
func patiently(do func() error) error { return do() }
