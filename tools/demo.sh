#!/usr/bin/env bash
# The main job on real data: three million flights become a Delta table, month by month; it is queried,
# damaged by mistake, read as it was before, and read by other engines. Run it as `make demo`.
# PEERS=no leaves the other engines out (they need some 1 GB of downloads the first time).
set -euo pipefail
cd "$(dirname "$0")/.."

program=build/deltaworks
source=third_party/data/flights-3m.parquet
demo=build/demo
export DELTAWORKS_WAREHOUSE=$demo

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
run() {
    printf '\n$ %s\n' "$*"
    local start end
    start=$(date +%s%N)
    "$@"
    end=$(date +%s%N)
    printf '(%d ms)\n' $(((end - start) / 1000000))
}
sql() { "$program" sql --echo --time -c "$1"; }

rm -rf "$demo"
mkdir -p "$demo/staging"

say "1. Batches: the source, cut into one Parquet file a month"
sql "COPY (SELECT *, strftime(date, '%Y-%m') AS month FROM '$source' WHERE date < '2001-07-01')
  TO '$demo/staging' (FORMAT parquet, PARTITION_BY (month), WRITE_PARTITION_COLUMNS true)"
ls -sh "$demo"/staging/*/*.parquet

say "2. Load them, one commit each, into a table partitioned by month"
for batch in "$demo"/staging/month=*/; do
    run "$program" load "$demo/flights" "$batch*.parquet" --partition-by month
done
say "   Loading a batch again changes nothing"
run "$program" load "$demo/flights" "$demo/staging/month=2001-01/*.parquet"

say "3. Ask"
sql "SELECT count(*) AS flights, min(month) AS first, max(month) AS last FROM flights;
SELECT origin, destination, count(*) AS flights, round(avg(delay), 1) AS mean_delay
  FROM flights GROUP BY ALL ORDER BY flights DESC LIMIT 10;
SELECT date, origin, destination, delay FROM flights ORDER BY delay DESC LIMIT 5;
SELECT month, count(*) AS flights, round(avg(delay), 2) AS mean_delay,
       round(100.0 * count(*) FILTER (delay > 60) / count(*), 2) AS percent_over_an_hour
  FROM flights GROUP BY month ORDER BY month"

say "4. A selective lookup: files that cannot match are never opened"
sql "EXPLAIN SELECT * FROM flights
  WHERE month = '2001-03' AND date BETWEEN '2001-03-09 12:00' AND '2001-03-09 12:05' AND origin = 'SFO';
SELECT * FROM flights
  WHERE month = '2001-03' AND date BETWEEN '2001-03-09 12:00' AND '2001-03-09 12:05' AND origin = 'SFO'"

say "5. A mistake: March is overwritten with the flights of one airport"
before=$(date -u '+%Y-%m-%d %H:%M:%S.%3N')
sleep 0.1
sql "INSERT OVERWRITE flights PARTITION (month = '2001-03')
  SELECT date, delay, distance, origin, destination FROM flights
  WHERE month = '2001-03' AND origin = 'SFO';
SELECT month, count(*) AS flights FROM flights GROUP BY month ORDER BY month"

say "6. The state before it, by version and by time"
sql "SELECT month, count(*) AS flights FROM flights VERSION AS OF 5 GROUP BY month ORDER BY month;
SELECT (SELECT count(*) FROM flights TIMESTAMP AS OF '$before') - (SELECT count(*) FROM flights) AS lost"

say "7. Put March back from the version before"
sql "INSERT OVERWRITE flights PARTITION (month = '2001-03')
  SELECT date, delay, distance, origin, destination FROM flights VERSION AS OF 5
  WHERE month = '2001-03';
SELECT count(*) AS flights FROM flights"

say "8. What happened, and what the table is"
run "$program" history "$demo/flights" --format markdown --limit 3
run "$program" detail "$demo/flights" --format json

if [ "${PEERS:-yes}" = no ]; then
    say "Done. (PEERS=no: the other engines were left out.)"
    exit 0
fi
say "9. The same table through other engines: delta-rs, DuckDB's extension, Delta on Spark"
if tools/peers/setup.sh spark > "$demo/peers.log" 2>&1; then
    .peers/venv/bin/python tools/demo_peers.py "$demo/flights"
    say "Done."
else
    say "Done, but the other engines could not be set up (see $demo/peers.log)."
fi
