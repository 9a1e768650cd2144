"""VACUUM, from end to end: what it deletes, what it must not, and what it tells."""
import glob
import json
import os
import random
import shutil
import sys
import time
from urllib.parse import unquote

from harness import expect, expect_equal, expect_failure, main, test

UNSAFE = "SET spark.databricks.delta.retentionDurationCheck.enabled = false; "
HOUR_MS = 3600 * 1000
STEP_HOURS = 10


def vacuum(w, rest="", table="t", before=""):
    """Runs it; the rows as dictionaries."""
    return json.loads(w.sql(f"{before}VACUUM {table} {rest}", "--format", "json").split("\n", before.count(";"))[-1])


def unsafe(w, rest="RETAIN 0 HOURS", table="t"):
    out = w.run("sql", "--quiet", "-c", f"{UNSAFE}VACUUM {table} {rest}", "--format", "ndjson")
    expect_equal(out.status, 0)
    return [json.loads(line) for line in out.out.splitlines() if line.startswith("{")]


def total(rows):
    found = [r for r in rows if r["action"] == "total"]
    expect_equal(len(found), 1)
    return found[0]


def listed(w, rows, table="t"):
    return sorted(os.path.relpath(r["path"], w.path(table)) for r in rows if r["action"] == "delete")


def last_version(w, table="t"):
    return max(int(os.path.basename(f)[:20]) for f in glob.glob(w.path(table) + "/_delta_log/*[0-9].json"))


def grow_old(w, table="t", step=STEP_HOURS):
    """Moves a table into the past: version v is (last - v) * step hours old, its files with it."""
    w.damages(table)
    last = last_version(w, table)
    for path in glob.glob(w.path(table) + "/_delta_log/*.crc"):
        os.unlink(path)
    for version in range(last + 1):
        if not os.path.exists(w.log(table, version)):
            continue
        back = (last - version) * step * HOUR_MS
        actions = w.actions(table, version)
        named = []
        for a in actions:
            for kind, key in (("commitInfo", "timestamp"), ("commitInfo", "inCommitTimestamp"),
                              ("remove", "deletionTimestamp"), ("add", "modificationTime")):
                if kind in a and key in a[kind]:
                    a[kind][key] -= back
            named += [a[k]["path"] for k in ("add", "cdc") if k in a]
            named += [p for p in [vector_path(a["add"]) if "add" in a else None] if p]
        w.write_log(table, version, actions)
        for name in named + ["_delta_log/" + os.path.basename(w.log(table, version))]:
            path = os.path.join(w.path(table), unquote(name))
            if os.path.exists(path):
                when = time.time() - back / 1000
                os.utime(path, (when, when))


ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def vector_path(add):
    vector = add.get("deletionVector")
    if not vector or vector["storageType"] != "u":
        return None
    text = vector["pathOrInlineDv"]
    prefix, code = text[:-20], text[-20:]
    number = b""
    for i in range(0, 20, 5):
        value = 0
        for c in code[i:i + 5]:
            value = value * 85 + ALPHABET.index(c)
        number += value.to_bytes(4, "big")
    h = number.hex()
    uuid = f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
    return (prefix + "/" if prefix else "") + f"deletion_vector_{uuid}.bin"


def make(w, *properties, partition="p", rows=3000):
    """A table with some history: inserts, deletions, updates."""
    named = f" PARTITIONED BY (`{partition}`)" if partition else ""
    more = f" TBLPROPERTIES ({', '.join(properties)})" if properties else ""
    w.sql(f"CREATE TABLE t (id BIGINT, `{partition or 'p'}` STRING){named}{more}")
    value = "CASE id % 4 WHEN 0 THEN 'a b' WHEN 1 THEN 'ü/%=:x' WHEN 2 THEN NULL ELSE '_hidden' END"
    for i in range(2):
        w.sql(f"INSERT INTO t SELECT id, {value} FROM range({i * rows}, {(i + 1) * rows}) r(id)")
    w.sql("DELETE FROM t WHERE id % 3 = 0")
    w.sql("UPDATE t SET id = id + 100000 WHERE id % 5 = 0 AND id < 1000")
    w.sql("DELETE FROM t WHERE id % 7 = 1")
    w.sql(f"INSERT INTO t VALUES (-1, 'a b')")
    w.sql("OPTIMIZE t")
    w.sql("DELETE FROM t WHERE id = -1")


def read_all(w, versions, table="t"):
    return {v: w.rows(f"SELECT * FROM {table} VERSION AS OF {v} ORDER BY ALL") for v in versions}


def orphan(w, name, age_hours=1e5, table="t"):
    path = os.path.join(w.path(table), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("nobody's")
    when = time.time() - age_hours * 3600
    made = path
    while path != w.path(table):
        os.utime(path, (when, when))
        path = os.path.dirname(path)
    return made


FEATURES = {
    "vectors": ["'delta.enableDeletionVectors' = 'true'"],
    "plain": [],
    "changes": ["'delta.enableChangeDataFeed' = 'true'"],
    "all": ["'delta.enableDeletionVectors' = 'true'", "'delta.enableChangeDataFeed' = 'true'",
            "'delta.columnMapping.mode' = 'name'", "'delta.enableRowTracking' = 'true'",
            "'delta.enableInCommitTimestamps' = 'true'", "'delta.checkpointPolicy' = 'v2'",
            "'delta.checkpointInterval' = '3'", "'delta.feature.vacuumProtocolCheck' = 'supported'"],
    "prefixes": ["'delta.randomizeFilePrefixes' = 'true'", "'delta.enableDeletionVectors' = 'true'",
                 "'delta.columnMapping.mode' = 'name'"],
}


def check_time_travel(w, properties, **options):
    make(w, *properties, **options)
    grow_old(w)
    last = last_version(w)
    rows = read_all(w, range(1, last + 1))
    feed = any("enableChangeDataFeed" in p for p in properties)
    # Version last - k was committed k * 10 hours ago, and the newest until 10 hours later.
    deleted = 0
    for kept in (4, 2, 0):
        first = last - kept
        told = unsafe(w, f"RETAIN {kept * STEP_HOURS + 5 if kept else 5} HOURS")
        oldest = first - 1
        expect(f"versions {oldest} to " in "".join(r["why"] for r in told), f"{oldest} in {told}")
        for v in range(max(oldest, 1), last + 1):
            expect_equal(w.rows(f"SELECT * FROM t VERSION AS OF {v} ORDER BY ALL"), rows[v])
        if feed:
            w.rows(f"SELECT count(*) FROM table_changes('t', {oldest + 1}, {last})")
        deleted += total(told)["files"]
    expect(deleted > 2, f"files to delete, found {deleted}")
    expect_equal(total(unsafe(w, "RETAIN 5 HOURS DRY RUN"))["files"], 0)
    grow_old(w)
    unsafe(w)
    expect_equal(w.rows("SELECT * FROM t ORDER BY ALL"), rows[last])
    live = {unquote(f) for f in w.files("t")}
    named = w.value("SELECT count(DISTINCT _metadata.file_path) FROM t")
    expect_equal(len([f for f in live if f.endswith(".parquet")]), named)


@test
def test_vacuum__keeps_every_version_within_the_retention(w):
    check_time_travel(w, FEATURES["plain"])


@test
def test_vacuum__keeps_deletion_vectors(w):
    check_time_travel(w, FEATURES["vectors"], rows=6000)


@test
def test_vacuum__keeps_change_data(w):
    check_time_travel(w, FEATURES["changes"])


@test
def test_vacuum__with_all_features(w):
    check_time_travel(w, FEATURES["all"], partition="_odd name")


@test
def test_vacuum__with_random_prefixes(w):
    check_time_travel(w, FEATURES["prefixes"], partition=None, rows=6000)


@test
def test_vacuum__does_nothing_to_a_young_table(w):
    make(w, *FEATURES["vectors"])
    orphan(w, "young.parquet", age_hours=100)
    before = w.files("t")
    rows = vacuum(w)
    expect_equal(w.files("t"), before)
    expect_equal(total(rows)["files"], 0)
    why = "".join(r["why"] for r in rows)
    expect("2160 hours, the default" in why and "versions 0 to 8 can be read" in why, why)
    expect("may be of a transaction that still runs" in why, why)


@test
def test_vacuum__deletes_what_no_commit_names(w):
    make(w)
    doomed = ["old.parquet", "p=a%20b/old.parquet", "some/deep/old.bin", "_change_data/old.parquet",
              "_delta_index/old.index", "p=gone/sub=1/old.parquet"]
    kept = ["_hidden/x.parquet", ".hidden", "_temporary/0/x", "some/_x", "_delta_log/other"]
    for name in doomed + kept:
        orphan(w, name)
    rows = vacuum(w, "DRY RUN")
    expect_equal(listed(w, rows), sorted(doomed))
    expect_equal(total(rows)["bytes"], 8 * len(doomed))
    before = w.rows("SELECT * FROM t ORDER BY ALL")
    checksum = orphan(w, "p=gone/sub=1/.old.parquet.crc")
    expect_equal(total(vacuum(w))["files"], len(doomed))
    expect(not os.path.exists(checksum), "Hadoop's checksum to go with its file")
    for name in kept:
        expect(os.path.exists(os.path.join(w.path("t"), name)), f"{name} to stay")
    for name in doomed:
        expect(not os.path.exists(os.path.join(w.path("t"), name)), f"{name} to go")
    expect(not os.path.exists(w.path("t") + "/p=gone"), "empty directories to go")
    expect(not os.path.exists(w.path("t") + "/some/deep"), "empty directories to go")
    expect_equal(w.rows("SELECT * FROM t ORDER BY ALL"), before)


@test
def test_vacuum__checks_the_retention(w):
    w.sql("CREATE TABLE t (a INT)")
    expect_failure(w.run("sql", "-c", "VACUUM t RETAIN 167 HOURS"), 1, "[VACUUM_RETENTION_PERIOD_TOO_SHORT]",
                   "at least 168 hours", "found 167", "retentionDurationCheck.enabled")
    vacuum(w, "RETAIN 168 HOURS")
    w.sql("ALTER TABLE t SET TBLPROPERTIES ('delta.deletedFileRetentionDuration' = 'interval 300 hours 1 second')")
    expect_failure(w.run("sql", "-c", "VACUUM t RETAIN 300 HOURS DRY RUN"), 1, "at least 301 hours",
                   "delta.deletedFileRetentionDuration")
    why = "".join(r["why"] for r in vacuum(w))
    expect("300 hours, delta.deletedFileRetentionDuration of the table" in why, why)
    unsafe(w, "RETAIN 1 HOURS")
    expect_failure(w.run("sql", "-c", "SET spark.databricks.delta.retentionDurationCheck.enabled = maybe"), 1,
                   "[OPTION_INVALID]")


@test
def test_vacuum__tells_of_itself_in_the_history(w):
    make(w, partition=None)
    last = last_version(w)
    found = total(unsafe(w))
    start = w.actions("t", last + 1)
    end = w.actions("t", last + 2)
    expect_equal([len(start), len(end)], [1, 1])
    start, end = start[0]["commitInfo"], end[0]["commitInfo"]
    expect_equal(start["operation"], "VACUUM START")
    expect_equal(start["operationParameters"], {"retentionCheckEnabled": "false", "specifiedRetentionMillis": "0",
                                                "defaultRetentionMillis": str(2160 * HOUR_MS)})
    expect_equal(start["operationMetrics"], {"numFilesToDelete": str(found["files"]),
                                             "sizeOfDataToDelete": str(found["bytes"])})
    expect_equal(end["operation"], "VACUUM END")
    expect_equal(end["operationParameters"], {"status": "COMPLETED"})
    expect_equal(end["operationMetrics"], {"numDeletedFiles": str(found["files"]), "numVacuumedDirectories": "1"})


@test
def test_vacuum__dry_run_changes_nothing(w):
    make(w)
    before = w.files("t"), last_version(w)
    dry = unsafe(w, "RETAIN 0 HOURS DRY RUN")
    expect_equal((w.files("t"), last_version(w)), before)
    names = listed(w, dry)
    expect_equal(total(dry)["files"], len(names))
    unsafe(w)
    expect_equal(sorted(set(before[0]) - set(w.files("t"))), names)


@test
def test_vacuum__lite_goes_by_the_log(w):
    make(w, *FEATURES["all"])
    orphan(w, "old.parquet")
    everything = listed(w, unsafe(w, "RETAIN 0 HOURS DRY RUN"))
    rows = unsafe(w, "LITE RETAIN 0 HOURS DRY RUN")
    expect_equal(listed(w, rows), [f for f in everything if f != "old.parquet"])
    unsafe(w, "LITE RETAIN 0 HOURS")
    expect(os.path.exists(w.path("t") + "/old.parquet"), "LITE to know nothing of a file that no commit names")
    expect_equal(listed(w, unsafe(w, "RETAIN 0 HOURS DRY RUN")), ["old.parquet"])
    w.sql("DELETE FROM t WHERE id % 2 = 0")
    w.sql("OPTIMIZE t FULL")
    again = listed(w, unsafe(w, "RETAIN 0 HOURS LITE DRY RUN"))
    expect_equal(again, [f for f in listed(w, unsafe(w, "RETAIN 0 HOURS DRY RUN")) if f != "old.parquet"])


@test
def test_vacuum__lite_needs_the_commits_since_the_last_one(w):
    make(w, "'delta.checkpointInterval' = '2'", partition=None)
    for v in range(4):
        os.unlink(w.log("t", v))
    w.damages("t")
    refused = w.run("sql", "-c", UNSAFE + "VACUUM t LITE RETAIN 0 HOURS")
    expect(refused.status == 1 and "[CANNOT_VACUUM_LITE]" in refused.err, repr(refused))
    unsafe(w)
    unsafe(w, "LITE RETAIN 0 HOURS")


@test
def test_vacuum__using_an_inventory(w):
    make(w)
    orphan(w, "old.parquet")
    orphan(w, "not listed.parquet")
    root = w.path("t")
    w.sql("CREATE TABLE inventory (path STRING, length BIGINT, isDir BOOLEAN, modificationTime BIGINT)")
    names = [f for f in w.files("t") if f != "not listed.parquet"] + ["gone.parquet"]
    values = ", ".join("('{}/{}', 5, false, 1000)".format(("file:" if i % 2 else "file://") + root, n.replace("'", "''"))
                       for i, n in enumerate(names))
    w.sql(f"INSERT INTO inventory VALUES {values}, ('{root}/p=x', 0, true, 0), (NULL, NULL, false, NULL)")
    expected = [f for f in listed(w, unsafe(w, "RETAIN 0 HOURS DRY RUN")) if f != "not listed.parquet"]
    for rest in ("USING INVENTORY inventory RETAIN 0 HOURS DRY RUN",
                 "USING INVENTORY (SELECT * FROM inventory WHERE path IS NOT NULL) RETAIN 0 HOURS DRY RUN"):
        expect_equal(listed(w, unsafe(w, rest)), expected)
    failed = w.run("sql", "-c", "VACUUM t USING INVENTORY (SELECT path, length FROM inventory)")
    expect(failed.status == 1 and "path, length, isDir and modificationTime" in failed.err, repr(failed))
    unsafe(w, "USING INVENTORY inventory RETAIN 0 HOURS")
    expect(os.path.exists(root + "/not listed.parquet"), "what is not listed to stay")
    expect(not os.path.exists(root + "/old.parquet"), "what is listed to go")


@test
def test_vacuum__keeps_files_by_other_spellings_of_their_paths(w):
    """Absolute paths, also through a link to the root, and paths with odd escapes."""
    make(w, *FEATURES["vectors"], rows=6000)
    os.symlink(w.path("t"), w.path("link"))
    last = last_version(w)
    for v in range(last + 1):
        actions = w.actions("t", v)
        for a in actions:
            for kind in ("add", "remove"):
                if kind in a:
                    root = w.path("link") if v % 2 else "file://" + w.path("t")
                    a[kind]["path"] = root + "/" + a[kind]["path"].replace("part", "%70art")
        w.write_log("t", v, actions)
        crc = w.log("t", v).replace(".json", ".crc")
        if os.path.exists(crc):
            os.unlink(crc)
    w.damages("t")
    before = w.rows("SELECT * FROM t ORDER BY ALL")
    unsafe(w)
    expect_equal(w.rows("SELECT * FROM t ORDER BY ALL"), before)


@test
def test_vacuum__leaves_other_tables_and_links_alone(w):
    w.sql("CREATE TABLE t (a INT)")
    w.sql("INSERT INTO t VALUES (1)")
    w.sql(f"CREATE TABLE inner_table (a INT) LOCATION '{w.path('t')}/inner'")
    w.sql(f"INSERT INTO delta.`{w.path('t')}/inner` VALUES (1)")
    w.sql(f"DELETE FROM delta.`{w.path('t')}/inner`")
    os.makedirs(w.path("elsewhere"))
    orphan(w, "x.parquet", table="elsewhere")
    os.symlink(w.path("elsewhere"), w.path("t") + "/linked")
    rows = unsafe(w)
    expect_equal(total(rows)["files"], 0)
    expect("directories that are tables of their own" in "".join(r["why"] for r in rows), rows)
    expect(os.path.exists(w.path("elsewhere/x.parquet")), "what is behind a link to stay")
    expect_equal(w.value(f"SELECT count(*) FROM delta.`{w.path('t')}/inner` VERSION AS OF 1"), 1)


@test
def test_vacuum__goes_on_behind_what_it_cannot_delete(w):
    if os.geteuid() == 0:
        return  # nothing is refused to root
    make(w)
    folder = os.path.join(w.path("t"), "locked")
    orphan(w, "locked/x.parquet")
    orphan(w, "old.parquet")
    os.chmod(folder, 0o555)
    rows = unsafe(w, "RETAIN 100 HOURS")
    os.chmod(folder, 0o755)
    failed = [r for r in rows if r["action"] == "failed"]
    expect_equal([r["path"] for r in failed], ["locked/x.parquet"])
    expect("permission denied" in failed[0]["why"], failed)
    expect(not os.path.exists(w.path("t") + "/old.parquet"), "the rest to go")


@test
def test_vacuum__refuses_tables_that_it_may_not_write(w):
    w.sql("CREATE TABLE t (a INT)")
    orphan(w, "old.parquet")
    actions = w.actions("t", 0)
    for a in actions:
        if "protocol" in a:
            a["protocol"] = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": [],
                             "writerFeatures": ["fromTheFuture"]}
    w.write_log("t", 0, actions)
    os.unlink(w.log("t", 0).replace(".json", ".crc"))
    w.damages("t")
    expect_failure(w.run("sql", "-c", "VACUUM t"), 4, "fromTheFuture")
    expect(os.path.exists(w.path("t") + "/old.parquet"), "nothing to be deleted")


@test
def test_vacuum__is_no_part_of_a_transaction(w):
    w.sql("CREATE TABLE t (a INT)")
    expect_failure(w.run("sql", "-c", "BEGIN; VACUUM t"), 4, "[TRANSACTION_STATEMENT]")


def held(w, before, after):
    """A session that has run `before` and waits; call what comes back to let it run `after`, for its rows."""
    gate = w.path("gate")
    os.mkfifo(gate)
    wait = f"SELECT count(*) FROM read_csv('{gate}', columns = {{'a': 'INT'}}, header = false, auto_detect = false)"
    process = w.start("sql", "--quiet", "--format", "ndjson", "-c", f"{before}; {wait}; {after}")
    opened = None
    while opened is None:
        expect(process.poll() is None, "a session that waits")
        try:
            opened = os.open(gate, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody has opened the other end yet
            time.sleep(0.01)

    def let_go():
        os.write(opened, b"1\n")
        os.close(opened)
        out, err = process.communicate(timeout=60)
        expect(process.returncode == 0, f"the session beside VACUUM went on: {err!r}")
        return [list(json.loads(line).values()) for line in out.splitlines()]
    return let_go


@test
def test_vacuum__leaves_the_files_of_an_open_transaction(w):
    for properties in (FEATURES["plain"], FEATURES["vectors"]):
        make(w, *properties, rows=6000)
        grow_old(w, step=1000)
        expected = w.rows("SELECT id FROM t WHERE id >= 100 ORDER BY id")
        go_on = held(w, "BEGIN; INSERT INTO t VALUES (900001, 'mine'); DELETE FROM t WHERE id < 100", "COMMIT")
        orphan(w, "dead.parquet")
        expect(total(vacuum(w))["files"] > 1, "files that go")
        w.sql("INSERT INTO t VALUES (900002, 'other')")
        vacuum(w)
        go_on()
        found = w.rows("SELECT id FROM t ORDER BY id")
        expect(found == expected + [[900001], [900002]], f"{len(expected) + 2} rows, found {len(found)}")
        expect_equal(w.value("SELECT count(*) FROM t WHERE p = 'mine'"), 1)
        shutil.rmtree(w.path("t"))
        os.unlink(w.path("gate"))


@test
def test_vacuum__leaves_the_files_of_readers_at_older_versions(w):
    make(w, *FEATURES["vectors"], rows=6000)
    grow_old(w, step=1000)
    last = last_version(w)
    query = "SELECT count(*), sum(id), min(p), sum(hash(id)) FROM t"
    travel = f"{query} VERSION AS OF {last - 1}"
    now, then = w.rows(query), w.rows(travel)
    go_on = held(w, f"BEGIN; SELECT max(id) FROM t; {travel}", f"{query}; {travel}; ROLLBACK")
    w.sql("DELETE FROM t; INSERT INTO t VALUES (1, 'new')")
    expect(total(vacuum(w))["files"] > 0, "files that go")
    expect_equal(go_on()[-2:], now + then)
    expect_equal(w.rows("SELECT id FROM t"), [[1]])


@test
def test_vacuum__killed_at_any_moment_harms_nothing(w):
    kills = int(os.environ.get("DELTAWORKS_KILLS", "8"))
    chance = random.Random(kills)
    make(w, *FEATURES["vectors"])
    expected = w.rows("SELECT * FROM t ORDER BY ALL")
    for i in range(kills):
        for k in range(40):
            orphan(w, f"p={k % 3}/dead-{i}-{k}.parquet")
        process = w.start("vacuum", "t", "--retain", "0", "--no-retention-check")
        time.sleep(chance.uniform(0, 0.08))
        process.kill()
        process.communicate()
        expect_equal(w.rows("SELECT * FROM t ORDER BY ALL"), expected)
    unsafe(w)
    named = w.value("SELECT count(DISTINCT _metadata.file_path) FROM t")
    expect_equal(len([f for f in w.files("t") if f.endswith(".parquet")]), named)


@test
def test_vacuum__parses_its_clauses(w):
    w.sql("CREATE TABLE t (a INT)")
    for rest in ("FULL", "LITE", "FULL RETAIN 168 HOURS DRY RUN", "RETAIN 200.4 HOURS FULL DRY RUN",
                 "DRY RUN WITHIN 5 MINUTES"):
        vacuum(w, rest)
    for rest in ("RETAIN -1 HOURS", "RETAIN HOURS", "RETAIN 5", "LITE FULL", "USING INVENTORY", "DRY", "ZORDER"):
        failed = w.run("sql", "-c", f"VACUUM t {rest}")
        expect(failed.status == 1 and "PARSE_ERROR" in failed.err, repr(failed))
    expect_failure(w.run("sql", "-c", "VACUUM nowhere"), 1, "[TABLE_NOT_FOUND]")
    w.sql("CREATE TEMP TABLE e AS SELECT 1 AS a; VACUUM e; VACUUM")


@test
def test_vacuum__as_a_verb(w):
    make(w, partition=None)
    expect_failure(w.run("vacuum", "t", "--retain", "0"), 1, "[VACUUM_RETENTION_PERIOD_TOO_SHORT]")
    before = w.files("t")
    out = w.run("vacuum", "t", "--retain", "0", "--no-retention-check", "--dry-run", "--format", "ndjson")
    expect_equal(out.status, 0)
    names = listed(w, [json.loads(line) for line in out.out.splitlines()])
    expect_equal(w.files("t"), before)
    expect_equal(w.run("vacuum", "t", "--lite", "--retain", "0", "--no-retention-check").status, 0)
    expect_equal(sorted(set(before) - set(w.files("t"))), names)
    expect("Usage: deltaworks vacuum" in w.run("vacuum", "--help").out, "help")
    expect_equal(w.run("vacuum", "t", "--retain", "x").status, 2)


if __name__ == "__main__":
    sys.exit(main())
