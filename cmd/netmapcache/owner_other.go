//go:build !unix

package main

import "io/fs"

// strangeOwner is empty where there is no root.
func strangeOwner(fs.FileInfo) string { return "" }
