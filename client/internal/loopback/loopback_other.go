//go:build !linux

package loopback

import "testing"

// Main runs the tests where they are: only Linux has network namespaces.
func Main(m *testing.M) int { return m.Run() }
