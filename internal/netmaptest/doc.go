// Package netmaptest makes netmaps for tests and compares them.
//
// [Realistic] makes what a control client hands over for a tailnet of a given
// size, and the With functions change such a netmap in the way that a control
// client does: what didn't change is shared by pointer. [Hostile] fills every
// field at random with edge values. [Diff] compares two values of the same type
// more strictly than reflect.DeepEqual or the Equal methods of tailcfg do.
//
// Everything is determined by a seed and comes out the same on all platforms,
// except that the integers of [Hostile] and [Fill] are as wide as an int is.
package netmaptest
