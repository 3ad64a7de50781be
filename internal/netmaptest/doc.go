// Package netmaptest makes netmaps for tests and compares them.
//
// [Realistic] makes a netmap as a control client returns it for a tailnet of a given
// size. The With functions change such a netmap in the way of a control
// client: what doesn't change is shared by pointer. [Hostile] fills every
// field at random, with edge values. [Diff] compares two values of the same type
// more strictly than reflect.DeepEqual or the Equal methods of tailcfg.
//
// A seed determines everything, and the results are the same on all platforms,
// except that the integers of [Hostile] and [Fill] are as wide as an int.
package netmaptest
