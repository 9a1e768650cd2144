#!/bin/sh
# Brings a Debian 12 machine to the point where `make` works: Debian packages, then the pinned parts
# of third_party/LOCK. Does nothing where nothing is missing, and needs no network then.
#
#   tools/setup.sh            everything
#   tools/setup.sh packages   the Debian packages only
#   tools/setup.sh parts      the pinned parts only
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
third_party=$root/third_party
cache=$third_party/cache
packagefiles=$root/subprojects/packagefiles

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# ---- Debian packages ---------------------------------------------------------------------------

packages="gcc g++ libc6-dev make meson ninja-build pkg-config python3 zstd binutils
    clang-14 clang-format-14 libclang-rt-14-dev libcmocka-dev libzstd-dev liblz4-dev libmd-dev
    libedit-dev"

is_installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

# What goes before a command that only root may run.
sudo=
choose_sudo() {
    [ "$(id -u)" -ne 0 ] || return 0
    command -v sudo >/dev/null ||
        die "expected root or sudo to install packages, found neither; as root: apt-get install$*"
    sudo=sudo
}

apt() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >/dev/null; }

install_packages() {
    missing=
    for package in $packages; do
        is_installed "$package" || missing="$missing $package"
    done
    # npm and pip are only needed to fetch parts that are not in the cache yet, and either may have
    # come from elsewhere than Debian.
    if ! parts_are_cached; then
        command -v npm >/dev/null || missing="$missing npm"
        python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip"
    fi
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        die "expected a Debian system with apt-get; install by hand:$missing"
    choose_sudo "$missing"
    say "installing packages${sudo:+ with sudo}:$missing"
    # shellcheck disable=SC2086
    if ! apt install -y --no-install-recommends $missing 2>/dev/null; then
        apt update
        apt install -y --no-install-recommends $missing
    fi
}

# ---- pinned parts ------------------------------------------------------------------------------

# Prints the parts of the lock file, fields separated by `|` without blanks around them.
lock_lines() {
    sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' -e 's/[[:space:]]*|[[:space:]]*/|/g' \
        "$third_party/LOCK"
}

parts_are_cached() {
    lock_lines | while IFS='|' read -r _ _ _ _ file _; do
        [ -f "$cache/$file" ] || exit 1
    done
}

sha256_of() { sha256sum "$1" | cut -d' ' -f1; }

# npm_fetch SPEC DIR
npm_fetch() { (cd "$2" && npm pack --loglevel=error --no-update-notifier "$1" >/dev/null); }

# pip_fetch SPEC DIR SHA256: the source distribution; no code of the package runs (see backends/).
pip_fetch() {
    printf '%s --hash=sha256:%s\n' "$1" "$3" >"$2/requirements.txt"
    PYTHONPATH=$root/tools/setup/backends python3 -m pip download --quiet --no-deps \
        --disable-pip-version-check --no-build-isolation --use-pep517 \
        --no-binary "${1%%==*}" --require-hashes -r "$2/requirements.txt" -d "$2"
}

fetch_part() {
    name=$1 client=$2 spec=$3 file=$4 sha256=$5
    say "fetching $name ($spec) with $client"
    work=$(mktemp -d "$cache/.fetch.XXXXXX")
    case $client in
    npm) npm_fetch "$spec" "$work" ;;
    pip) pip_fetch "$spec" "$work" "$sha256" ;;
    *) die "third_party/LOCK: $name: expected client npm or pip, found '$client'" ;;
    esac || { rm -rf "$work"; die "$client could not fetch $spec"; }
    [ -f "$work/$file" ] || { rm -rf "$work"; die "$client fetched $spec but not as $file"; }
    mv "$work/$file" "$cache/$file"
    rm -rf "$work"
}

verify_part() {
    name=$1 file=$2 sha256=$3
    found=$(sha256_of "$cache/$file")
    [ "$found" = "$sha256" ] && return 0
    mv "$cache/$file" "$cache/$file.refused"
    die "$name: third_party/cache/$file has the wrong sha256: expected $sha256, found $found;" \
        "it was set aside as $file.refused, run make setup again to fetch it anew"
}

# unpack_member ARCHIVE MEMBER DESTINATION SHA256: a stamp beside the file names the archive.
unpack_member() {
    stamp=$(dirname "$3")/.$(basename "$3").sha256
    [ -f "$3" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$4" ] && return 0
    mkdir -p "$(dirname "$3")"
    tar -xzOf "$1" "$2" >"$3.partial" || die "$1 does not hold $2"
    mv "$3.partial" "$3"
    echo "$4" >"$stamp"
}

use_part() {
    name=$1 file=$2 sha256=$3 use=$4
    if [ "$use" = wrap ]; then
        [ -f "$root/subprojects/$name.wrap" ] || die "third_party/LOCK: $name has no subprojects/$name.wrap"
        grep -q "^source_hash = $sha256\$" "$root/subprojects/$name.wrap" ||
            die "subprojects/$name.wrap and third_party/LOCK disagree on the sha256 of $file"
        mkdir -p "$packagefiles"
        cmp -s "$cache/$file" "$packagefiles/$file" || cp "$cache/$file" "$packagefiles/$file"
        return 0
    fi
    printf '%s\n' "$use" | tr ',' '\n' | while IFS='>' read -r member destination; do
        unpack_member "$cache/$file" "$member" "$third_party/$destination" "$sha256"
    done
}

install_parts() {
    mkdir -p "$cache"
    lock_lines | while IFS='|' read -r name _ client spec file sha256 _ use; do
        [ -f "$cache/$file" ] || fetch_part "$name" "$client" "$spec" "$file" "$sha256"
        verify_part "$name" "$file" "$sha256"
        use_part "$name" "$file" "$sha256" "$use"
    done
}

case ${1:-all} in
all)
    install_packages
    install_parts
    ;;
packages) install_packages ;;
parts) install_parts ;;
*) die "expected all, packages or parts, found '$1'" ;;
esac
say "done"
