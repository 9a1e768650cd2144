"""The same queries on our Delta tables and on plain DuckDB tables must give the same rows.

TPC-H as DuckDB's extension spells it, and queries that read a table several times, at several
versions, or beside files. Every table has several files and versions, some are partitioned, so the
planner has files to skip in each of its occurrences.
"""
import os
import re

import ours
from dwpeers import product, readers, rows

SCALE = 0.01
# The tables, by what each is partitioned and along which column it is cut into commits.
TABLES = {
    "customer": (["c_mktsegment"], "c_custkey"),
    "lineitem": ([], "l_orderkey"),
    "nation": ([], "n_nationkey"),
    "orders": (["o_orderstatus", "o_orderpriority"], "o_orderkey"),
    "part": (["p_mfgr"], "p_partkey"),
    "partsupp": ([], "ps_partkey"),
    "region": ([], "r_regionkey"),
    "supplier": ([], "s_suppkey"),
}
COMMITS = 4

# {name} is the table at its newest version, {name@1} at version 1; {csv}, {json}, {parquet} are files.
QUERIES = {
    "self join": "SELECT count(*), sum(a.o_totalprice) FROM {orders} a JOIN {orders} b"
    " ON a.o_orderkey = b.o_orderkey WHERE a.o_orderstatus = 'F' AND b.o_orderkey < 1000",
    "two predicates on one table": "SELECT (SELECT count(*) FROM {orders} WHERE o_orderkey < 500),"
    " (SELECT count(*) FROM {orders} WHERE o_orderkey >= 500 AND o_orderstatus <> 'F')",
    "two versions": "SELECT a.o_orderkey FROM {orders} a LEFT JOIN {orders@1} b USING (o_orderkey)"
    " WHERE b.o_orderkey IS NULL AND a.o_orderpriority = '1-URGENT'",
    "every version at once": "SELECT 1 AS v, count(*) AS n FROM {lineitem@1} UNION ALL"
    " SELECT 2, count(*) FROM {lineitem@2} UNION ALL SELECT 3, count(*) FROM {lineitem@3}",
    "common table expression used twice": "WITH f AS (SELECT * FROM {lineitem} WHERE l_orderkey < 3000)"
    " SELECT count(*), (SELECT max(l_extendedprice) FROM f WHERE l_quantity > 40) FROM f"
    " WHERE l_discount = 0.05",
    "recursive": "WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n * 2 FROM k WHERE n < 10000)"
    " SELECT o_orderkey, o_totalprice FROM {orders} JOIN k ON o_orderkey = n",
    "correlated subquery": "SELECT c_custkey FROM {customer} c WHERE c_mktsegment = 'BUILDING' AND"
    " EXISTS (SELECT 1 FROM {orders} o WHERE o.o_custkey = c.c_custkey AND o.o_totalprice > 300000)",
    "not exists": "SELECT count(*) FROM {customer} c WHERE NOT EXISTS"
    " (SELECT 1 FROM {orders} o WHERE o.o_custkey = c.c_custkey)",
    "not in": "SELECT s_suppkey FROM {supplier} WHERE s_suppkey NOT IN"
    " (SELECT l_suppkey FROM {lineitem} WHERE l_shipmode = 'AIR' AND l_orderkey < 100)",
    "lateral": "SELECT c_custkey, t.o_orderkey FROM {customer} c, LATERAL (SELECT o_orderkey FROM"
    " {orders} o WHERE o.o_custkey = c.c_custkey ORDER BY o_totalprice DESC, o_orderkey LIMIT 2) t"
    " WHERE c_custkey < 50",
    "window": "SELECT o_orderkey, row_number() OVER (PARTITION BY o_orderstatus ORDER BY o_orderkey)"
    " AS r FROM {orders} WHERE o_orderstatus IN ('P', 'O') QUALIFY r <= 3",
    "outer joins": "SELECT n_name, count(s_suppkey) FROM {nation} LEFT JOIN {supplier}"
    " ON s_nationkey = n_nationkey AND s_acctbal > 5000 GROUP BY ALL",
    "filter on the null side": "SELECT count(*) FROM {orders} o LEFT JOIN {lineitem} l"
    " ON l_orderkey = o_orderkey AND l_quantity > 49 WHERE l.l_orderkey IS NULL",
    "full join": "SELECT count(*), count(a.o_orderkey), count(b.o_orderkey) FROM"
    " (SELECT * FROM {orders} WHERE o_orderkey < 40000) a FULL JOIN"
    " (SELECT * FROM {orders} WHERE o_orderkey > 20000) b USING (o_orderkey)",
    "set operations": "SELECT o_custkey FROM {orders} WHERE o_orderkey < 2000 INTERSECT"
    " SELECT c_custkey FROM {customer} WHERE c_mktsegment <> 'MACHINERY' EXCEPT"
    " SELECT o_custkey FROM {orders@1} WHERE o_orderstatus = 'F'",
    "grouping sets": "SELECT o_orderstatus, o_orderpriority, count(*) FROM {orders}"
    " WHERE o_orderdate >= DATE '1996-01-01' GROUP BY CUBE (o_orderstatus, o_orderpriority)",
    "pivot": "SELECT * FROM (PIVOT (SELECT o_orderstatus, o_orderpriority, o_orderkey FROM {orders})"
    " ON o_orderstatus IN ('F', 'O', 'P') USING count(o_orderkey))",
    "join with csv": "SELECT count(*), sum(o_totalprice) FROM {orders} JOIN {csv} USING (o_orderkey)",
    "join with json": "SELECT count(*), sum(o_totalprice) FROM {orders} JOIN {json} USING (o_orderkey)",
    "join with parquet": "SELECT o_orderkey, f.tag FROM {orders} JOIN {parquet} f USING (o_orderkey)",
    "in a list from a file": "SELECT o_orderkey FROM {orders}"
    " WHERE o_orderkey IN (SELECT o_orderkey FROM {parquet}) AND o_orderstatus = 'O'",
    "dates": "SELECT count(*) FROM {lineitem} WHERE l_shipdate BETWEEN DATE '1994-01-01'"
    " AND DATE '1994-01-01' + INTERVAL 30 DAY AND year(l_commitdate) = 1994",
    "expressions on both sides": "SELECT count(*) FROM {lineitem} WHERE l_orderkey + 1 < 100"
    " AND l_commitdate < l_receiptdate AND upper(l_shipmode) = 'RAIL'",
    "case and coalesce": "SELECT sum(CASE WHEN o_orderstatus = 'F' THEN 1 ELSE 0 END) FROM {orders}"
    " WHERE coalesce(o_orderstatus, 'x') IN ('F', 'P')",
    "nothing left": "SELECT * FROM {orders} WHERE o_orderstatus = 'X'",
    "aggregates of nothing": "SELECT count(*), min(o_orderkey), sum(o_totalprice) FROM {orders}"
    " WHERE o_orderkey < 0",
    "aggregates from statistics": "SELECT count(*), min(l_orderkey), max(l_shipdate),"
    " min(l_commitdate), count(l_comment) FROM {lineitem}",
    "aggregates of partitions": "SELECT count(*), min(o_orderstatus), max(o_orderpriority) FROM {orders}",
    "partition columns only": "SELECT DISTINCT o_orderstatus, o_orderpriority FROM {orders}",
    "limit": "SELECT count(*) FROM (SELECT * FROM {lineitem} LIMIT 100)",
    "sample of columns by pattern": "SELECT count(COLUMNS('o_order.*')) FROM {orders}",
    "star with changes": "SELECT * EXCLUDE (o_comment) REPLACE (o_orderkey + 1 AS o_orderkey)"
    " FROM {orders} WHERE o_orderkey < 10",
    "a string that looks like a table": "SELECT 'delta.`/nowhere`' AS a, count(*) FROM {nation}"
    " -- FROM delta.`/nowhere` VERSION AS OF 9",
}


def tpch():
    """DuckDB with the tables of TPC-H, cut into COMMITS parts each by a view per version."""
    con = readers.duckdb_connection("tpch")
    con.execute(f"CALL dbgen(sf = {SCALE})")
    for name, (_, key) in TABLES.items():
        for version in range(1, COMMITS + 1):
            # The part of a row follows from the rank of its key, so parts are ranges of keys.
            con.execute(
                f"CREATE TABLE {name}_{version} AS SELECT * EXCLUDE (part) FROM (SELECT *,"
                f" ntile({COMMITS}) OVER (ORDER BY {key}) AS part FROM {name}) WHERE part <= {version}"
            )
    return con


def write_tables(run, con):
    """Each part is one commit: version 1 has the first part, version COMMITS has them all."""
    paths = {}
    for name, (partition_by, _) in TABLES.items():
        path = run.path(f"queries/{name}")
        for version in range(1, COMMITS + 1):
            older = f"EXCEPT ALL SELECT * FROM {name}_{version - 1}" if version > 1 else ""
            part = con.execute(f"SELECT * FROM {name}_{version} {older}").to_arrow_table()
            if version == 1:
                ours.create(path, part.schema, partition_by)
            ours.insert(path, part)
        paths[name] = path
    return paths


def write_files(run, con):
    folder = run.path("queries/files")
    os.makedirs(folder)
    query = "SELECT o_orderkey, 'tag ' || o_orderkey AS tag FROM orders WHERE o_orderkey % 97 = 1"
    found = {}
    for kind, reader in (("csv", "read_csv"), ("json", "read_json"), ("parquet", "read_parquet")):
        file = f"{folder}/keys.{kind}"
        con.execute(f"COPY ({query}) TO '{file}' (FORMAT {kind}{', HEADER' if kind == 'csv' else ''})")
        found[kind] = f"{reader}('{file}')"
    return found


def spell(query, paths, files, travel):
    """The query for us; `travel` says how a version is spelt."""

    def place(match):
        name, _, version = match.group(1).partition("@")
        if name in files:
            return files[name]
        return product.table_sql(paths[name]) + (travel.format(v=version) if version else "")

    return re.sub(r"\{([a-z]+(?:@\d)?)\}", place, query)


def spell_plain(query, files):
    def place(match):
        name, _, version = match.group(1).partition("@")
        return files[name] if name in files else name + (f"_{version}" if version else "")

    return re.sub(r"\{([a-z]+(?:@\d)?)\}", place, query)


def same(con, plain, query):
    expected = con.execute(plain).to_arrow_table()
    found = product.query(query)
    if len(set(expected.column_names)) == len(expected.column_names):
        # A column that a query does not name has the text of its expression for a name.
        found = found.rename_columns(expected.column_names)
    return rows.difference(expected, found)


def tpch_queries(con):
    """TPC-H with {name} for each table behind FROM or a comma."""
    for number, text in con.execute("SELECT query_nr, query FROM tpch_queries()").fetchall():
        name = re.compile(rf"(?<=[\s,])(?<!AS )({'|'.join(TABLES)})(?=[\s,;)]|$)")
        parts = re.split(r"\b(FROM\b.*?(?=\bWHERE\b|\bGROUP\b|\bORDER\b|;|$))", text, flags=re.S)
        parts[1::2] = [name.sub(r"{\1}", part) for part in parts[1::2]]
        yield number, "".join(parts).strip().rstrip(";")


def run_all(run):
    wanted = [f"queries/{n}" for n in QUERIES] + [f"queries/TPC-H {n}" for n in range(1, 23)]
    if not any(run.wants(w) for w in wanted):
        return
    con = tpch()
    try:
        paths, files = write_tables(run, con), write_files(run, con)
    except Exception as e:
        run.check("queries/tables written", lambda e=e: " ".join(str(e).split())[:900])
        return
    for number, text in tpch_queries(con):
        plain, query = spell_plain(text, files), spell(text, paths, files, "")
        run.check(f"queries/TPC-H {number}", same, con, plain, query)
    for name, text in QUERIES.items():
        plain, query = spell_plain(text, files), spell(text, paths, files, " VERSION AS OF {v}")
        run.check(f"queries/{name}", same, con, plain, query)
        if "@" in text:
            query = spell(text, paths, files, " AT (VERSION => {v})")
            run.check(f"queries/{name}, AT (VERSION => ...)", same, con, plain, query)

