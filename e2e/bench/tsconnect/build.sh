#!/bin/sh
# Builds the program of tailscale.com's tsconnect into dist/tsconnect/, of the version in client/go.mod and as its build-pkg does: with
# its tags, its flags and wasm-opt, of the version in its tool/binaryen.rev. wasm-opt takes minutes.
set -eu
cd "$(dirname "$0")"
root=$(realpath ../../..)
out=$root/dist/tsconnect
mkdir -p "$out"

cd "$root/client"
tags=$(go run ./cmd/browsertags -tsconnect)
GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -tags "$tags" -o "$out/raw.wasm" tailscale.com/cmd/tsconnect/wasm
node "$root/e2e/bench/tsconnect/node_modules/binaryen/bin/wasm-opt" --enable-bulk-memory --enable-nontrapping-float-to-int -Oz "$out/raw.wasm" -o "$out/main.wasm"
cp "$(go env GOROOT)/lib/wasm/wasm_exec.js" "$out/"
