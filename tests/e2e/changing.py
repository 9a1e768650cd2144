"""Rows that are changed in place, from end to end: what stays with them, what is written of them."""
import itertools
import json
import os
import random
import sys

from harness import World, expect, expect_equal, expect_failure, main, test

TRACKED = "'delta.enableRowTracking' = 'true', 'delta.checkpointInterval' = '3'"
WITHOUT_VECTORS = "'delta.enableDeletionVectors' = 'false'"
IDS = "SELECT id, n, _metadata.row_id AS r, _metadata.row_commit_version AS v FROM t ORDER BY id"


# ---- Row tracking ----------------------------------------------------------------------------------

class TrackedRows:
    """A table with row tracking, and what its rows must be called."""

    def __init__(self, w, *properties, partitioned=False):
        self.w = w
        self.rows = {}  # id: [n, row id, version]
        self.version = 0
        w.sql("CREATE TABLE t (id BIGINT, n INT, p STRING)" + (" PARTITIONED BY (p)" if partitioned else "") +
              f" TBLPROPERTIES ({', '.join((TRACKED,) + properties)})")

    def insert(self, first, count, overwrites=False):
        self.w.sql(f"INSERT {'OVERWRITE' if overwrites else 'INTO'} t SELECT range, range % 7, 'p' || range % 3"
                   f" FROM range({first}, {first + count})")
        self.version += 1
        if overwrites:
            self.rows = {}
        taken = {row[1] for row in self.rows.values()}
        for i, n, r, v in self.w.rows(IDS):
            if first <= i < first + count:
                expect(r not in taken and v == self.version, f"a new id for the new row {i}, found {r}, {v}")
                taken.add(r)
                self.rows[i] = [n, r, v]

    def delete(self, chosen):
        self.w.sql(f"DELETE FROM t WHERE id IN ({', '.join(map(str, chosen))})")
        self.version += 1
        for i in chosen:
            del self.rows[i]

    def update(self, chosen, assigned="n = n + 10"):
        self.w.sql(f"UPDATE t SET {assigned} WHERE id IN ({', '.join(map(str, chosen))})")
        self.version += 1
        for i in chosen:
            self.rows[i][0] += 10
            self.rows[i][2] = self.version

    def check(self, after=""):
        found = self.w.rows(IDS)
        expected = [[i, *self.rows[i]] for i in sorted(self.rows)]
        expect(found == expected, f"after {after} {expected!r}, found {found!r}")


@test
def test_row_ids__stay_with_rows_through_random_changes(w):
    modes = ("none", "name", "id")
    for seed, (mode, vectors, partitioned) in enumerate(itertools.product(modes, (False, True), (False, True))):
        chance = random.Random(seed)
        os.mkdir(w.path(str(seed)))
        inner = World(w.path(str(seed)))
        properties = [f"'delta.columnMapping.mode' = '{mode}'",
                      f"'delta.enableChangeDataFeed' = '{str(chance.random() < 0.5).lower()}'"]
        table = TrackedRows(inner, *properties, *([] if vectors else [WITHOUT_VECTORS]), partitioned=partitioned)
        table.insert(0, 20)
        for step in range(6):
            chosen = chance.sample(sorted(table.rows), chance.randrange(1, 4))
            kind = chance.choice(("insert", "delete", "update", "move"))
            if kind == "insert":
                table.insert(100 * (step + 1), chance.randrange(1, 6))
            elif kind == "delete":
                table.delete(chosen)
            else:
                table.update(chosen, "n = n + 10" + (", p = 'moved'" if kind == "move" else ""))
            table.check(f"seed {seed}, step {step}: {kind} {chosen}")


@test
def test_row_ids__are_kept_in_columns_that_nothing_else_shows(w):
    table = TrackedRows(w, WITHOUT_VECTORS, "'delta.columnMapping.mode' = 'id'")
    table.insert(0, 5)
    table.update([2])
    names = next(a["metaData"] for a in w.actions("t", 0) if "metaData" in a)["configuration"]
    columns = [names[f"delta.rowTracking.materialized{n}ColumnName"] for n in ("RowId", "RowCommitVersion")]
    adds = [a["add"] for a in w.actions("t", 2) if "add" in a]
    expect_equal(len(adds), 2)
    for add in adds:
        found = w.rows(f"SELECT name, field_id FROM parquet_schema('{w.path('t')}/{add['path']}') OFFSET 1")
        expect_equal([f[0] for f in found[-2:]], columns)
        expect_equal([f[1] is None for f in found], [False, False, False, True, True])
        stats = json.loads(add["stats"])
        expect(not set(columns) & (set(stats["minValues"]) | set(stats["nullCount"])), f"no statistics of ids in {stats}")
    kept = {add["stats"]: w.rows(f"SELECT * FROM (SELECT \"{columns[0]}\", \"{columns[1]}\""
                                 f" FROM '{w.path('t')}/{add['path']}') ORDER BY 1") for add in adds}
    expect_equal(sorted(map(repr, kept.values())), ["[[0, 1], [1, 1], [3, 1], [4, 1]]", "[[2, None]]"])
    info = next(a["commitInfo"] for a in w.actions("t", 2) if "commitInfo" in a)
    expect_equal(info["tags"], {"delta.rowTracking.preserved": "true"})
    expect_equal(w.sql("SELECT * FROM t LIMIT 0", "--format", "csv").strip(), "id,n,p")


@test
def test_row_ids__are_new_where_rows_are(w):
    table = TrackedRows(w, WITHOUT_VECTORS)
    table.insert(0, 5)
    table.delete([1])
    table.insert(0, 5, overwrites=True)
    table.check()
    expect(min(row[1] for row in table.rows.values()) >= 9, f"fresh ids, found {table.rows}")
    w.sql("CREATE OR REPLACE TABLE t (id BIGINT, n INT, p STRING)"
          f" TBLPROPERTIES ({TRACKED}, {WITHOUT_VECTORS})")
    table.rows, table.version = {}, table.version + 1
    table.insert(0, 3)
    table.update([0, 1, 2])
    table.check()
    expect(min(row[1] for row in table.rows.values()) >= 14, f"fresh ids, found {table.rows}")


@test
def test_row_ids__are_read_while_a_row_is_changed(w):
    table = TrackedRows(w)
    table.insert(0, 5)
    w.sql("UPDATE t SET n = (SELECT count(*) FROM t) + 100 * _metadata.row_id WHERE _metadata.row_id > 2")
    expect_equal(w.rows(IDS), [[0, 0, 0, 1], [1, 1, 1, 1], [2, 2, 2, 1], [3, 305, 3, 2], [4, 405, 4, 2]])


@test
def test_row_ids__stay_with_rows_of_files_without_the_columns(w):
    w.sql(f"CREATE TABLE t (id BIGINT, n INT, p STRING) TBLPROPERTIES ({WITHOUT_VECTORS})")
    w.sql("INSERT INTO t SELECT range, 0, 'p' FROM range(4)")
    w.sql("DELETE FROM t WHERE id = 0; ALTER TABLE t SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    before = {row[0]: row for row in w.rows(IDS)}
    w.sql("UPDATE t SET n = 1 WHERE id = 2")
    after = {row[0]: row for row in w.rows(IDS)}
    expect_equal([after[1], after[3]], [before[1], before[3]])
    expect_equal(after[2][2], before[2][2])
    expect(after[2][3] > before[2][3], f"a new version of the row that was updated: {after[2]}")


@test
def test_row_ids__are_not_rewritten_without_the_names_of_their_columns(w):
    w.damages("t")
    w.write_log("t", 0, [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": ["rowTracking", "domainMetadata"]}},
        {"metaData": {"id": "0" * 8, "format": {"provider": "parquet", "options": {}}, "partitionColumns": [],
                      "configuration": {"delta.enableRowTracking": "true"}, "schemaString": json.dumps(
                          {"type": "struct", "fields": [{"name": "id", "type": "long", "nullable": True, "metadata": {}}]})}}])
    w.sql("INSERT INTO t VALUES (1), (2)")
    expect_failure(w.run("sql", "-c", "UPDATE t SET id = 3 WHERE id = 1"), 5, "ROW_TRACKING_INVALID",
                   "materializedRowIdColumnName")
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), [[1], [2]])


if __name__ == "__main__":
    sys.exit(main())
