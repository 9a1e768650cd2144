#!/bin/sh
# Makes a static library of one object whose hidden symbols are local, so that a program may link it
# beside its own copy of anything that we compiled in.
#   tools/seal_archive.sh INPUT.a OUTPUT.a WORK_FOLDER
set -eu
input=$1 output=$2 work=$3
mkdir -p "$work"
ld -r -o "$work/deltaworks.o" --whole-archive "$input"
objcopy --localize-hidden "$work/deltaworks.o"
rm -f "$output"
ar crs "$output" "$work/deltaworks.o"
