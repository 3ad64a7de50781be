module github.com/netmapcache/netmapcache

go 1.26.6

require (
	github.com/fxamacker/cbor/v2 v2.9.6
	github.com/gofrs/flock v0.12.1
	github.com/google/go-cmp v0.7.0
	github.com/hack-pad/go-indexeddb v0.3.2
	tailscale.com v1.102.5
)
