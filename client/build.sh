#!/bin/sh
# Builds into dist/, or the folder given, the browser client and the server of the embedded tailnet.
set -eu
cd "$(dirname "$0")"
dist=${1:-../dist}
mkdir -p "$dist"

version=$(node -p "require('../web/cache/package.json').version")
tags=$(go run ./cmd/browsertags)
GOOS=js GOARCH=wasm go build -trimpath -ldflags="-s -w -X main.version=$version" -tags "$tags" -o "$dist/client.wasm" ./cmd/client
go -C .. run ./wasm/pack -lines=false "$(realpath "$dist")/client.wasm" # less to download
gzip -9 -n -c "$dist/client.wasm" >"$dist/client.wasm.gz"
GOOS=js GOARCH=wasm GOFLAGS="-tags=$tags" node ../tools/notices.mjs "$dist/client.wasm.THIRD_PARTY_NOTICES.txt" ./cmd/client
# The tailnet's own nodes look neither for a way out of the network nor for a router.
native=ts_omit_captiveportal,ts_omit_portmapper
go build -tags $native -o "$dist/tailnet" ./cmd/tailnet
GOFLAGS="-tags=$native" node ../tools/notices.mjs "$dist/tailnet.THIRD_PARTY_NOTICES.txt" ./cmd/tailnet
