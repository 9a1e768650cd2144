"""Where the rows of a commit come from: what is recorded of each write, and what is shown of it."""
import json
import os
import shutil
from xml.etree import ElementTree

from harness import expect, expect_equal, main, test


def done(ran):
    expect_equal(ran.status, 0)
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
    return sorted({f"{names[i]}.{name}" for i, name in statement.get("conditions", [])})


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
    expect_equal(conditions(w, "sums"), ["orders.buyer", "orders.day"])
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
    expect_equal(found["namespace"], "shop")
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


if __name__ == "__main__":
    main()
