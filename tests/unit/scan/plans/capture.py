#!/usr/bin/env python3
"""Captures plans of real statements for plan_test.c: plans.ndjson, one JSON object a line.

Needs the Python package duckdb of the version in third_party/LOCK; run it again when that changes,
and look at what changed in the plans. What a plan must come out as stands below, by stub.
"""

import json
import os

import duckdb

KEPT = {"expression_rewriter", "filter_pullup", "filter_pushdown", "regex_range", "in_clause",
        "cte_filter_pusher"}

# The same columns as the schema in plan_test.c.
STUB = """(id BIGINT, k INTEGER, v DOUBLE, f FLOAT, s VARCHAR, d DATE, ts TIMESTAMP WITH TIME ZONE,
    tn TIMESTAMP, b BOOLEAN, n DECIMAL(12,2), st STRUCT(a INTEGER, b STRUCT(c VARCHAR)), bin BLOB)"""

CASES = [
    ("SELECT k FROM t WHERE id >= 50 AND id < 60", {"t": "id >= 50 AND id < 60"}),
    ("SELECT k FROM t", {"t": "..."}),
    ("SELECT 1 FROM t WHERE 7 > k", {"t": "k < 7"}),
    ("SELECT 1 FROM t WHERE k + 1 > 5", {"t": "k > 4"}),
    ("SELECT 1 FROM t WHERE k IN (1, 7, 30)",
     {"t": "(k = 1 OR k = 7 OR k = 30) AND k IN (1, 7, 30)"}),
    ("SELECT 1 FROM t WHERE k IN (" + ", ".join(str(i * i) for i in range(14, 0, -1)) + ")",
     {"t": "k IN (" + ", ".join(str(i * i) for i in range(1, 15)) + ")"}),
    ("SELECT 1 FROM t WHERE k NOT IN (3, 9)", {"t": "NOT k IN (3, 9)"}),
    ("SELECT 1 FROM t WHERE k IN (1, 2, 3)", {"t": "k >= 1 AND k <= 3"}),
    ("SELECT 1 FROM t WHERE s IN ('a', NULL) OR k IN (1, NULL)",
     {"t": "(s = 'a' OR NULL) OR (k = 1 OR NULL)"}),
    ("SELECT 1 FROM t WHERE k = 1 OR id = 2", {"t": "k = 1 OR id = 2"}),
    ("SELECT 1 FROM t WHERE k = 1 OR length(s) = 2", {"t": "..."}),
    ("SELECT 1 FROM t WHERE k = 1 AND length(s) = 2", {"t": "k = 1"}),
    ("SELECT 1 FROM t WHERE NOT (k > 3 OR id < 2)", {"t": "NOT (k > 3 OR id < 2)"}),
    ("SELECT 1 FROM t WHERE NOT (k > 3 AND length(s) < 2)", {"t": "NOT (k > 3 AND ...)"}),
    ("SELECT 1 FROM t WHERE k IS NOT NULL AND s IS NULL", {"t": "k IS NOT NULL AND s IS NULL"}),
    ("SELECT 1 FROM t WHERE b AND NOT (b IS DISTINCT FROM true)",
     {"t": "b = true AND b IS NOT DISTINCT FROM true"}),
    ("SELECT 1 FROM t WHERE NOT b", {"t": "NOT b = true"}),
    ("SELECT 1 FROM t WHERE k IS DISTINCT FROM 3 AND s IS NOT DISTINCT FROM 'x'",
     {"t": "k IS DISTINCT FROM 3 AND s IS NOT DISTINCT FROM 'x'"}),
    ("SELECT 1 FROM t WHERE s LIKE 'ab%'", {"t": "s >= 'ab' AND s < 'ac'"}),
    ("SELECT 1 FROM t WHERE s LIKE 'a_b%'", {"t": "s >= 'a' AND s < 'b'"}),
    ("SELECT 1 FROM t WHERE s LIKE '%b'", {"t": "..."}),
    ("SELECT 1 FROM t WHERE s = 'it''s \"é\"'", {"t": "s = 'it''s \"é\"'"}),
    ("SELECT 1 FROM t WHERE st.a > 3 AND st.b.c IN ('x', 'y')",
     {"t": "st.a > 3 AND st.b.c IN ('x', 'y')"}),
    ("SELECT 1 FROM t WHERE st.b.c = 'x' OR st.a IS NULL", {"t": "st.b.c = 'x' OR st.a IS NULL"}),
    ("SELECT 1 FROM t WHERE st IS NULL", {"t": "..."}),
    ("SELECT 1 FROM t WHERE n > 5.3", {"t": "n > 5.30"}),
    ("SELECT 1 FROM t WHERE n > 5.333", {"t": "n > 5.333"}),
    ("SELECT 1 FROM t WHERE CAST(n AS DECIMAL(38,4)) < -12345678901234567890.1234",
     {"t": "n < -12345678901234567890.1234"}),
    ("SELECT 1 FROM t WHERE CAST(n AS DECIMAL(12,1)) > 5", {"t": "..."}),
    ("SELECT 1 FROM t WHERE n > 2.5::DOUBLE AND id > 1e3", {"t": "id > 1000 AND n > 2.5"}),
    ("SELECT 1 FROM t WHERE id > 99999999999999999999", {"t": "id > 99999999999999999999"}),
    ("SELECT 1 FROM t WHERE v > 1e3 AND f < 2.5", {"t": "v > 1000 AND f < 2.5"}),
    ("SELECT 1 FROM t WHERE f = 2.5::DOUBLE", {"t": "f = 2.5"}),
    ("SELECT 1 FROM t WHERE v = 'nan'::DOUBLE", {"t": "..."}),
    ("SELECT 1 FROM t WHERE k::VARCHAR = '5'", {"t": "..."}),
    ("SELECT 1 FROM t WHERE d >= DATE '2024-01-01' AND year(d) = 2024", {"t": "d >= '2024-01-01'"}),
    ("SELECT 1 FROM t WHERE date_trunc('month', d) = DATE '2024-03-01'",
     {"t": "d >= '2024-03-01' AND d < '2024-04-01'"}),
    ("SELECT 1 FROM t WHERE ts > '2024-01-01 00:00:00+00' AND tn < TIMESTAMP '2024-05-05 12:00:00.5'",
     {"t": "ts > '2024-01-01 00:00:00Z' AND tn < '2024-05-05 12:00:00.500'"}),
    ("SELECT 1 FROM t WHERE d > TIMESTAMP '2024-01-01 12:00:00'", {"t": "d > '2024-01-01 12:00:00'"}),
    ("SELECT 1 FROM t WHERE tn::DATE = DATE '2024-01-01' AND ts::DATE = DATE '2024-01-01'",
     {"t": "ts = '2024-01-01' AND tn >= '2024-01-01 00:00:00' AND tn < '2024-01-02 00:00:00'"}),
    ("SELECT 1 FROM t WHERE ts > tn", {"t": "..."}),
    ("SELECT 1 FROM t WHERE bin = '\\x00a\\x5C'::BLOB", {"t": "bin = '\\x00\\x61\\x5C'"}),
    ("SELECT 1 FROM t WHERE CASE WHEN k = 3 THEN true ELSE false END", {"t": "..."}),
    ("SELECT 1 FROM t WHERE (k, id) = (3, 4)", {"t": "..."}),
    # Several occurrences, each with a stub of its own.
    ("SELECT 1 FROM t JOIN u ON t.id = u.id WHERE t.k = 3 AND u.id > 4",
     {"t": "id > 4 AND k = 3", "u": "id > 4"}),
    ("SELECT 1 FROM t LEFT JOIN u ON t.id = u.id AND u.k > 3 AND t.k > 2", {"t": "...", "u": "k > 3"}),
    ("SELECT 1 FROM t LEFT JOIN u ON t.id = u.id WHERE u.k IS NULL", {"t": "...", "u": "..."}),
    ("SELECT 1 FROM t WHERE k = 7 AND id IN (SELECT id FROM u WHERE k = 8)",
     {"t": "k = 7", "u": "k = 8"}),
    ("SELECT 1 FROM t WHERE k = 3 OR EXISTS (SELECT 1 FROM u WHERE u.id = t.id AND u.k = 5)",
     {"t": "...", "u": "k = 5"}),
    ("SELECT (SELECT max(k) FROM u WHERE u.id = t.id AND u.k > 3) FROM t WHERE id = 4",
     {"t": "id = 4", "u": "k > 3"}),
    # One occurrence that the statement reads twice.
    ("WITH c AS NOT MATERIALIZED (SELECT * FROM t) "
     "SELECT 1 FROM c x JOIN c y USING (id) WHERE x.k = 1 AND y.k = 2",
     {"t": "(k = 1 OR k = 2) AND (k = 1 OR k = 2)"}),
    ("WITH c AS MATERIALIZED (SELECT * FROM t WHERE s = 'x') "
     "SELECT 1 FROM c x JOIN c y USING (id) WHERE x.k = 1 AND y.k = 2",
     {"t": "(k = 1 OR k = 2) AND s = 'x'"}),
    # One that the plan has twice.
    ("SELECT * FROM t WHERE k = 3 AND id > 4 UNION ALL SELECT * FROM t WHERE k = 5",
     {"t": "k = 5 OR (id > 4 AND k = 3)"}),
    # What may not be looked through.
    ("SELECT 1 FROM (SELECT * FROM t LIMIT 10) WHERE k = 3", {"t": "..."}),
    ("SELECT 1 FROM (SELECT k, max(id) AS m FROM t GROUP BY k) WHERE k = 3 AND m > 5", {"t": "k = 3"}),
    ("SELECT 1 FROM (SELECT k, id, row_number() OVER (PARTITION BY k) AS r FROM t) "
     "WHERE k = 3 AND id = 4 AND r = 1", {"t": "k = 3"}),
    ("SELECT 1 FROM (SELECT id AS x, k + 1 AS y FROM t) WHERE x = 4 AND y = 5",
     {"t": "id = 4"}),
    ("SELECT * FROM t WHERE k = 3 UNION ALL SELECT * FROM u WHERE k = 5", {"t": "k = 3", "u": "k = 5"}),
    ("SELECT 1 FROM t WHERE false", {"t": "..."}),
    ("SELECT 1 FROM t WHERE 3 < k AND 5 >= id AND k < 2", {"t": "..."}),
    ("PIVOT t ON k USING sum(v)", {"t": "..."}),
    ("SELECT 1 FROM no_such_table", {"t": "..."}),
]


def main():
    connection = duckdb.connect()
    optimizers = [row[0] for row in connection.execute("SELECT name FROM duckdb_optimizers()").fetchall()]
    disabled = ",".join(name for name in optimizers if name not in KEPT)
    connection.execute(f"SET disabled_optimizers = '{disabled}'")
    connection.execute("SET TimeZone = 'UTC'")
    for name in ("t", "u"):
        connection.execute(f"CREATE TABLE {name} {STUB}")
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "plans.ndjson")
    with open(path, "w", encoding="utf-8") as out:
        for sql, expected in CASES:
            literal = sql.replace("'", "''")
            plan, = connection.execute(
                f"SELECT json_serialize_plan('{literal}', optimize := true)").fetchone()
            line = {"sql": sql, "expected": expected}
            out.write(json.dumps(line, ensure_ascii=False)[:-1] + ', "plan": ' +
                      json.dumps(plan, ensure_ascii=False) + "}\n")


if __name__ == "__main__":
    main()
