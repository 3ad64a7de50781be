// Package idbstore keeps values in IndexedDB.
package idbstore
