"""Migrations: files of statements that change one table, each statement once, and the way back."""
import json
import os
import sys

from harness import expect, expect_equal, expect_failure, main, test

FIRST = "CREATE TABLE t (id INT, n INT);\n\n-- rows to begin with\nINSERT INTO t VALUES (1, 1);\n"
SECOND = "ALTER TABLE t ADD COLUMN price DOUBLE;\nUPDATE t SET n = n + 1;\nINSERT INTO t (id, n) VALUES (2, 2);"


def write(w, name, text, directory="m"):
    os.makedirs(w.path(directory), exist_ok=True)
    with open(os.path.join(w.path(directory), name), "w", encoding="utf-8") as file:
        file.write(text)


def begin(w):
    write(w, "0001_make.sql", FIRST)
    write(w, "0002_price.sql", SECOND)


def migrate(w, *arguments, status=0):
    ran = w.run("migrate", w.path("m"), *arguments, "--format", "ndjson")
    expect(ran.status == status, f"status {status}: {ran!r}")
    return [list(json.loads(line).values())[:3] for line in ran.out.splitlines()]


def versions(w, table="t"):
    names = [n for n in os.listdir(os.path.dirname(w.log(table, 0))) if n.endswith(".json") and n[:20].isdigit()]
    return max(int(n[:20]) for n in names if len(n) == 25)


def rows(w):
    return w.rows("SELECT * FROM t ORDER BY id")


def records(w, version):
    return [a["txn"]["appId"] for a in w.actions("t", version) if "txn" in a]


def refused(w, code, *words, arguments=()):
    before = versions(w)
    expect_failure(w.run("migrate", w.path("m"), *arguments), 1, code, *words)
    expect_equal(versions(w), before)


@test
def test_migrate__applies_files_in_order_and_records_each_statement_in_its_commit(w):
    begin(w)
    expect_equal(migrate(w), [["0001_make.sql", 1, "applied"], ["0001_make.sql", 4, "applied"],
                              ["0002_price.sql", 1, "applied"], ["0002_price.sql", 2, "applied"],
                              ["0002_price.sql", 3, "applied"]])
    expect_equal(rows(w), [[1, 2, None], [2, 2, None]])
    expect_equal(versions(w), 4)
    for version, place in enumerate(("0001_make.sql:1/2", "0001_make.sql:2/2", "0002_price.sql:1/3", "0002_price.sql:2/3",
                                     "0002_price.sql:3/3")):
        found = records(w, version)
        expect(len(found) == 1 and f"deltaworks.migration:{place}:" in found[0], f"{place}, found {found}")
    expect("deltaworks.migration:0002_price.sql:1/3" in w.sql("DESCRIBE HISTORY t", "--format", "csv"), "it in the history")


@test
def test_migrate__run_again_does_what_is_new_alone(w):
    begin(w)
    migrate(w)
    expect_equal([row[2] for row in migrate(w)], ["applied before"] * 5)
    expect_equal(versions(w), 4)
    write(w, "0003_more.sql", "SET deltaworks.autoColumnMapping = true;\nALTER TABLE t DROP COLUMN price;")
    expect_equal(migrate(w)[5:], [["0003_more.sql", 2, "applied"]])
    # White space, comments and the case of nothing but those are free.
    write(w, "0002_price.sql", "-- why\n" + SECOND.replace(" ADD COLUMN ", "\n  ADD /* a */ COLUMN\n"))
    expect_equal([row[2] for row in migrate(w)], ["applied before"] * 6)
    w.sql("CHECKPOINT t")
    expect_equal([row[2] for row in migrate(w)], ["applied before"] * 6)


@test
def test_migrate__goes_on_behind_the_statement_that_failed(w):
    begin(w)
    write(w, "0002_price.sql", SECOND.replace("INSERT INTO t (id, n)", "INSERT INTO t (id, m)"))
    expect_failure(w.run("migrate", w.path("m")), 1, "0002_price.sql, line 3", "COLUMN_NOT_FOUND")
    expect_equal(rows(w), [[1, 2, None]])
    write(w, "0002_price.sql", SECOND + "\nUPDATE t SET price = 1.5")
    expect_equal([row[2] for row in migrate(w)], ["applied before"] * 4 + ["applied"] * 2)
    expect_equal(rows(w), [[1, 2, 1.5], [2, 2, 1.5]])


@test
def test_migrate__side_by_side_applies_each_statement_once(w):
    begin(w)
    migrate(w, "--to", "1")
    for i in range(3, 8):
        write(w, f"{i:04}_add.sql", f"UPDATE t SET n = n + {10 ** i};\nALTER TABLE t ADD COLUMN c{i} INT;")
    processes = [w.start("migrate", w.path("m")) for _ in range(4)]
    for process in processes:
        _, err = process.communicate(timeout=120)
        expect(process.returncode in (0, 1, 3), f"done or a conflict: {process.returncode} {err!r}")
    migrate(w)
    expect_equal(w.rows("SELECT id, n FROM t ORDER BY id"), [[1, 11111002], [2, 11111002]])


@test
def test_migrate__killed_at_any_commit_goes_on_from_there(w):
    write(w, "0001_make.sql", FIRST)
    migrate(w)
    for i in range(2, 7):
        write(w, f"{i:04}_add.sql", "".join(f"UPDATE t SET n = n + {10 ** k};" for k in (2, 3, 4)))
    write(w, "0007_more.sql", "ALTER TABLE t ADD COLUMN c INT; INSERT INTO t (id, c) VALUES (7, 7)")
    for last in (2, 3, 7, 8, 12, 17):
        process = w.start("migrate", w.path("m"))
        while process.poll() is None and not os.path.exists(w.log("t", last)):
            pass
        process.kill()
        process.communicate()
    migrate(w)
    expect_equal(w.rows("SELECT * FROM t ORDER BY id"), [[1, 55501, None], [7, None, 7]])
    expect_equal(versions(w), 18)


@test
def test_migrate__tells_what_it_would_do(w):
    begin(w)
    migrate(w, "--to", "0001_make.sql")
    ran = w.run("migrate", w.path("m"), "--dry-run", "--format", "ndjson")
    found = [list(json.loads(line).values()) for line in ran.out.splitlines()]
    expect_equal([row[:3] for row in found if row[2] != "plan"],
                 [["0001_make.sql", 1, "applied before"], ["0001_make.sql", 4, "applied before"],
                  ["0002_price.sql", 1, "to be applied"], ["0002_price.sql", 2, "to be applied"],
                  ["0002_price.sql", 3, "to be applied"]])
    plan = [row[3] for row in found if row[2] == "plan"]
    expect(any("price" in line and "double" in line for line in plan), plan)
    expect_equal(versions(w), 1)
    expect_equal([r[:3] for r in migrate(w, "--to", "0", "--dry-run", status=1)], [])


def plans(w, *arguments):
    """What is said of each statement, by its line."""
    ran = w.run("migrate", w.path("m"), "--dry-run", "--format", "ndjson", *arguments)
    expect_equal((ran.status, ran.err), (0, ""))
    found = {}
    for row in map(json.loads, ran.out.splitlines()):
        if row["status"] == "plan":
            found.setdefault((row["file"], row["line"]), []).append(row["detail"])
    return found


@test
def test_migrate__plans_each_change_on_what_those_before_it_leave(w):
    write(w, "0001_make.sql", "CREATE TABLE t (id INT, n INT)")
    migrate(w)
    write(w, "0002_shape.sql", "ALTER TABLE t ADD COLUMN price INT;\nALTER TABLE t RENAME COLUMN price TO cost;\n"
          "ALTER TABLE t SET TBLPROPERTIES ('delta.enableTypeWidening' = 'true');\n"
          "ALTER TABLE t ALTER COLUMN cost TYPE BIGINT;\nALTER TABLE t DROP COLUMN n;\n"
          "ALTER TABLE t CLUSTER BY (cost);\nALTER TABLE t RENAME COLUMN cost TO price;")
    write(w, "0003_more.sql", "ALTER TABLE t ADD CONSTRAINT c CHECK (price > 0);")
    found = plans(w)
    expect_equal(sorted(found), [("0002_shape.sql", i) for i in range(1, 8)] + [("0003_more.sql", 1)])
    text = {k: "; ".join(v) for k, v in found.items()}
    expect("columnMapping" in text["0002_shape.sql", 2], text)
    expect("columnMapping" not in text["0002_shape.sql", 7], text)
    expect("cost" in text["0002_shape.sql", 4] and "bigint" in text["0002_shape.sql", 4], text)
    expect("clustering" in text["0002_shape.sql", 6].lower(), text)
    expect("price" in text["0002_shape.sql", 7], text)
    expect_equal(versions(w), 0)
    migrate(w)
    expect_equal(w.rows("SELECT * FROM t"), [])


@test
def test_migrate__refuses_a_plan_that_cannot_come_out(w):
    write(w, "0001_make.sql", "CREATE TABLE t (id INT, n INT)")
    migrate(w)
    write(w, "0002_drop.sql", "ALTER TABLE t DROP COLUMN n;\nALTER TABLE t RENAME COLUMN n TO m;")
    expect_failure(w.run("migrate", w.path("m"), "--dry-run"), 1, "0002_drop.sql, line 2", "COLUMN_NOT_FOUND")
    expect_equal(versions(w), 0)


@test
def test_migrate__says_what_statements_do_that_have_no_plan(w):
    write(w, "0001_make.sql", "CREATE TABLE t (id INT);\nALTER TABLE t ADD COLUMN n INT;")
    expect_equal(plans(w), {("0001_make.sql", 1): ["makes the table"],
                            ("0001_make.sql", 2): ["not known before 0001_make.sql, line 1 has run"]})
    migrate(w)
    write(w, "0002_fill.sql", "INSERT INTO t VALUES (1, NULL);\nALTER TABLE t ADD COLUMN k INT")
    migrate(w)
    write(w, "0003_fill.sql", "OPTIMIZE t;\nUPDATE t SET n = 1;\nALTER TABLE t ALTER COLUMN n SET NOT NULL;\n"
          "ALTER TABLE t ADD COLUMN z INT;\nALTER TABLE t ALTER COLUMN z COMMENT 'new';\nDELETE FROM t")
    found = plans(w)
    expect_equal(found["0003_fill.sql", 1], ["writes files again, with the same rows"])
    expect_equal(found["0003_fill.sql", 2], ["changes rows: how many is known when it runs"])
    expect("not known before 0003_fill.sql, line 2 has run; until then: " in found["0003_fill.sql", 3][0], found)
    expect(any("z" in line for line in found["0003_fill.sql", 5]), found)
    expect_equal(found["0003_fill.sql", 6], ["changes rows: how many is known when it runs"])
    migrate(w)


@test
def test_migrate__refuses_what_was_changed_afterwards(w):
    begin(w)
    migrate(w)
    write(w, "0002_price.sql", SECOND.replace("n + 1", "n + 2"))
    refused(w, "MIGRATION_EDITED", "0002_price.sql, line 2", "another statement")
    write(w, "0002_price.sql", SECOND + "\nUPDATE t SET n = 0;")
    refused(w, "MIGRATION_EDITED", "0002_price.sql, line 4", "one more")
    write(w, "0002_price.sql", "\n".join(SECOND.splitlines()[:2]))
    refused(w, "MIGRATION_EDITED", "0002_price.sql", "fewer")
    os.remove(os.path.join(w.path("m"), "0002_price.sql"))
    refused(w, "MIGRATION_MISSING", "0002_price.sql")
    write(w, "0002_price.sql", SECOND)
    write(w, "0001_between.sql", "UPDATE t SET n = 0")
    refused(w, "MIGRATION_OUT_OF_ORDER", "0001_between.sql", "0001_make.sql")


@test
def test_migrate__goes_back_and_forward_again(w):
    begin(w)
    write(w, "0003_more.sql", "ALTER TABLE t ADD COLUMN c INT;\nDELETE FROM t WHERE id = 1")
    migrate(w)
    before = versions(w)
    expect_equal(migrate(w, "--undo"), [["0003_more.sql", None, "undone"]])
    expect_equal(versions(w), before + 1)
    expect_equal(rows(w), [[1, 2, None], [2, 2, None]])
    expect_equal(len(records(w, before + 1)), 2)
    # What was undone may be changed.
    write(w, "0003_more.sql", "ALTER TABLE t ADD COLUMN d INT")
    expect_equal(migrate(w)[-1], ["0003_more.sql", 1, "applied"])
    expect_equal(rows(w), [[1, 2, None, None], [2, 2, None, None]])
    w.sql("OPTIMIZE t")
    expect_equal([row[2] for row in migrate(w, "--to", "1", "--dry-run")], ["to be undone", "to be undone"])
    expect_equal([row[0] for row in migrate(w, "--to", "1")], ["0003_more.sql", "0002_price.sql"])
    expect_equal(rows(w), [[1, 1]])
    migrate(w, "--to", "2")
    expect_equal(rows(w), [[1, 2, None], [2, 2, None]])
    refused(w, "MIGRATION_CREATES", "0001_make.sql", arguments=("--to", "0"))
    refused(w, "MIGRATION_NOT_FOUND", "9", arguments=("--to", "9"))


@test
def test_migrate__does_not_take_back_what_others_wrote(w):
    begin(w)
    migrate(w)
    w.sql("INSERT INTO t (id) VALUES (9)")
    refused(w, "MIGRATION_FOREIGN_COMMITS", "version 5", "FORCE", arguments=("--undo",))
    migrate(w, "--undo", "--force")
    expect_equal(rows(w), [[1, 1]])


@test
def test_migrate__records_statements_that_change_nothing(w):
    begin(w)
    write(w, "0003_none.sql", "DELETE FROM t WHERE id = 77; ALTER TABLE t DROP COLUMN IF EXISTS other; OPTIMIZE t")
    migrate(w)
    expect_equal([row[2] for row in migrate(w)], ["applied before"] * 8)


@test
def test_migrate__is_about_one_table_wherever_it_is(w):
    begin(w)
    os.makedirs(w.path("elsewhere"))
    ran = w.run("migrate", w.path("m"), "--table", w.path("elsewhere/t"))
    expect(ran.status == 0, f"done: {ran!r}")
    expect(os.path.exists(w.path("elsewhere/t/_delta_log")) and not os.path.exists(w.path("t")), "the table there alone")
    expect_equal(w.value(f"SELECT count(*) FROM delta.`{w.path('elsewhere/t')}`"), 2)
    write(w, "0003_other.sql", "UPDATE t SET n = 0;\nUPDATE u SET n = 0;")
    expect_failure(w.run("migrate", w.path("m"), "--table", w.path("elsewhere/t")), 1, "MIGRATION_TABLE", "0003_other.sql, line 2")
    write(w, "0003_other.sql", "SELECT 1")
    expect_failure(w.run("migrate", w.path("m")), 4, "MIGRATION_STATEMENT", "0003_other.sql", "line 1")
    write(w, "0003_other.sql", "UPDATE t SET")
    expect_failure(w.run("migrate", w.path("m"), "--table", w.path("elsewhere/t")), 1, "0003_other.sql, line 1")
    expect_failure(w.run("migrate", w.path("none")), 1, "MIGRATION_EMPTY")
    expect_equal(w.run("migrate", w.path("m"), "--undo", "--to", "1").status, 2)
    expect_equal(w.run("migrate").status, 2)


@test
def test_migrate__is_a_statement(w):
    begin(w)
    out = w.sql(f"MIGRATE FROM '{w.path('m')}' TO 1; MIGRATE TABLE t FROM '{w.path('m')}'")
    expect("applied 2 statements; the table is at version 1" in out, out)
    expect("applied 3 statements, 2 were applied before; the table is at version 4" in out, out)
    expect("undid 1 migration" in w.sql(f"MIGRATE TABLE t FROM '{w.path('m')}' UNDO"), "it undone")
    expect_failure(w.run("sql", "-c", f"BEGIN; MIGRATE FROM '{w.path('m')}'"), 4, "TRANSACTION_STATEMENT")


if __name__ == "__main__":
    sys.exit(main())
