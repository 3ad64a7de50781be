// Command browsertags prints the build tags for the browser client, for use with
// `go build -tags`: those of tailscale.com's own browser client, but for what
// differs names. With -tsconnect it prints those of that client, as far as Go's own toolchain takes them.
package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"

	"tailscale.com/cmd/tsconnect/wasmbuild"
)

// toolchain asks for Tailscale's fork of the Go toolchain.
const toolchain = "tailscale_go"

// dropped are the tags that this client is built without.
var dropped = []string{
	"ts_omit_tailnetlock", // peers that tailnet lock refuses must not get into the cache, and without it the head can't be read back
	"ts_omit_useexitnode", // a peer may lead out of the tailnet
	"ts_omit_useroutes",   // subnets behind peers can be reached
}

// added are the tags that this client has beyond those. Nothing is uploaded to a log server, and
// control asks nothing of a page.
var added = []string{"ts_omit_logtail", "ts_omit_c2n"}

func main() {
	tsconnect := flag.Bool("tsconnect", false, "print the tags of tailscale.com's own browser client")
	flag.Parse()
	tags := slices.DeleteFunc(strings.Split(wasmbuild.Tags(), ","), func(tag string) bool {
		return tag == toolchain || !*tsconnect && slices.Contains(dropped, tag)
	})
	if !*tsconnect {
		tags = append(tags, added...)
	}
	fmt.Println(strings.Join(tags, ","))
}
