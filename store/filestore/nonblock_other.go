//go:build !unix && !js

package filestore

const nonblock = 0 // directories have no pipes here
