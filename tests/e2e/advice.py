"""Advice from use, from end to end: what is recorded, what is chosen from it, and that nothing fails by it."""
import json
import os
import sys

from harness import expect, expect_equal, expect_failure, main, test

SIZE = "'delta.targetFileSize' = '25kb'"
ROWS = "SELECT (i * 7919) % 50000 AS id, 'k' || (i % 1000) AS s, (i * 31) % 977 AS b FROM range(50000) r(i)"


def make(w, clause="", partition="", *properties):
    """Twenty files, each with values from everywhere."""
    w.sql(f"CREATE TABLE t (id BIGINT, s STRING, b BIGINT{partition}) {clause} "
          f"TBLPROPERTIES ({', '.join([SIZE, *properties])})")
    query = ROWS.replace(" FROM", ", i % 2 AS p FROM") if partition else ROWS
    w.sql("; ".join(f"INSERT INTO t {query} WHERE i // 7 % 20 = {k}" for k in range(20)))
    expect(files(w) >= 20, "files enough")


def files(w):
    return json.loads(w.run("detail", "t", "--format", "ndjson").out)["numFiles"]


def ask(w, condition, times, setting=""):
    w.sql(setting + f"SELECT sum(b) FROM t WHERE {condition}; " * times)


def pruning(w):
    names = ["uses", "files", "skipped", "depth", "expected", "advice"]
    return {row[0]: dict(zip(names, row[1:])) for row in w.rows("DESCRIBE PRUNING t")}


def message(w, statement):
    ran = w.run("sql", "-c", statement)
    expect(ran.status == 0, repr(ran))
    return ran.out + ran.err


def version(w):
    return max(row[0] for row in w.rows("DESCRIBE HISTORY t"))


def detail(w):
    return json.loads(w.run("detail", "t", "--format", "ndjson").out)


def state_file(w):
    folder = w.path(".state/deltaworks/pruning")
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return os.path.join(folder, names[0]) if names else None


@test
def test_use__is_recorded_over_processes(w):
    make(w)
    expect_equal(pruning(w), {})
    total = files(w)
    ask(w, "id = 5", 2)
    ask(w, "id BETWEEN 5 AND 90 AND s = 'k7'", 3)
    w.sql("SELECT id FROM t WHERE id = 77")
    found = pruning(w)
    expect_equal((found["id"]["uses"], found["s"]["uses"]), (6, 3))
    expect_equal(found["id"]["files"], 6 * total)
    expect("b" not in found, "no column that no condition is on")
    expect("too little" in found["id"]["advice"], found)
    state = json.load(open(state_file(w), encoding="utf-8"))
    expect_equal((state["table"], state["scans"]), (w.path("t"), 6))


@test
def test_use__is_that_of_changes_too_but_not_of_explain(w):
    make(w)
    w.sql("EXPLAIN SELECT * FROM t WHERE id = 5")
    w.sql("SELECT * FROM t WHERE id IS NOT NULL AND s <> 'x' LIMIT 1")
    expect_equal(pruning(w), {})
    w.sql("DELETE FROM t WHERE id = 5; UPDATE t SET b = 0 WHERE id = 6")
    expect_equal(pruning(w)["id"]["uses"], 2)


@test
def test_use__is_not_recorded_of_a_table_of_one_file_or_where_it_is_off(w):
    w.sql("CREATE TABLE one AS SELECT 1 AS id")
    w.sql("SELECT * FROM one WHERE id > 0")
    make(w)
    ask(w, "id = 5", 3, "SET deltaworks.pruningStatistics = off; ")
    expect_equal((pruning(w), state_file(w)), ({}, None))
    ask(w, "id = 5", 1, "SET deltaworks.pruningStatistics = off; RESET deltaworks.pruningStatistics; ")
    expect_equal(pruning(w)["id"]["uses"], 1)


@test
def test_use__follows_a_renamed_column(w):
    make(w, "", "", "'delta.columnMapping.mode' = 'name'")
    ask(w, "id = 5", 2)
    w.sql("ALTER TABLE t RENAME COLUMN id TO number")
    ask(w, "number = 5", 1)
    expect_equal(pruning(w)["number"]["uses"], 3)
    w.sql("ALTER TABLE t DROP COLUMN number")
    expect_equal(pruning(w), {})


@test
def test_optimize_auto__orders_by_the_column_that_conditions_are_on(w):
    make(w)
    before = w.rows("SELECT * FROM t ORDER BY ALL")
    ask(w, "id = 5", 20)
    ask(w, "s = 'k7'", 1)
    known = version(w)
    said = message(w, "OPTIMIZE t AUTO DRY RUN")
    expect("would become" in said and "id: 20 uses" in said and "s: " not in said, said)
    expect_equal(version(w), known)
    expect("cluster by it" in pruning(w)["id"]["advice"], pruning(w))
    expect("not worth" in pruning(w)["s"]["advice"], pruning(w))
    said = message(w, "OPTIMIZE t AUTO")
    expect("became" in said and "id: 20 uses" in said, said)
    info = w.actions("t", version(w))[0]["commitInfo"]
    expect_equal(info["operationParameters"]["zOrderBy"], '["id"]')
    expect_equal(w.rows("SELECT * FROM t ORDER BY ALL"), before)
    expect(pruning(w)["id"]["depth"] < 3, pruning(w))
    known = version(w)
    said = message(w, "OPTIMIZE t AUTO")
    expect("no columns are clearly better" in said, said)
    expect_equal(version(w), known)


@test
def test_optimize_auto__says_when_there_is_too_little_use(w):
    make(w)
    expect("too little use" in message(w, "OPTIMIZE t AUTO"), "the message")
    ask(w, "id = 5", 9)
    known = version(w)
    expect("9 statements with conditions are recorded, and it takes 10" in message(w, "OPTIMIZE t AUTO"), "the message")
    expect_equal(version(w), known)


@test
def test_optimize_auto__orders_within_partitions(w):
    make(w, "PARTITIONED BY (p)", ", p INT")
    ask(w, "p = 1 AND id = 5", 12)
    expect_equal(list(pruning(w)), ["id"])
    expect("id: 12 uses" in message(w, "OPTIMIZE t AUTO"), "the message")
    expect_failure(w.run("sql", "-c", "ALTER TABLE t CLUSTER BY AUTO"), 1, "partition")


@test
def test_optimize_auto__leaves_columns_that_their_owner_chose(w):
    make(w, "CLUSTER BY (s)")
    ask(w, "id = 5", 20)
    expect("clustered by s: ALTER TABLE" in message(w, "OPTIMIZE t AUTO"), "the message")
    expect_equal(detail(w)["clusteringColumns"], ["s"])


@test
def test_cluster_by_auto__chooses_and_says_why(w):
    make(w)
    ask(w, "id = 5", 20)
    ask(w, "s = 'k7'", 19)
    known = version(w)
    plan = w.rows("ALTER TABLE t CLUSTER BY AUTO DRY RUN")
    expect(plan[-1][0] == "advice" and "id: 20 uses" in plan[-1][3] and "s: 19 uses" in plan[-1][3], plan)
    expect_equal(version(w), known)
    expect("id: 20 uses" in message(w, "ALTER TABLE t CLUSTER BY AUTO"), "the message")
    expect_equal(detail(w)["clusteringColumns"], ["id", "s"])
    expect_equal(detail(w)["properties"]["clusterByAuto"], "true")
    w.sql("OPTIMIZE t AUTO")
    expect_equal(detail(w)["clusteringColumns"], ["id", "s"])
    expect("nothing was to be changed" in message(w, "ALTER TABLE t CLUSTER BY AUTO"), "the message")
    w.sql("ALTER TABLE t CLUSTER BY (b)")
    expect("clusterByAuto" not in detail(w)["properties"], "no property")


@test
def test_cluster_by_auto__keeps_what_there_is_when_there_is_too_little_use(w):
    make(w, "CLUSTER BY (s)")
    ask(w, "id = 5", 3)
    expect("too little use" in message(w, "ALTER TABLE t CLUSTER BY AUTO"), "the message")
    expect_equal(detail(w)["clusteringColumns"], ["s"])
    expect_equal(detail(w)["properties"]["clusterByAuto"], "true")
    ask(w, "id = 5", 20)
    said = message(w, "OPTIMIZE t AUTO FULL")
    expect("id: 23 uses" in said, said)
    expect_equal(detail(w)["clusteringColumns"], ["id"])
    w.sql("ALTER TABLE t CLUSTER BY NONE")
    expect("clusterByAuto" not in detail(w)["properties"], "no property")


@test
def test_create__with_cluster_by_auto_waits_for_use(w):
    make(w, "CLUSTER BY AUTO")
    expect_equal((detail(w)["clusteringColumns"], detail(w)["properties"]["clusterByAuto"]), ([], "true"))
    ask(w, "id = 5", 20)
    w.sql("OPTIMIZE t AUTO")
    expect_equal(detail(w)["clusteringColumns"], ["id"])
    expect(pruning(w)["id"]["depth"] < 3, pruning(w))
    expect_failure(w.run("sql", "-c", "CREATE TABLE u (a INT, p INT) PARTITIONED BY (p) CLUSTER BY AUTO"), 1,
                   "CLUSTER_BY_WITH_PARTITIONED_BY")


@test
def test_use__survives_a_state_file_that_is_damaged(w):
    make(w)
    ask(w, "id = 5", 2)
    for damage in [b"{", b"", b"[]", b'{"scans":-1,"columns":[]}', b'{"scans":1,"columns":[{"path":7}]}', b"x" * 100000,
                   b'{"scans":1,"columns":[{"path":["id"],"uses":"a"}]}']:
        with open(state_file(w), "wb") as file:
            file.write(damage)
        ran = w.run("sql", "-c", "SELECT count(*) FROM t WHERE id = 5")
        expect(ran.status == 0 and "is damaged and counts as empty" in ran.err, repr(ran))
        expect_equal(pruning(w)["id"]["uses"], 1)


@test
def test_use__does_not_matter_where_it_cannot_be_kept(w):
    make(w)
    for state in ["/proc/nowhere", "/dev/null", "relative"]:
        ran = w.run("sql", "-c", "SELECT count(*) FROM t WHERE id = 5; DESCRIBE PRUNING t", XDG_STATE_HOME=state, HOME="")
        expect(ran.status == 0 and ran.err == "", repr(ran))
    expect_equal(pruning(w), {})


if __name__ == "__main__":
    sys.exit(main())
