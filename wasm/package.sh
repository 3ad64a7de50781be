#!/bin/sh
# Makes the npm package dist/netmapcache-<version>.tgz of what wasm/build.sh has built.
set -eu
cd "$(dirname "$0")/.."
rm -f dist/netmapcache-*.tgz
cp web/README.md dist/
cd dist
npm pack --silent --ignore-scripts
