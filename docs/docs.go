// Package docs holds documents that programs read.
package docs

import _ "embed"

// Format is the format of what is stored, in CDDL (RFC 8610).
//
//go:embed format.cddl
var Format string
