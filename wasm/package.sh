#!/bin/sh
# Makes the npm packages dist/netmapcache-<version>.tgz and dist/netmapcache-client-<version>.tgz of what wasm/build.sh and
# web/client/build.mjs have built.
set -eu
cd "$(dirname "$0")/.."
rm -f dist/netmapcache-*.tgz
cp web/cache/README.md dist/
cd dist
npm pack --silent --ignore-scripts
npm pack --silent --ignore-scripts ./client
