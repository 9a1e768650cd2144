#!/bin/sh
# A documented C example, run as its user would. What it prints stands beside it.
#   example.sh PROGRAM EXPECTED
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
out=$("$1" "$folder/tables")
expected=$(cat "$2")
[ "$out" = "$expected" ] || { printf 'expected:\n%s\nfound:\n%s\n' "$expected" "$out"; exit 1; }
