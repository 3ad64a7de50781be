// Command browsertags prints the build tags for a browser client: the ones that
// tailscale.com's own browser client is built with, for use with `go build -tags`.
package main

import (
	"fmt"
	"strings"

	"tailscale.com/cmd/tsconnect/wasmbuild"
)

func main() {
	var tags []string
	for tag := range strings.SplitSeq(wasmbuild.Tags(), ",") {
		// tailscale_go asks for Tailscale's fork of the Go toolchain.
		if tag != "tailscale_go" {
			tags = append(tags, tag)
		}
	}
	fmt.Println(strings.Join(tags, ","))
}
