#!/bin/sh
# Builds the JavaScript module of a commit into dist/before-<commit>/, for make bench-module, unless it is there.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD
dist=$root/dist/before-$1
[ -e "$dist/netmapcache.js" ] && exit
source=$(mktemp -d)
trap 'cd "$root" && git worktree remove --force "$source"' EXIT
git worktree add --quiet --detach "$source" "$1"
cd "$source"
if [ -e web/package-lock.json ]; then (cd web && npm ci --ignore-scripts --no-audit --no-fund); fi
wasm/build.sh "$dist"
