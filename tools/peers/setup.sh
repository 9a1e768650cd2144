#!/usr/bin/env bash
# Sets up the real engines that tests and benchmarks compare with, below .peers/ (git-ignored).
#
#   tools/peers/setup.sh          delta-rs, DuckDB with its delta extension, pyarrow   (about 300 MB)
#   tools/peers/setup.sh spark    the same, and Spark with Delta and its jars          (about 1 GB)
#
# Every version is pinned in requirements.txt, requirements-spark.txt and pom.xml beside this
# file. A part that is already there with the same pins is left alone, so a second run needs no
# network and takes no time. Nothing of this is part of the product: it is what we test against.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
peers=$root/.peers
venv=$peers/venv
want=${1:-light}

case $want in
light | spark) ;;
*)
    echo "tools/peers/setup.sh: expected 'light' or 'spark', found '$want'" >&2
    exit 2
    ;;
esac

mkdir -p "$peers"
exec 9>"$peers/.lock" # two test runs may start at once: one sets up, the other waits.
flock 9

# stamp_is NAME FILE...: true when part NAME was set up from exactly these pin files.
stamp_is() {
    local name=$1
    shift
    [ -f "$peers/$name.stamp" ] && cat "$@" | cmp -s - "$peers/$name.stamp"
}

set_up_light() {
    if stamp_is light "$here/requirements.txt" && [ -x "$venv/bin/python" ]; then
        return
    fi
    echo "peers: installing delta-rs, DuckDB and pyarrow into .peers/" >&2
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    "$venv/bin/python" -m pip -q install --no-input -r "$here/requirements.txt" >&2
    cp "$here/requirements.txt" "$peers/light.stamp"
}

set_up_spark() {
    if stamp_is spark "$here/requirements-spark.txt" "$here/pom.xml" && [ -d "$peers/sparkjars" ]; then
        return
    fi
    for tool in java mvn; do
        if ! command -v "$tool" >/dev/null; then
            echo "peers: expected '$tool' on PATH to set up Spark, found none;" \
                "install openjdk-17-jre-headless and maven" >&2
            exit 1
        fi
    done
    echo "peers: installing Spark and Delta into .peers/ (about 1 GB)" >&2
    "$venv/bin/python" -m pip -q install --no-input -r "$here/requirements-spark.txt" >&2
    rm -rf "$peers/jars" "$peers/sparkjars"
    mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$peers/jars" >&2
    # Spark brings its own Parquet, Hadoop and Jackson: a second copy of them breaks it.
    mkdir "$peers/sparkjars"
    cp "$peers"/jars/delta-*.jar "$peers"/jars/unitycatalog-*.jar "$peers/sparkjars/"
    cp "$peers"/jars/jackson-datatype-jdk8*.jar "$peers/sparkjars/" 2>/dev/null || true
    cat "$here/requirements-spark.txt" "$here/pom.xml" >"$peers/spark.stamp"
}

set_up_light
if [ "$want" = spark ]; then
    set_up_spark
fi
