#!/bin/sh
# Builds into dist/, or the folder given, the browser client and the server of the embedded tailnet.
set -eu
cd "$(dirname "$0")"
dist=${1:-../dist}
mkdir -p "$dist"

tags=$(go run ./cmd/browsertags)
GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -tags "$tags" -o "$dist/client.wasm" ./cmd/client
go -C .. run ./wasm/pack "$(realpath "$dist")/client.wasm" # 12% less to download
gzip -9 -n -c "$dist/client.wasm" >"$dist/client.wasm.gz"
# The tailnet's own nodes look neither for a way out of the network nor for a router.
go build -tags ts_omit_captiveportal,ts_omit_portmapper -o "$dist/tailnet" ./cmd/tailnet
