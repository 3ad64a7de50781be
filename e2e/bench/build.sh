#!/bin/sh
# Builds what make bench-web serves beside the page into dist/bench-web/.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p dist/bench-web
cp e2e/bench/hello.html e2e/bench/hello.mjs dist/bench-web/
export GOOS=js GOARCH=wasm
go build -trimpath -ldflags='-s -w' -o dist/bench-web/hello.wasm ./e2e/bench/hello
go build -trimpath -ldflags='-s -w' -o dist/bench-web/bench.wasm ./e2e/bench
