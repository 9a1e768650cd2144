#!/bin/sh
# Runs `meson setup` on a build folder and shows its output only when it fails.
#   tools/configure.sh BUILD [OPTION]...
set -eu
cd "$(dirname "$0")/.."
build=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! meson setup "$@" "$build" >"$log" 2>&1; then
    cat "$log" >&2
    rm -rf "$build"
    exit 1
fi
echo "configured $build"
