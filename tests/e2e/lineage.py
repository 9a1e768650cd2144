"""Where the rows of a commit come from: what is recorded of each write, and what is shown of it."""
import http.server
import json
import os
import pwd
import shutil
import subprocess
import threading
import time
from xml.etree import ElementTree

from harness import PROGRAM, expect, expect_equal, main, test


def done(ran, status=0):
    expect_equal(ran.status, status)
    return ran


def version(w, table):
    folder = os.path.dirname(w.log(table, 0))
    return max(int(name[:20]) for name in os.listdir(folder) if name.endswith(".json") and name[:20].isdigit())


def lineage(w, table, at=None):
    for action in w.actions(table, version(w, table) if at is None else at):
        if "commitInfo" in action:
            return action["commitInfo"].get("lineage")
    return None


def only(w, table, at=None):
    """The one statement of a commit."""
    statements = lineage(w, table, at)["statements"]
    expect_equal(len(statements), 1)
    return statements[0]


def columns(w, table, at=None):
    """{column: how and what of}, with the last part of an input's path."""
    statement = only(w, table, at)
    names = [os.path.basename(i["table"] if "table" in i else i["files"][0]) for i in statement["inputs"]]
    return {column: (value["how"], sorted(f"{names[i]}.{name}" for i, name in value.get("from", [])))
            for column, value in statement["columns"].items()}


def conditions(w, table):
    statement = only(w, table)
    names = [os.path.basename(i.get("table", "files")) for i in statement["inputs"]]
    more = ["more"] if statement.get("hasMoreConditions") else []
    return sorted(" ".join([f"{names[i]}.{name}", *kinds]) for i, name, *kinds in statement.get("conditions", [])) + more


def orders(w):
    w.sql("CREATE TABLE orders (id BIGINT, amount DOUBLE, day DATE, buyer STRING);"
          "INSERT INTO orders VALUES (1, 10, DATE '2024-05-01', 'a'), (2, 20, DATE '2024-05-02', 'b');"
          "CREATE TABLE buyers (buyer STRING, country STRING);"
          "INSERT INTO buyers VALUES ('a', 'de'), ('b', 'fr')")


@test
def a_commit_says_which_tables_at_which_versions_it_read(w):
    orders(w)
    w.sql("CREATE TABLE sums (day DATE, total DOUBLE);"
          "INSERT INTO sums SELECT day, sum(amount) FROM orders WHERE buyer <> 'x' GROUP BY day")
    found = lineage(w, "sums")
    expect_equal([(i["table"], i["version"]) for i in found["statements"][0]["inputs"]], [(w.path("orders"), 1)])
    meta = [a["metaData"]["id"] for a in w.actions("orders", 0) if "metaData" in a]
    expect_equal(found["statements"][0]["inputs"][0]["id"], meta[0])
    expect_equal(columns(w, "sums"), {"day": ("same", ["orders.day"]), "total": ("derived", ["orders.amount"])})
    expect_equal(conditions(w, "sums"), ["orders.buyer", "orders.day group"])
    expect("GROUP BY day" in found["statements"][0]["sql"], found)
    expect_equal(found["namespace"], "default")
    expect_equal(found["job"], "insert.sums")
    expect_equal(len(found["run"]), 36)


@test
def columns_follow_joins_subqueries_and_common_tables(w):
    orders(w)
    w.sql("CREATE TABLE r (id BIGINT, country STRING, share DOUBLE, best BOOLEAN, later DATE)")
    w.sql("INSERT INTO r WITH o AS (SELECT *, amount / sum(amount) OVER (PARTITION BY buyer) AS share FROM orders) "
          "SELECT o.id, upper(b.country), o.share, o.amount = (SELECT max(amount) FROM orders), "
          "(SELECT max(day) FROM orders x WHERE x.buyer = o.buyer) FROM o JOIN buyers b USING (buyer)")
    expect_equal(columns(w, "r"), {
        "id": ("same", ["orders.id"]), "country": ("derived", ["buyers.country"]),
        "share": ("derived", ["orders.amount", "orders.buyer"]), "best": ("derived", ["orders.amount"]),
        "later": ("derived", ["orders.day"])})


@test
def unions_take_from_both_and_recursion_ends(w):
    orders(w)
    w.sql("CREATE TABLE u (name STRING, n BIGINT);"
          "INSERT INTO u SELECT buyer, id FROM orders UNION ALL SELECT country, 1 FROM buyers")
    expect_equal(columns(w, "u"), {"name": ("same", ["buyers.country", "orders.buyer"]),
                                   "n": ("derived", ["orders.id"])})
    w.sql("INSERT INTO u WITH RECURSIVE c AS (SELECT buyer, id FROM orders UNION ALL "
          "SELECT c.buyer, c.id + o.amount::BIGINT FROM c JOIN orders o ON o.id = c.id + 1) SELECT * FROM c")
    expect_equal(columns(w, "u"), {"name": ("same", ["orders.buyer"]), "n": ("derived", ["orders.amount", "orders.id"])})


@test
def columns_go_where_the_statement_sends_them(w):
    orders(w)
    w.sql("CREATE TABLE t (a BIGINT, b DOUBLE, c STRING)")
    w.sql("INSERT INTO t (c, a) SELECT buyer, id FROM orders")
    expect_equal(columns(w, "t"), {"a": ("same", ["orders.id"]), "b": ("derived", []), "c": ("same", ["orders.buyer"])})
    w.sql("INSERT INTO t BY NAME SELECT amount AS b, id AS a, 'x' AS c FROM orders")
    expect_equal(columns(w, "t"), {"a": ("same", ["orders.id"]), "b": ("same", ["orders.amount"]), "c": ("derived", [])})
    w.sql("INSERT INTO t VALUES (1, 2, 'c')")
    expect_equal(columns(w, "t"), {"a": ("derived", []), "b": ("derived", []), "c": ("derived", [])})
    expect_equal(only(w, "t")["inputs"], [])


@test
def generated_columns_are_made_of_what_their_columns_are_made_of(w):
    orders(w)
    w.sql("CREATE TABLE g (at TIMESTAMP, day DATE GENERATED ALWAYS AS (CAST(at AS DATE)));"
          "INSERT INTO g (at) SELECT day::TIMESTAMPTZ FROM orders")
    expect_equal(columns(w, "g"), {"at": ("derived", ["orders.day"]), "day": ("derived", ["orders.day"])})


@test
def a_table_made_of_a_query_says_so_and_one_that_is_replaced(w):
    orders(w)
    w.sql("CREATE TABLE c AS SELECT buyer AS who, count(*) AS n FROM orders GROUP BY buyer")
    expect_equal(columns(w, "c"), {"who": ("same", ["orders.buyer"]), "n": ("derived", [])})
    expect_equal(only(w, "c").get("replaces"), None)
    w.sql("CREATE OR REPLACE TABLE c AS SELECT buyer AS who FROM orders")
    expect_equal(only(w, "c").get("replaces"), True)
    w.sql("INSERT OVERWRITE c SELECT country FROM buyers")
    expect_equal(only(w, "c").get("replaces"), True)
    w.sql("INSERT INTO c SELECT country FROM buyers")
    expect_equal(only(w, "c").get("replaces"), None)


@test
def files_are_inputs_by_their_paths(w):
    w.sql(f"COPY (SELECT 1 AS id, 'x' AS name) TO '{w.path('a.parquet')}';"
          f"COPY (SELECT 2 AS id, 'y' AS name) TO '{w.path('b.parquet')}';"
          f"COPY (SELECT 3 AS id, 'z' AS name) TO '{w.path('c.csv')}'")
    done(w.run("load", w.path("t"), w.path("*.parquet")))
    statement = only(w, "t")
    expect_equal(statement["inputs"], [{"files": [w.path("a.parquet"), w.path("b.parquet")], "numFiles": 2, "format": "parquet"}])
    expect_equal(columns(w, "t"), {"id": ("same", ["a.parquet.id"]), "name": ("same", ["a.parquet.name"])})
    w.sql(f"COPY INTO t FROM '{w.path('c.csv')}' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')")
    expect_equal(only(w, "t")["inputs"], [{"files": [w.path("c.csv")], "numFiles": 1, "format": "csv"}])
    expect_equal(columns(w, "t")["id"], ("same", ["c.csv.id"]))
    w.sql(f"INSERT INTO t SELECT id + 1, name FROM read_parquet('{w.path('*.parquet')}')")
    expect_equal(only(w, "t")["inputs"][0]["files"], [w.path("a.parquet"), w.path("b.parquet")])
    expect_equal(columns(w, "t"), {"id": ("derived", ["a.parquet.id"]), "name": ("same", ["a.parquet.name"])})
    w.sql(f"INSERT INTO t SELECT id, name FROM '{w.path('c.csv')}'")
    expect_equal(only(w, "t")["inputs"][0]["files"], [w.path("c.csv")])
    expect_equal(only(w, "t")["inputs"][0]["format"], "csv")


@test
def an_update_is_made_of_its_own_table_and_of_what_its_values_name(w):
    orders(w)
    w.sql("UPDATE orders SET amount = amount * 2, buyer = upper(buyer) WHERE id = 1")
    expect_equal([(i["table"], i["version"]) for i in only(w, "orders")["inputs"]], [(w.path("orders"), 1)])
    expect_equal(columns(w, "orders"), {"amount": ("derived", ["orders.amount"]), "buyer": ("derived", ["orders.buyer"])})
    w.sql("UPDATE orders SET buyer = (SELECT min(country) FROM buyers) WHERE id = 2")
    expect_equal(columns(w, "orders"), {"buyer": ("any", [])})
    expect_equal(sorted(os.path.basename(i["table"]) for i in only(w, "orders")["inputs"]), ["buyers", "orders"])
    w.sql("DELETE FROM orders WHERE buyer IN (SELECT country FROM buyers)")
    expect_equal(sorted(os.path.basename(i["table"]) for i in only(w, "orders")["inputs"]), ["buyers", "orders"])
    expect_equal(columns(w, "orders"), {})


@test
def a_merge_says_what_each_clause_may_set(w):
    orders(w)
    w.sql("CREATE TABLE t (id BIGINT, amount DOUBLE, note STRING); INSERT INTO t VALUES (1, 1, 'n')")
    w.sql("MERGE INTO t USING orders AS o ON t.id = o.id "
          "WHEN MATCHED THEN UPDATE SET amount = t.amount + o.amount "
          "WHEN NOT MATCHED THEN INSERT (id, amount, note) VALUES (o.id, o.amount, concat(o.buyer, '!'))")
    found = columns(w, "t")
    expect_equal(found["amount"], ("derived", ["orders.amount", "t.amount"]))
    expect("orders.buyer" in found["note"][1], found)
    expect("orders.id" in found["id"][1], found)
    w.sql("MERGE INTO t USING (SELECT id, amount * 2 AS amount, country AS note FROM orders JOIN buyers USING (buyer)) s "
          "ON t.id = s.id WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    found = columns(w, "t")
    expect_equal(found["amount"], ("derived", ["orders.amount"]))
    expect_equal(found["note"], ("same", ["buyers.country"]))


@test
def conditions_say_how_a_column_decides(w):
    orders(w)
    w.sql("CREATE TABLE t (buyer STRING)")
    for query, expected in (
            ("SELECT buyer FROM orders WHERE id IN (1, 2, 3, 5, 8, 13, 21, 34)", ["orders.id"]),
            ("SELECT country FROM orders JOIN buyers USING (buyer) WHERE amount > 1",
             ["buyers.buyer join", "orders.amount", "orders.buyer join"]),
            ("SELECT buyer FROM orders GROUP BY buyer HAVING sum(amount) > 1 ORDER BY min(day) LIMIT 7",
             ["orders.amount", "orders.buyer group", "orders.day sort"]),
            ("SELECT DISTINCT o.buyer FROM orders o JOIN buyers b ON o.buyer = b.buyer",
             ["buyers.buyer join", "orders.buyer join group"])):
        w.sql("INSERT INTO t " + query)
        expect_equal(conditions(w, "t"), expected)


@test
def a_change_of_rows_says_which_columns_chose_them(w):
    w.sql("CREATE TABLE t (id BIGINT, amount DOUBLE, st STRUCT<a: INT, amount: INT>, day DATE) PARTITIONED BY (day);"
          "INSERT INTO t SELECT i, i, {'a': i, 'amount': i}, DATE '2024-05-01' + (i % 3)::INT FROM range(30) r(i);"
          "CREATE TABLE u (id BIGINT, name STRING); INSERT INTO u VALUES (4, 'x'), (5, 'y')")
    for statement, expected in (
            ("UPDATE t SET amount = 0 WHERE id = 1", ["t.id"]),
            ("UPDATE t AS x SET amount = x.st.a WHERE x.st.a = 2 AND day < DATE '2030-01-01' + id::INT", ["t.day", "t.id", "t.st"]),
            ("UPDATE t SET amount = 1 WHERE id IN (SELECT id FROM u WHERE name LIKE 'x%')",
             ["t.id join", "u.id join", "u.name"]),
            ("UPDATE t SET amount = 2", []),
            ("DELETE FROM t WHERE day = DATE '2024-05-01'", ["t.day"]),  # from the log alone
            ("DELETE FROM t WHERE id = 7", ["t.id"]),
            ("DELETE FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)", ["t.id join", "u.id join"]),
            ("INSERT INTO t REPLACE WHERE st.a > 20 SELECT id, 1, {'a': 21, 'amount': 1}, DATE '2024-05-02' FROM u WHERE name <> 'q'",
             ["t.st", "u.name"]),
            ("DELETE FROM t", [])):
        w.sql(statement)
        expect_equal((statement, conditions(w, "t")), (statement, expected))


@test
def a_merge_says_which_columns_match_and_choose(w):
    orders(w)
    w.sql("CREATE TABLE t (id BIGINT, note STRING); INSERT INTO t VALUES (1, 'n')")
    w.sql("MERGE INTO t USING orders AS o ON t.id = o.id WHEN MATCHED AND o.amount > 5 THEN UPDATE SET note = o.buyer "
          "WHEN NOT MATCHED AND o.day IS NOT NULL THEN INSERT (id, note) VALUES (o.id, 'x') "
          "WHEN NOT MATCHED BY SOURCE AND note = 'z' THEN DELETE")
    expect_equal(conditions(w, "t"), ["orders.amount", "orders.day", "orders.id join", "t.id join", "t.note"])
    w.sql("MERGE INTO t USING (SELECT id + 1 AS k, upper(country) AS c FROM orders JOIN buyers USING (buyer) WHERE amount > 1) s "
          "ON t.id = s.k WHEN MATCHED AND s.c > 'A' THEN UPDATE SET note = s.c")
    expect_equal(conditions(w, "t"), ["buyers.buyer join", "buyers.country", "orders.amount", "orders.buyer join",
                                      "orders.id join", "t.id join"])
    # A source as a whole may mean any of its columns.
    w.sql("MERGE INTO t USING orders AS o ON t.id = o.id WHEN MATCHED AND hash(o) > 0 THEN UPDATE SET note = 'w'")
    expect_equal(conditions(w, "t"), ["orders.id join", "t.id join", "more"])
    w.sql("UPDATE t SET note = hash(t) WHERE id = 1")
    expect_equal(columns(w, "t")["note"], ("any", []))


@test
def a_transaction_tells_of_all_its_statements(w):
    orders(w)
    w.sql("CREATE TABLE t (id BIGINT, name STRING);"
          "BEGIN; INSERT INTO t SELECT id, buyer FROM orders; UPDATE t SET name = upper(name); COMMIT")
    found = lineage(w, "t")
    expect_equal([s["sql"].split()[0] for s in found["statements"]], ["INSERT", "UPDATE"])
    expect_equal(found["job"], "transaction.t")


@test
def job_and_parent_are_the_sessions_or_the_environments(w):
    parent = "airflow/dag.task/01890a5d-ac96-774b-bcce-b302099a8057"
    w.sql("CREATE TABLE t (id BIGINT)")
    done(w.run("sql", "-c", "INSERT INTO t VALUES (1)", OPENLINEAGE_NAMESPACE="shop", OPENLINEAGE_PARENT_ID=parent, USER="eve"))
    found = lineage(w, "t")
    expect_equal((found["namespace"], found["user"]), ("shop", pwd.getpwuid(os.geteuid()).pw_name))
    expect_equal(found["parent"], {"namespace": "airflow", "job": "dag.task", "run": parent[-36:]})
    w.sql("SET deltaworks.lineage.job = 'nightly'; SET deltaworks.lineage.namespace = 'x'; INSERT INTO t VALUES (1)")
    expect_equal((lineage(w, "t")["job"], lineage(w, "t")["namespace"]), ("nightly", "x"))
    w.sql("SET deltaworks.lineage = off; INSERT INTO t VALUES (1)")
    expect_equal(lineage(w, "t"), None)


@test
def a_long_statement_is_cut_and_a_wide_one_says_less(w):
    w.sql("CREATE TABLE t (name STRING)")
    w.sql("INSERT INTO t VALUES ('" + "ä" * 5000 + "')")
    statement = only(w, "t")
    expect_equal(statement["isCut"], True)
    expect(len(statement["sql"].encode()) <= 4096, statement["sql"][-10:])
    names = [f"column_with_a_long_name_{i:04}" for i in range(2000)]
    w.sql("CREATE TABLE wide (" + ", ".join(n + " INT" for n in names) + ");"
          "CREATE TABLE copy AS SELECT * FROM wide")
    statement = only(w, "copy")
    expect("columns" not in statement, "a record that is too long")
    expect_equal(os.path.basename(statement["inputs"][0]["table"]), "wide")


# ---- Tables of tables, and what changes no row -------------------------------------------------------

@test
def a_clone_is_made_of_its_source_at_its_version(w):
    orders(w)
    for kind in ("SHALLOW", "DEEP"):
        w.sql(f"CREATE TABLE {kind} {kind} CLONE orders VERSION AS OF 1")
        statement = only(w, kind)
        expect_equal([(i["table"], i["version"]) for i in statement["inputs"]], [(w.path("orders"), 1)])
        expect_equal(statement["inputs"][0]["id"], next(a["metaData"]["id"] for a in w.actions("orders", 0) if "metaData" in a))
        expect_equal(columns(w, kind), {c: ("same", [f"orders.{c}"]) for c in ("id", "amount", "day", "buyer")})
        expect("replaces" not in statement, statement)
        expect_equal(names_of(shown(w, kind)), [kind, "orders@v1"])
        expect_equal(names_of(shown(w, f"{kind} COLUMN day")), [f"{kind}.day", "orders.day@v1"])
    expect_equal(sorted(names_of(shown(w, "orders DOWNSTREAM"))), ["DEEP", "SHALLOW", "orders"])
    w.sql("INSERT INTO orders SELECT * FROM orders; CREATE OR REPLACE TABLE DEEP DEEP CLONE orders")
    expect_equal(only(w, "DEEP")["replaces"], True)
    expect_equal(names_of(shown(w, "DEEP")), ["DEEP", "orders@v2"])


@test
def a_restored_table_is_what_it_was_in_that_version(w):
    orders(w)
    w.sql("CREATE TABLE t AS SELECT id, amount FROM orders;"
          "CREATE TABLE late AS SELECT CAST(9 AS BIGINT) AS id, CAST(1.5 AS DOUBLE) AS amount;"
          "INSERT INTO t SELECT * FROM late; INSERT OVERWRITE t SELECT id, amount FROM late; RESTORE t TO VERSION AS OF 0")
    statement = only(w, "t")
    expect_equal([(i["table"], i["version"]) for i in statement["inputs"]], [(w.path("t"), 0)])
    expect_equal(statement["replaces"], True)
    expect_equal(columns(w, "t"), {"id": ("same", ["t.id"]), "amount": ("same", ["t.amount"])})
    expect_equal(names_of(shown(w, "t")), ["t", "orders@v1"])
    expect_equal(names_of(shown(w, "t COLUMN amount")), ["t.amount", "orders.amount@v1"])
    expect_equal(names_of(shown(w, "orders DOWNSTREAM")), ["orders", "t"])
    expect_equal(shown(w, "late DOWNSTREAM")[1:], ["no table that was looked at says it was made of it"])
    w.sql("RESTORE t TO VERSION AS OF 1")
    expect_equal(sorted(names_of(shown(w, "t"))), ["late@v0", "orders@v1", "t"])


@test
def a_table_that_is_overwritten_from_itself_keeps_what_it_was_made_of(w):
    orders(w)
    w.sql("CREATE TABLE t AS SELECT id, buyer FROM orders; INSERT OVERWRITE t SELECT id, 'x' FROM t WHERE id > 1")
    expect_equal(names_of(shown(w, "t")), ["t", "orders@v1"])
    expect_equal(names_of(shown(w, "t COLUMN id")), ["t.id", "orders.id@v1"])
    expect_equal(names_of(shown(w, "t COLUMN buyer"))[0], "t.buyer")
    expect_equal(len(shown(w, "t COLUMN buyer")), 2)


@test
def a_directory_that_is_converted_or_cloned_is_named_by_its_files(w):
    for i in range(40):
        os.makedirs(w.path(f"p/day={i:02}"))
    w.sql(";".join(f"COPY (SELECT {i} AS id) TO '{w.path(f'p/day={i:02}/a.parquet')}'" for i in range(40)))
    w.sql(f"CREATE TABLE c SHALLOW CLONE parquet.`{w.path('p')}` PARTITIONED BY (day INT)")
    w.sql(f"CONVERT TO DELTA parquet.`{w.path('p')}` PARTITIONED BY (day INT)")
    for table in ("c", "p"):
        (source,) = only(w, table)["inputs"]
        expect_equal((source["numFiles"], len(source["files"]), source["format"]), (40, 32, "parquet"))
        expect_equal(os.path.basename(source["files"][0]), "a.parquet")
        expect(os.path.isfile(source["files"][31]), source)
        expect_equal(columns(w, table), {"id": ("same", ["a.parquet.id"]), "day": ("derived", [])})
    expect_equal(len(shown(w, "c")), 33)
    w.damages("c")  # its source became a table


@test
def what_moves_rows_or_changes_the_definition_says_who_did_it(w):
    orders(w)
    run = {}
    for sql in ("ALTER TABLE orders ADD COLUMNS (note STRING)", "ALTER TABLE orders SET TBLPROPERTIES ('a.b' = 'c')",
                "ALTER TABLE orders CLUSTER BY (day)", "INSERT INTO orders SELECT * FROM orders", "OPTIMIZE orders",
                "DELETE FROM orders WHERE id = 1",
                "REORG TABLE orders APPLY (PURGE)", "CREATE BLOOMFILTER INDEX ON orders (id)",
                "ALTER TABLE orders DROP FEATURE deletionVectors"):
        before = version(w, "orders")
        w.sql(f"SET deltaworks.lineage.job = 'night'; {sql}") if "DROP FEATURE" not in sql else w.run("sql", "-c", sql)
        expect(version(w, "orders") > before, sql)
        found = lineage(w, "orders")
        expect(found is not None, sql)
        expect_equal(found["user"], pwd.getpwuid(os.geteuid()).pw_name)
        if sql.startswith(("INSERT", "DELETE", "ALTER TABLE orders DROP")):
            continue
        expect_equal((found["job"], found["statements"]), ("night", [{"sql": sql, "inputs": [], "columns": {}}]))
        expect(found["run"] not in run, "a run of its own")
        run[found["run"]] = sql
    expect_equal(shown(w, "orders")[1:], ["no commit says what it was made of"])


# ---- SHOW LINEAGE ------------------------------------------------------------------------------------

def shop(w):
    """raw <- file; orders <- raw, buyers; sums <- orders; report <- sums."""
    w.sql(f"COPY (SELECT 1 AS id, 2.5 AS amount, 'a' AS buyer) TO '{w.path('may.parquet')}';"
          "CREATE TABLE raw (id BIGINT, amount DOUBLE, buyer STRING); CREATE TABLE buyers (buyer STRING, country STRING);"
          f"COPY INTO raw FROM '{w.path('may.parquet')}' FILEFORMAT = PARQUET;"
          "CREATE TABLE orders AS SELECT id, amount, country FROM raw JOIN buyers USING (buyer);"
          "CREATE TABLE sums AS SELECT country, sum(amount) AS total FROM orders GROUP BY country;"
          "CREATE TABLE report AS SELECT country, total FROM sums; ALTER TABLE report RENAME COLUMN total TO revenue")


def shown(w, text):
    return [row[0] for row in w.rows(f"SHOW LINEAGE {text}")]


def names_of(lines):
    return [line.lstrip("│├└─ ").split()[0] for line in lines]


@test
def lineage_is_shown_as_a_tree_to_the_files(w):
    shop(w)
    lines = shown(w, "report")
    expect_equal(names_of(lines), ["report", "sums@v0", "orders@v0", "raw@v1", "may.parquet", "buyers@v0"])
    expect_equal(names_of(shown(w, "raw DOWNSTREAM")), ["raw", "orders", "sums", "report"])
    expect_equal(names_of(shown(w, f"raw DOWNSTREAM IN '{w.folder}'")), ["raw", "orders", "sums", "report"])
    expect_equal(shown(w, "buyers")[1], "no commit says what it was made of")


@test
def a_column_is_shown_under_the_name_that_it_had(w):
    shop(w)
    expect_equal(names_of(shown(w, "report COLUMN revenue")),
                 ["report.revenue", "sums.total@v0", "orders.amount@v0", "raw.amount@v1", "may.parquet.amount"])
    expect_equal(names_of(shown(w, "raw DOWNSTREAM COLUMN amount")), ["raw.amount", "orders.amount", "sums.total", "report.revenue"])
    expect_equal(names_of(shown(w, "report COLUMN country")), ["report.country", "sums.country@v0", "orders.country@v0", "buyers.country@v0"])
    ran = w.run("sql", "-c", "SHOW LINEAGE report COLUMN total")
    expect_equal(ran.status, 1)
    expect("COLUMN_NOT_FOUND" in ran.err, ran)


@test
def a_table_that_is_gone_is_shown_without_what_it_was_made_of(w):
    shop(w)
    shutil.rmtree(w.path("orders"))
    expect_equal(names_of(shown(w, "report")), ["report", "sums@v0", "orders@v0"])


@test
def lineage_is_drawn_and_given_to_programs(w):
    shop(w)
    svg = done(w.run("lineage", w.path("report"), "--format", "svg")).out
    root = ElementTree.fromstring(svg)
    boxes = root.findall(".//{http://www.w3.org/2000/svg}g")
    expect_equal(len(boxes), 6)
    width, height = float(root.get("width")), float(root.get("height"))
    places = []
    for box in boxes:
        rect = box.find("{http://www.w3.org/2000/svg}rect")
        x, y, w_, h = (float(rect.get(k)) for k in ("x", "y", "width", "height"))
        expect(x >= 0 and y >= 0 and x + w_ <= width and y + h <= height, "a box within the picture")
        places.append((x, y, w_, h))
    for i, (x, y, w_, h) in enumerate(places):
        for x2, y2, w2, h2 in places[i + 1:]:
            expect(x + w_ <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y, "boxes that do not overlap")
    found = json.loads(done(w.run("lineage", w.path("report"), "--format", "json", "--column", "revenue")).out)
    expect_equal([n["column"] for n in found["nodes"]], ["revenue", "total", "amount", "amount", "amount"])
    expect_equal([e["how"] for e in found["edges"]], ["same", "derived", "same", "same"])
    dot = done(w.run("lineage", w.path("raw"), "--format", "dot", "--downstream")).out
    expect(dot.startswith("digraph lineage {") and dot.count(" -> ") == 3, dot)
    expect_equal(w.run("lineage", w.path("raw"), "--format", "png").status, 2)


@test
def names_that_need_escapes_are_escaped(w):
    w.sql("CREATE TABLE `a<b>&\"c\"` (`x \"y\" & <z>` BIGINT) TBLPROPERTIES ('delta.columnMapping.mode' = 'name');"
          "CREATE TABLE t TBLPROPERTIES ('delta.columnMapping.mode' = 'name') AS SELECT * FROM `a<b>&\"c\"`")
    ElementTree.fromstring("\n".join(shown(w, "t FORMAT SVG")))
    ElementTree.fromstring("\n".join(shown(w, "t COLUMN `x \"y\" & <z>` FORMAT SVG")))
    expect_equal(json.loads("\n".join(shown(w, "t FORMAT JSON")))["nodes"][1]["path"], w.path('a<b>&"c"'))
    expect('\\"c\\"' in "\n".join(shown(w, "t FORMAT DOT")), "an escaped quote")


@test
def a_record_of_somebody_else_neither_stops_nor_steers(w):
    orders(w)
    w.sql("CREATE TABLE t (id BIGINT); INSERT INTO t SELECT id FROM orders")
    made = {"inputs": [{"table": w.path("t")}, {"table": "/\x1b[2Jx\ny\0z"}, {"table": ""}, {"table": "s3://\x07"}, {"files": [7, "/\x1b]f"]}],
            "columns": {"id": {"how": "derived", "from": [[0, "id"], [1, "\x1b[1m"], [9, "x"]] * 5000}}}
    for record in ({"job": "\x1b[31m", "statements": [made] * 5}, {"statements": [[[[]]], 7, {"inputs": {"table": 7}}]},
                   {"job": {}, "statements": [{"columns": {"id": {"how": "same", "from": [[0, "id"]] * 9}}, "inputs": [made]}]}):
        w.damages("t")
        path = w.log("t", 1)
        with open(path, encoding="utf-8") as file:
            actions = [json.loads(line) for line in file]
        for action in actions:
            if "commitInfo" in action:
                action["commitInfo"]["lineage"] = record
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(action) + "\n" for action in actions)
        crc = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.crc")
        for name in (crc, path.replace(".json", ".crc")):
            if os.path.exists(name):
                os.remove(name)
        for words in ("", " COLUMN id", " DOWNSTREAM", " DOWNSTREAM COLUMN id", " FORMAT SVG", " FORMAT DOT", " FORMAT JSON"):
            ran = done(w.run("sql", "-c", "SHOW LINEAGE t" + words))
            expect("\x1b" not in ran.out + ran.err, ran)


# ---- Events ------------------------------------------------------------------------------------------

SPEC = os.environ.get("OPENLINEAGE_SPEC", "")


def events(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def file_transport(path):
    return {"OPENLINEAGE__TRANSPORT__TYPE": "file", "OPENLINEAGE__TRANSPORT__LOG_FILE_PATH": path}


def validator():
    """A judge of events by the published schemas; None where they, or a validator, are not there."""
    try:
        from jsonschema import Draft202012Validator
        from referencing import Registry, Resource
    except ImportError:
        return None
    if not os.path.isdir(SPEC):
        return None
    store = {}
    for folder, _, names in os.walk(SPEC):
        for name in (n for n in names if n.endswith(".json")):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                schema = json.load(file)
            if isinstance(schema, dict) and "$id" in schema:
                store[schema["$id"]] = schema
    registry = Registry().with_resources((at, Resource.from_contents(schema)) for at, schema in store.items())

    def check(value, reference):
        expect(reference.split("#")[0] in store, f"a schema named {reference}")
        Draft202012Validator({"$ref": reference}, registry=registry,
                             format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)

    def judge(event):
        check(event, event["schemaURL"])
        facets = [event["run"]["facets"], event["job"]["facets"]]
        for dataset in event["inputs"] + event["outputs"]:
            facets += [dataset.get("facets", {}), dataset.get("outputFacets", {})]
        for name, facet in ((n, f) for group in facets for n, f in group.items()):
            check(facet, facet["_schemaURL"])
            schema = store[facet["_schemaURL"].split("#")[0]]
            expect(name in schema["properties"], f"a facet {name} in its schema")
    return judge


def judge_all(found):
    judge = validator()
    if judge is None:
        print("skipped: events are not judged by the schemas (OPENLINEAGE_SPEC, python3-jsonschema)")
        return
    for event in found:
        judge(event)


@test
def a_run_is_told_when_it_starts_and_when_it_ends(w):
    orders(w)
    out, parent = w.path(".events"), "airflow/dag.task/01890a5d-ac96-774b-bcce-b302099a8057"
    done(w.run("sql", "-c", "CREATE TABLE sums AS SELECT day, sum(amount) AS total FROM orders WHERE id > 0 GROUP BY day",
               OPENLINEAGE_PARENT_ID=parent, OPENLINEAGE_NAMESPACE="shop", **file_transport(out)))
    start, complete = events(out)
    expect_equal([start["eventType"], complete["eventType"]], ["START", "COMPLETE"])
    expect_equal(start["run"]["runId"], complete["run"]["runId"])
    expect_equal(complete["run"]["runId"], lineage(w, "sums")["run"])
    expect_equal(complete["job"]["namespace"], "shop")
    expect_equal(complete["run"]["facets"]["parent"]["job"], {"namespace": "airflow", "name": "dag.task"})
    (source,), (target,) = complete["inputs"], complete["outputs"]
    expect_equal((source["namespace"], source["name"]), ("file", w.path("orders")))
    expect_equal(source["facets"]["version"]["datasetVersion"], "1")
    expect_equal(target["facets"]["version"]["datasetVersion"], "0")
    expect_equal(target["facets"]["lifecycleStateChange"]["lifecycleStateChange"], "CREATE")
    expect_equal([f["name"] for f in target["facets"]["schema"]["fields"]], ["day", "total"])
    fields = target["facets"]["columnLineage"]["fields"]
    expect_equal([(f["field"], f["transformations"][0]["subtype"]) for f in fields["total"]["inputFields"]],
                 [("amount", "TRANSFORMATION")])
    expect_equal(target["outputFacets"]["outputStatistics"]["rowCount"], 2)
    judge_all([start, complete])


@test
def a_statement_that_fails_is_told_with_its_error(w):
    orders(w)
    out = w.path(".events")
    ran = w.run("sql", "-c", "INSERT INTO orders SELECT 1, 2, NULL, error('no') FROM orders", **file_transport(out))
    expect_equal(ran.status, 1)
    start, fail = events(out)
    expect_equal(fail["eventType"], "FAIL")
    expect("no" in fail["run"]["facets"]["errorMessage"]["message"], fail)
    judge_all([start, fail])


@test
def loads_merges_and_transactions_are_told_too(w):
    orders(w)
    out = w.path(".events")
    w.sql(f"COPY (SELECT 1 AS id, 'x' AS name) TO '{w.path('a.parquet')}'; CREATE TABLE t (id BIGINT, name STRING)")
    done(w.run("load", w.path("l"), w.path("a.parquet"), **file_transport(out)))
    done(w.run("sql", "-c", "BEGIN; INSERT INTO t SELECT id, buyer FROM orders; UPDATE t SET name = upper(name); COMMIT;"
               "MERGE INTO t USING orders o ON t.id = o.id WHEN MATCHED THEN UPDATE SET name = o.buyer || t.name;"
               "DELETE FROM t WHERE id = 1; INSERT OVERWRITE t SELECT 1, 'x'", **file_transport(out)))
    found = events(out)
    expect_equal([e["eventType"] for e in found], ["START", "COMPLETE"] * 5)
    expect_equal([e["job"]["name"] for e in found[1::2]], ["load.l", "transaction.t", "merge_into.t", "delete.t", "insert.t"])
    expect_equal(found[1]["inputs"][0]["name"], w.path("a.parquet"))
    expect("UPDATE" in found[3]["job"]["facets"]["sql"]["query"], found[3])
    expect_equal(found[9]["outputs"][0]["facets"]["lifecycleStateChange"]["lifecycleStateChange"], "OVERWRITE")
    judge_all(found)


@test
def conditions_are_told_by_how_they_decide(w):
    orders(w)
    out = w.path(".events")
    w.sql("CREATE TABLE t (id BIGINT, name STRING); INSERT INTO t VALUES (1, 'n')")
    done(w.run("sql", "-c", "MERGE INTO t USING orders o ON t.id = o.id WHEN MATCHED AND o.amount > 1 THEN UPDATE SET name = o.buyer;"
               "DELETE FROM t WHERE id = 1;"
               "INSERT INTO t SELECT min(id), buyer FROM orders JOIN buyers USING (buyer) GROUP BY buyer ORDER BY max(day)",
               **file_transport(out)))
    found = events(out)
    told = [sorted(" ".join([f"{os.path.basename(c['name'])}.{c['field']}"] + [f"{t['type']}/{t['subtype']}" for t in c["transformations"]])
                   for c in e["outputs"][0]["facets"]["columnLineage"]["dataset"]) for e in found[1::2]]
    expect_equal(told, [["orders.amount INDIRECT/FILTER", "orders.id INDIRECT/JOIN", "t.id INDIRECT/JOIN"],
                        ["t.id INDIRECT/FILTER"],
                        ["buyers.buyer INDIRECT/JOIN", "orders.buyer INDIRECT/JOIN INDIRECT/GROUP_BY", "orders.day INDIRECT/SORT"]])
    judge_all(found)


@test
def clones_restores_and_upkeep_are_told_too(w):
    orders(w)
    out = w.path(".events")
    done(w.run("sql", "-c", "CREATE TABLE c SHALLOW CLONE orders; ALTER TABLE c ADD COLUMNS (x INT); OPTIMIZE c;"
               "RESTORE c TO VERSION AS OF 0; OPTIMIZE c DRY RUN; ALTER TABLE c DROP COLUMN nothing", **file_transport(out)), 1)
    found = events(out)
    expect_equal([(e["eventType"], e["job"]["name"]) for e in found],
                 [(end, f"{name}.c") for name, last in (("create_table", "COMPLETE"), ("alter_table", "COMPLETE"),
                                                        ("optimize", "COMPLETE"), ("restore", "COMPLETE"), ("alter_table", "FAIL"))
                  for end in ("START", last)])
    facets = [e["outputs"][0]["facets"] for e in found[1::2]]
    expect_equal([f.get("lifecycleStateChange", {}).get("lifecycleStateChange") for f in facets],
                 ["CREATE", "ALTER", None, "OVERWRITE", None])
    expect_equal([sorted(f["columnLineage"]["fields"]) if "columnLineage" in f else None for f in facets],
                 [["amount", "buyer", "day", "id"], None, None, ["amount", "buyer", "day", "id"], None])
    expect_equal([[i["facets"]["version"]["datasetVersion"] for i in e["inputs"]] for e in found[1::2]],
                 [["1"], [], [], ["0"], []])
    judge_all(found)


@test
def several_processes_append_whole_lines_to_one_file(w):
    out = w.path(".events")
    w.sql("CREATE TABLE t (id BIGINT, note STRING)")
    text = "; ".join(f"INSERT INTO t VALUES ({i}, '{'x' * 3000}')" for i in range(10))
    environment = {**w.environment(), **file_transport(out)}
    running = [subprocess.Popen([PROGRAM, "sql", "-c", text], env=environment, cwd=w.folder, stdout=subprocess.DEVNULL)
               for _ in range(4)]
    for process in running:
        expect_equal(process.wait(), 0)
    expect_equal(len(events(out)), 4 * 10 * 2)


@test
def a_file_that_cannot_be_written_is_a_warning(w):
    w.sql("CREATE TABLE t (id BIGINT)")
    ran = done(w.run("sql", "-c", "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)", **file_transport(w.path("no/such"))))
    expect_equal(ran.err.count("lineage event"), 1)
    expect_equal(w.value("SELECT count(*) FROM t"), 2)


class Sink:
    """A server that keeps what is posted to it."""

    def __init__(self, status=201, delay=0):
        self.posts = []
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.posts.append((self.path, self.headers.get("Authorization"), self.headers["Content-Type"], json.loads(body)))
                time.sleep(delay)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b"said no" if status >= 300 else b"")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


@test
def events_are_posted_to_a_server(w):
    w.sql("CREATE TABLE t (id BIGINT)")
    with Sink() as sink:
        done(w.run("sql", "-c", "INSERT INTO t VALUES (1)", OPENLINEAGE_URL=sink.url, OPENLINEAGE_API_KEY="secret"))
        expect_equal([(p[0], p[1], p[2]) for p in sink.posts],
                     [("/api/v1/lineage", "Bearer secret", "application/json")] * 2)
        expect_equal([p[3]["eventType"] for p in sink.posts], ["START", "COMPLETE"])
        done(w.run("sql", "-c", "INSERT INTO t VALUES (1)", OPENLINEAGE_URL=sink.url + "/", OPENLINEAGE_ENDPOINT="/x/y"))
        expect_equal(sink.posts[2][:2], ("/x/y", None))
        done(w.run("sql", "-c", "INSERT INTO t VALUES (1)", OPENLINEAGE_URL=sink.url, OPENLINEAGE_DISABLED="true"))
        expect_equal(len(sink.posts), 4)


@test
def a_server_that_refuses_hangs_or_is_not_there_delays_nothing_for_long(w):
    w.sql("CREATE TABLE t (id BIGINT)")
    with Sink(status=500) as sink:
        ran = done(w.run("sql", "-c", "INSERT INTO t VALUES (1)", OPENLINEAGE_URL=sink.url))
        expect("answered 500: said no" in ran.err, ran)
    with Sink(delay=60) as sink:
        started = time.monotonic()
        ran = done(w.run("sql", "-c", "INSERT INTO t VALUES (1)", OPENLINEAGE_URL=sink.url, OPENLINEAGE__TRANSPORT__TIMEOUT="0.5"))
        expect(time.monotonic() - started < 30, "a statement that does not wait for its server")
        expect("lineage event" in ran.err, ran)
    ran = done(w.run("sql", "-c", "INSERT INTO t VALUES (1)", OPENLINEAGE_URL="http://127.0.0.1:1"))
    expect("lineage event" in ran.err, ran)
    expect_equal(w.value("SELECT count(*) FROM t"), 3)


if __name__ == "__main__":
    main()
