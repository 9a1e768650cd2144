#!/bin/sh
# What `make install` leaves is used as a stranger would: the program without any environment, the
# documented example against the shared and against the static library, beside symbols of its own.
#   install.sh BUILD EXAMPLE.c
set -eu
build=$1 example=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
    printf 'FAILED %s\n' "$*"
    exit 1
}

# ---- the tree: whatever prefix the build has, below another root -----------------------------------
DESTDIR=$folder/root meson install -C "$build" --no-rebuild --quiet >"$folder/log" 2>&1 ||
    fail "meson install: $(cat "$folder/log")"
pc=$(find "$folder/root" -name deltaworks.pc)
[ -n "$pc" ] || fail "expected a deltaworks.pc, found none"
libraries=$(dirname "$(dirname "$pc")")
program=$(find "$folder/root" -path '*/bin/deltaworks')
mkdir "$folder/tree" "$folder/tree/bin" "$folder/tree/lib"
cp "$program" "$folder/tree/bin/"
cp -a "$libraries"/. "$folder/tree/lib/"
cp -r "$(dirname "$program")/../include" "$folder/tree/"

flags() {
    PKG_CONFIG_PATH=$folder/tree/lib/pkgconfig pkg-config \
        --define-variable="prefix=$folder/tree" --define-variable="libdir=$folder/tree/lib" "$@" deltaworks
}

# ---- the program finds its engine, also through a link ---------------------------------------------
ln -s "$folder/tree/bin/deltaworks" "$folder/dw"
for started in "$folder/tree/bin/deltaworks" "$folder/dw"; do
    out=$(env -i "$started" sql --format csv -c 'SELECT sum(range) AS n FROM range(5)' 2>&1) || fail "$started: $out"
    [ "$out" = "n
10" ] || fail "$started: expected 10, found $out"
done

# ---- names: the public functions and nothing else --------------------------------------------------
for library in "$folder/tree/lib/libdeltaworks.a" "-D $folder/tree/lib/libdeltaworks.so"; do
    # shellcheck disable=SC2086
    names=$(nm -g --defined-only $library | awk 'NF == 3 {print $3}')
    [ -n "$names" ] || fail "expected functions in $library, found none"
    others=$(echo "$names" | grep -v '^dw_[^_]' || true)
    [ -z "$others" ] || fail "expected only dw_ names in $library, found $others"
done

# ---- programs of users -----------------------------------------------------------------------------
cat >"$folder/own.c" <<'C'
/* A program may have its own of all that we compiled in. */
#include <stdlib.h>
#define OWN(name) void name(void); void name(void) { abort(); }
OWN(yyjson_read_opts) OWN(yyjson_mut_write_opts) OWN(yyjson_doc_get_root) OWN(dw__error_set)
OWN(dw__arena_alloc) OWN(fill) OWN(ArrowBufferInit) OWN(try_place)
C
cc=${CC:-cc}
# shellcheck disable=SC2046
$cc -std=c11 -Wall -Wextra -Wpedantic -Werror "$example" "$folder/own.c" $(flags --cflags --libs) \
    -Wl,-rpath,"$folder/tree/lib" -o "$folder/shared"
# shellcheck disable=SC2046
$cc -std=c11 "$example" "$folder/own.c" $(flags --cflags) "$folder/tree/lib/libdeltaworks.a" \
    $(flags --static --libs) -Wl,--as-needed -o "$folder/tree/bin/static"
echo '#include <deltaworks.h>' >"$folder/header.cc"
# shellcheck disable=SC2046
c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only $(flags --cflags) "$folder/header.cc"

expected="appended 3 rows as version 1
2 of them are warm
version 0 had 0 files"
for made in shared tree/bin/static; do
    out=$(env -i "$folder/$made" "$folder/$(basename $made)-table" 2>&1) || fail "$made: $out"
    [ "$out" = "$expected" ] || fail "$made: expected $expected, found $out"
done

# A program with the static library may lie anywhere: it also looks where the engine was installed.
mv "$folder/tree/bin/static" "$folder/elsewhere"
installed=$(PKG_CONFIG_PATH=$folder/tree/lib/pkgconfig pkg-config --variable=libdir deltaworks)
found=$(env -i "$folder/elsewhere" "$folder/elsewhere-table" 2>&1) || true
case $found in
    *", $installed/deltaworks/libduckdb.so, "*) ;;
    "$expected") ;; # it is installed on this machine
    *) fail "expected a look at the installed engine, found $found" ;;
esac
echo "6 passed, 0 failed"
