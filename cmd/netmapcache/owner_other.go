//go:build !unix

package main

import "io/fs"

// strangeOwner returns nothing, since there is no root here.
func strangeOwner(fs.FileInfo) string { return "" }
