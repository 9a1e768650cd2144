#!/bin/sh
# The documented C example, run as its user would: it must append, scan and look back.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
out=$("$1" "$folder/sensors")
expected="appended 3 rows as version 1
2 of them are warm
version 0 had 0 files"
[ "$out" = "$expected" ] || { printf 'expected:\n%s\nfound:\n%s\n' "$expected" "$out"; exit 1; }
