#!/bin/sh
# Builds into dist/, or the folder given, the browser client and the server of the embedded tailnet.
set -eu
cd "$(dirname "$0")"
dist=${1:-../dist}
mkdir -p "$dist"

tags=$(go run ./cmd/browsertags)
GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -tags "$tags" -o "$dist/client.wasm" ./cmd/client
go build -o "$dist/tailnet" ./cmd/tailnet
