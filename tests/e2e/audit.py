"""The audit log from end to end: what is recorded of statements, loads and failures, and what verify finds."""
import json
import os
import re
import resource
import signal
import subprocess
import sys

from harness import PROGRAM, expect, expect_equal, expect_failure, main, test

MAKE = "CREATE TABLE t (id BIGINT, s STRING)"


def audited(w, statements, **environment):
    return w.run("sql", "-c", statements, DELTAWORKS_AUDIT=w.path("audit.jsonl"), **environment)


def records(w):
    with open(w.path("audit.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def verify(w, *arguments, **environment):
    return w.run("audit", "verify", w.path("audit.jsonl"), *arguments, **environment)


def expect_sound(w, count):
    ran = verify(w)
    expect(ran.status == 0 and ran.out.startswith(f"{count} records, 0 errors, 0 notes; anchor {count}:"), repr(ran))


@test
def test_audit__has_the_beginning_and_the_end_of_what_changes(w):
    ran = audited(w, MAKE + "; INSERT INTO t VALUES (1, 'a'), (2, 'b'); DELETE FROM t WHERE id = 1; SELECT * FROM t")
    expect_equal(ran.status, 0)
    found = records(w)
    expect_equal([(r["outcome"], r["verb"], r.get("version"), r.get("readVersion")) for r in found],
                 [("started", "CREATE TABLE", None, None), ("committed", "CREATE TABLE", 0, None),
                  ("started", "INSERT", None, 0), ("committed", "INSERT", 1, 0),
                  ("started", "DELETE", None, 1), ("committed", "DELETE", 2, 1)])
    expect_equal([r["number"] for r in found], [1, 2, 3, 4, 5, 6])
    expect_equal([r.get("started") for r in found], [None, 1, None, 3, None, 5])
    expect_equal(found[2]["statement"], "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    expect_equal((found[3]["rowsInserted"], found[3]["filesAdded"]), (2, 1))
    expect_equal(found[5]["rowsDeleted"], 1)
    expect_equal({r["table"] for r in found}, {w.path("t")})
    table_id = w.actions("t", 0)
    table_id = [a["metaData"]["id"] for a in table_id if "metaData" in a][0]
    expect_equal({r["tableId"] for r in found[1:]}, {table_id})
    for key in ("time", "user", "userId", "host", "program", "programVersion", "process", "session"):
        expect(all(key in r for r in found), f"{key} in every record")
    expect_equal(os.stat(w.path("audit.jsonl")).st_mode & 0o777, 0o600)
    expect_sound(w, 6)


@test
def test_audit__has_failures_with_their_code_and_what_touched_nothing(w):
    w.sql(MAKE + "; INSERT INTO t VALUES (1, 'a')")
    ran = audited(w, "INSERT INTO t VALUES ('x', 'y')")
    expect_equal(ran.status, 1)
    code = re.search(r"\[(\w+)\]", ran.err).group(1)
    audited(w, "DELETE FROM t WHERE id = 77")
    found = records(w)
    expect_equal((found[1]["outcome"], found[1]["code"]), ("failed", code))
    expect_equal((found[3]["outcome"], "version" in found[3]), ("done", False))
    expect_sound(w, 4)


@test
def test_audit__has_reads_where_they_are_asked_for(w):
    w.sql(MAKE + "; INSERT INTO t VALUES (1, 'a'); CREATE TABLE u AS SELECT * FROM t")
    audited(w, "SELECT count(*) FROM t JOIN u USING (id); DESCRIBE HISTORY t; SHOW TABLES", DELTAWORKS_AUDIT_READS="true")
    found = records(w)
    expect_equal([r["outcome"] for r in found], ["read"] * 3)
    expect_equal([(t["path"], t["version"]) for t in found[0]["tables"]], [(w.path("t"), 1), (w.path("u"), 0)])
    audited(w, "SELECT * FROM t")
    expect_equal(len(records(w)), 3)
    audited(w, "SET deltaworks.audit.reads = on; SET deltaworks.audit.user = 'Ann \"the\" analyst'; SELECT * FROM t VERSION AS OF 0")
    expect_equal((records(w)[3]["name"], records(w)[3]["tables"][0]["version"]), ('Ann "the" analyst', 0))
    audited(w, "INSERT INTO u SELECT * FROM t")
    expect_equal([t["path"] for t in records(w)[-1]["tables"]], [w.path("t")])
    expect_sound(w, 6)


@test
def test_audit__has_transactions_and_loads(w):
    w.sql(MAKE)
    audited(w, "BEGIN; INSERT INTO t VALUES (1, 'a'); COMMIT; BEGIN; INSERT INTO t VALUES (2, 'b'); ROLLBACK")
    found = records(w)
    expect_equal([(r["outcome"], r["verb"], r.get("version")) for r in found if r["outcome"] != "started"],
                 [("staged", "INSERT", None), ("committed", "COMMIT", 1), ("staged", "INSERT", None), ("done", "ROLLBACK", None)])
    with open(w.path("a.csv"), "w", encoding="utf-8") as file:
        file.write("id,s\n3,c\n4,d\n")
    ran = w.run("load", "t", "a.csv", DELTAWORKS_AUDIT=w.path("audit.jsonl"), DELTAWORKS_AUDIT_USER="cron")
    expect_equal(ran.status, 0)
    last = records(w)[-2:]
    expect_equal([(r["outcome"], r["verb"], r["name"]) for r in last], [("started", "LOAD", "cron"), ("committed", "LOAD", "cron")])
    expect_equal((last[0]["statement"], last[1]["rowsInserted"], last[1]["version"]), ("load\na.csv", 2, 2))


@test
def test_audit__that_is_required_refuses_before_anything_is_touched(w):
    w.sql(MAKE)
    required = {"DELTAWORKS_AUDIT": w.path("no/such/audit.jsonl"), "DELTAWORKS_AUDIT_REQUIRED": "true"}
    files = w.files("t")
    ran = w.run("sql", "-c", "INSERT INTO t VALUES (1, 'a')", **required)
    expect_failure(ran, 6, "AUDIT_LOG_UNWRITABLE", "nothing was done", "audit.jsonl")
    expect_equal(ran.err.count(" ["), 1)
    expect_equal((w.files("t"), w.value("SELECT count(*) FROM t")), (files, 0))
    ran = w.run("sql", "-c", "CREATE TABLE u (id BIGINT)", **required)
    expect_failure(ran, 6, "AUDIT_LOG_UNWRITABLE")
    expect(not os.path.exists(w.path("u")), "no table")
    ran = w.run("sql", "-c", "SELECT 42 AS x", "--format", "csv", DELTAWORKS_AUDIT_READS="true", **required)
    expect_failure(ran, 6, "AUDIT_LOG_UNWRITABLE")
    expect_equal(ran.out, "")
    ran = w.run("sql", "-c", "INSERT INTO t VALUES (1, 'a')", DELTAWORKS_AUDIT=required["DELTAWORKS_AUDIT"])
    expect_equal(ran.status, 0)
    expect("warning: a record is missing in the audit log" in ran.err, repr(ran))
    expect_equal(w.value("SELECT count(*) FROM t"), 1)
    ran = w.run("sql", "-c", "SELECT 1", DELTAWORKS_AUDIT_REQUIRED="true")
    expect_equal(ran.status, 2)
    ran = w.run("sql", "-c", "SELECT 1", DELTAWORKS_AUDIT="x", DELTAWORKS_AUDIT_READS="yes")
    expect_equal(ran.status, 2)


@test
def test_audit__that_is_full_after_the_commit_does_not_fail_it(w):
    """The file may grow by the beginning of the statement, and not by its end."""
    audited(w, MAKE + "; " + "; ".join(["INSERT INTO t VALUES (1, 'a')"] * 9))
    size = os.path.getsize(w.path("audit.jsonl"))
    with open(w.path("audit.jsonl"), encoding="utf-8") as file:
        begun = [len(line) for line in file][-2]

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + begun + 100, resource.RLIM_INFINITY))
    ran = w.run("sql", "-c", "INSERT INTO t VALUES (1, 'b')", preexec=limit,
                DELTAWORKS_AUDIT=w.path("audit.jsonl"), DELTAWORKS_AUDIT_REQUIRED="true")
    expect_equal(ran.status, 0)
    expect("the beginning of a statement, in its record 21, and lacks its end" in ran.err, repr(ran))
    expect_equal(w.value("SELECT count(*) FROM t"), 10)
    expect_sound(w, 21)
    audited(w, "INSERT INTO t VALUES (1, 'c')")
    expect_sound(w, 23)


def rewrite(w, change):
    with open(w.path("audit.jsonl"), encoding="utf-8") as file:
        lines = file.readlines()
    change(lines)
    with open(w.path("audit.jsonl"), "w", encoding="utf-8") as file:
        file.writelines(lines)


@test
def test_verify__says_which_record(w):
    audited(w, MAKE + "; INSERT INTO t VALUES (1, 'a'); DELETE FROM t WHERE id = 1")
    with open(w.path("audit.jsonl"), encoding="utf-8") as file:
        lines = file.readlines()

    def findings(change):
        rewrite(w, lambda found: found.__setitem__(slice(None), change(list(lines))))
        ran = verify(w, "--format", "ndjson")
        expect_equal(ran.status, 5)
        found = [json.loads(line) for line in ran.out.splitlines()]
        rewrite(w, lambda now: now.__setitem__(slice(None), lines))
        if found[0]["code"] == "AUDIT_RECORDS_MISSING":
            expect(found[0]["message"] in ("record 4 is missing", "the records 3 to 4 are missing"), found)
        return [(f["code"], f["record"], f["line"]) for f in found]

    expect_equal(findings(lambda a: a[:3] + [a[3].replace("INSERT", "MERGE")] + a[4:]), [("AUDIT_RECORD_CHANGED", 4, 4)])
    expect_equal(findings(lambda a: a[:3] + a[4:]), [("AUDIT_RECORDS_MISSING", 4, 4)])
    expect_equal(findings(lambda a: a[:2] + a[4:]), [("AUDIT_RECORDS_MISSING", 3, 3)])
    expect_equal(findings(lambda a: a[:4] + a[2:]), [("AUDIT_RECORD_REPEATED", 3, 5), ("AUDIT_RECORD_REPEATED", 4, 6)])
    expect_equal(findings(lambda a: a[:4]), [("AUDIT_LOG_TRUNCATED", 5, None)])
    expect_equal(findings(lambda a: a[:5] + [a[5][:-1]]), [("AUDIT_RECORD_CHANGED", 6, 6), ("AUDIT_LOG_TRUNCATED", 6, None)])
    os.remove(w.path("audit.jsonl.head"))
    ran = verify(w, "--format", "csv")
    expect_equal(ran.status, 5)
    expect("AUDIT_HEAD_MISSING" in ran.out, ran)
    expect_failure(w.run("audit", "verify", "nothing"), 1, "AUDIT_LOG_NOT_FOUND")


@test
def test_verify__with_a_key_finds_a_forger(w):
    with open(w.path("key"), "w", encoding="utf-8") as file:
        file.write("0123456789abcdef0123456789abcdef\n")
    audited(w, MAKE + "; INSERT INTO t VALUES (1, 'a')", DELTAWORKS_AUDIT_KEY_FILE=w.path("key"))
    ran = verify(w, "--key-file", w.path("key"))
    expect_equal(ran.status, 0)
    anchor = re.search(r"anchor (\S+)", ran.out).group(1)
    expect_equal(verify(w, "--anchor", anchor).status, 0)
    os.remove(w.path("audit.jsonl"))
    os.remove(w.path("audit.jsonl.head"))
    audited(w, "INSERT INTO t VALUES (1, 'a'); DELETE FROM t WHERE id = 7")
    expect_equal(verify(w).status, 0)
    expect_equal(verify(w, "--key-file", w.path("key")).status, 5)
    expect_equal(verify(w, "--anchor", anchor).status, 5)
    ran = audited(w, "INSERT INTO t VALUES (1, 'a')", DELTAWORKS_AUDIT_KEY_FILE=w.path("none"))
    expect_equal(ran.status, 1)


@test
def test_show_and_export__choose_by_table_user_and_time(w):
    audited(w, MAKE + "; CREATE TABLE u (id BIGINT)")
    audited(w, "INSERT INTO t VALUES (1, 'a')", DELTAWORKS_AUDIT_USER="night")
    path = w.path("audit.jsonl")
    whole = open(path, encoding="utf-8").read()
    expect_equal(w.run("audit", "export", path).out, whole)
    lines = whole.splitlines(keepends=True)
    expect_equal(w.run("audit", "export", path, "--table", "t").out, "".join(lines[:2] + lines[4:]))
    expect_equal(w.run("audit", "export", path, "--user", "night").out, "".join(lines[4:]))
    expect_equal(w.run("audit", "export", path, "--user", "night", "-n", "1").out, lines[5])
    expect_equal(w.run("audit", "export", path, "--since", "2999-01-01").out, "")
    expect_equal(w.run("audit", "export", path, "--until", "2999-01-01T10:00:00").out, whole)
    ran = w.run("audit", "show", "--format", "ndjson", "--limit", "2", DELTAWORKS_AUDIT=path)
    shown = [json.loads(line) for line in ran.out.splitlines()]
    expect_equal([(r["record"], r["outcome"], r["name"], r["version"], r["rows"]) for r in shown],
                 [(5, "started", "night", None, None), (6, "committed", "night", 1, 1)])
    expect_equal(w.run("audit", "show").status, 2)
    expect_equal(w.run("audit", "look", path).status, 2)
    expect_equal(w.run("audit", "export", path, "--since", "yesterday").status, 2)


@test
def test_audit__is_one_chain_of_many_processes_and_files(w):
    w.sql(MAKE)
    environment = dict(w.environment(), DELTAWORKS_AUDIT=w.path("audit.jsonl"), DELTAWORKS_AUDIT_FILE_BYTES="6000")
    runs = [subprocess.Popen([PROGRAM, "sql", "-c", "; ".join(f"INSERT INTO t VALUES ({k}, 'x')" for k in range(5))],
                             env=environment, cwd=w.folder, stdout=subprocess.DEVNULL) for _ in range(4)]
    expect_equal([run.wait() for run in runs], [0] * 4)
    expect(os.path.exists(w.path("audit.jsonl.000000002")), "several files")
    expect_sound(w, 40)
    versions = [json.loads(line).get("version") for line in w.run("audit", "export", w.path("audit.jsonl")).out.splitlines()]
    expect_equal(sorted(v for v in versions if v is not None), list(range(1, 21)))


@test
def test_audit__tells_a_writer_that_was_killed_from_tampering(w):
    audited(w, MAKE)
    with open(w.path("audit.jsonl"), "a", encoding="utf-8") as file:
        file.write('{"number":3,"time":"2024')
    ran = verify(w, "--format", "ndjson")
    expect_equal((ran.status, json.loads(ran.out)["code"]), (0, "AUDIT_TORN"))
    audited(w, "INSERT INTO t VALUES (1, 'a')")
    ran = verify(w, "--format", "ndjson")
    expect_equal((ran.status, json.loads(ran.out)["code"]), (0, "AUDIT_TORN"))
    told = [json.loads(line) for line in w.run("audit", "export", w.path("audit.jsonl")).out.splitlines()][2]
    expect_equal((told["outcome"], told["damage"], told["tornBytes"]), ("mended", "torn", 25))


if __name__ == "__main__":
    sys.exit(main())
