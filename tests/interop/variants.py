"""Variants that we and Spark write by turns: both find the same values after each step, at every depth.

Engines have no common type for them, so both are asked for the JSON of each.
"""
import json

from dwpeers import product
from shared_life import broken_rules

COLUMNS = "id BIGINT, v VARIANT, s STRUCT<n: INT, v: VARIANT>, l ARRAY<VARIANT>, m MAP<STRING, VARIANT>"

FEATURES = {
    "nothing": {},
    "deletion vectors": {"delta.enableDeletionVectors": "true"},
    "change data feed": {"delta.enableChangeDataFeed": "true", "delta.enableDeletionVectors": "false"},
    "mapping by name": {"delta.columnMapping.mode": "name"},
    "mapping by id, shredded": {"delta.columnMapping.mode": "id", "delta.enableVariantShredding": "true"},
}

# What we write, and the JSON that Spark is to make of it.
VALUES = [
    ("1::TINYINT", "1"), ("300::SMALLINT", "300"), ("70000", "70000"), ("5000000000", "5000000000"),
    ("1::UBIGINT", "1"), ("(-5)::HUGEINT", "-5"), ("1.5::FLOAT", "1.5"), ("0.1::DOUBLE", "0.1"),
    ("'nan'::DOUBLE", '"NaN"'), ("'-inf'::DOUBLE", '"-Infinity"'), ("1.25::DECIMAL(9,2)", "1.25"),
    ("12345678901234567890.12345::DECIMAL(38,5)", "12345678901234567890.12345"), ("true", "true"),
    ("DATE '2024-02-29'", '"2024-02-29"'), ("TIMESTAMP '2024-02-29 10:00:00.123456'", '"2024-02-29 10:00:00.123456"'),
    ("TIMESTAMPTZ '2024-02-29 10:00:00+00'", '"2024-02-29 10:00:00+00:00"'), ("''", '""'), ("'text'", '"text"'),
    ("repeat('x', 1000)", '"' + "x" * 1000 + '"'), ("'ab'::BLOB", '"YWI="'),
    ("uuid '00112233-4455-6677-8899-aabbccddeeff'", '"00112233-4455-6677-8899-aabbccddeeff"'),
    ("[]", "[]"), ("[1, NULL, 3]", "[1,null,3]"), ("{'b': [{'z': 1, 'a': 2}], 'a': NULL}", '{"a":null,"b":[{"a":2,"z":1}]}'),
    ("parse_json('{\"b\": 1.50, \"a\": [1e3, \"x\"], \"\": {}}')", '{"":{},"a":[1000.0,"x"],"b":1.5}'),
    ("parse_json('null')", "null"),
]


def our_rows(first, count):
    return ("SELECT id, CASE WHEN id % 7 = 0 THEN NULL WHEN id % 9 = 0 THEN parse_json('null')"
            " ELSE {'b': id, 'a': 'x' || id}::VARIANT END,"
            " CASE WHEN id % 5 = 0 THEN NULL ELSE {'n': id::INT, 'v': [id]::VARIANT} END,"
            " [id::VARIANT, NULL, 'two'::VARIANT], MAP {'k': parse_json('{\"q\": [null, 2.5]}'), 'n': NULL}"
            f" FROM range({first}, {first + count}) r(id)")


def their_rows(first, count):
    text = "parse_json(concat('{\"b\": ', id, ', \"a\": \"s\", \"c\": [', id, ', null]}'))"
    return (f"SELECT id, IF(id % 9 = 0, parse_json('null'), {text}),"
            " named_struct('n', CAST(id AS INT), 'v', CAST(id AS VARIANT)),"
            f" array({text}, CAST(NULL AS VARIANT)), map('k', {text}) FROM range({first}, {first + count})")


def steps(name):
    return [
        ("us", f"INSERT INTO {name} {our_rows(0, 100)}"),
        ("spark", f"INSERT INTO {name} {their_rows(100, 50)}"),
        ("us", f"UPDATE {name} SET v = parse_json('[1, {{\"z\": null}}]'), s.v = 'ours'::VARIANT WHERE id % 20 = 3"),
        ("spark", f"UPDATE {name} SET v = parse_json('{{\"spark\": 1}}') WHERE id % 20 = 4"),
        ("us", f"DELETE FROM {name} WHERE id % 10 = 6"),
        ("spark", f"DELETE FROM {name} WHERE id % 10 = 8"),
        ("us", f"UPDATE {name} SET id = id + 1000 WHERE id > 140"),
        ("spark", f"MERGE INTO {name} t USING (SELECT id FROM range(90, 110)) s ON t.id = s.id"
                  " WHEN MATCHED THEN UPDATE SET v = CAST(s.id AS VARIANT)"),
        ("spark", f"OPTIMIZE {name}"),
        ("us", f"INSERT INTO {name} {our_rows(200, 10)}"),
    ]


def parsed(text):
    """NULL is not JSON's null."""
    return None if text is None else [json.loads(text)]


def rows_of_spark(name):
    from dwpeers import spark

    found = spark.session().sql(
        "SELECT id, to_json(v), s.n, to_json(s.v), transform(l, x -> to_json(x)),"
        f" transform_values(m, (k, x) -> to_json(x)) FROM {name} ORDER BY id").collect()
    return [[i, parsed(v), n, parsed(w), l and [parsed(x) for x in l], m and {k: parsed(x) for k, x in m.items()}]
            for i, v, n, w, l, m in found]


def rows_of_ours(name):
    lines = product.run("sql", "--format", "ndjson", "-c",
                        f"SELECT id, v, s.n AS n, s.v AS w, l, map_keys(m) AS k, map_values(m) AS x FROM {name} ORDER BY id")
    rows = [json.loads(line) for line in lines.splitlines()]
    return [[r["id"], parsed(r["v"]), r["n"], parsed(r["w"]), r["l"] and [parsed(x) for x in r["l"]],
             r["k"] and dict(zip(r["k"], [parsed(x) for x in r["x"]]))] for r in rows]


def difference(name):
    spark, ours = rows_of_spark(name), rows_of_ours(name)
    if len(spark) != len(ours):
        return f"Spark finds {len(spark)} rows, we {len(ours)}"
    return next((f"Spark finds {a}, we {b}" for a, b in zip(spark, ours) if a != b), None)


def lives(path, feature):
    from dwpeers import spark

    name = product.table_sql(path)
    properties = ", ".join(f"'{k}' = '{v}'" for k, v in FEATURES[feature].items())
    tail = f" TBLPROPERTIES ({properties})" if properties else ""
    product.sql(f"CREATE TABLE {name} ({COLUMNS}) USING DELTA{tail}")
    for who, statement in steps(name):
        try:
            product.sql(statement) if who == "us" else spark.session().sql(statement).collect()
        except Exception as e:
            return f"{who}: {statement[:60]}: {' '.join(str(e).split())[:400]}"
        problem = difference(name)
        if problem:
            return f"after {who}: {statement[:60]}: {problem[:400]}"
    return broken_rules(path)


def values(path):
    """Every type, also by readers that want exactly two required columns, and by rows instead of vectors."""
    from dwpeers import spark

    name = product.table_sql(path)
    product.sql(f"CREATE TABLE {name} (id INT, v VARIANT)")
    product.sql(f"INSERT INTO {name} " + " UNION ALL ".join(
        f"SELECT {i}, ({value})::VARIANT" for i, (value, _) in enumerate(VALUES)))
    session = spark.session()
    for key, value in (("spark.sql.variant.allowReadingShredded", "true"),
                       ("spark.sql.variant.allowReadingShredded", "false"),
                       ("spark.sql.parquet.enableVectorizedReader", "false")):
        session.conf.set(key, value)
        found = [row[0] for row in session.sql(f"SELECT to_json(v) FROM {name} ORDER BY id").collect()]
        session.conf.unset(key)
        for (value, wanted), text in zip(VALUES, found):
            if text != wanted:
                return f"{value}: expected {wanted}, Spark finds {text}"
    return None


DOCUMENTS = [
    "{}", '{"a":1}', '{"a":null,"b":"x"}', '{"a":"text","b":[]}', '{"A":1,"a":2,"rare":{"z":[1,{"y":null}]}}',
    '{"a":3,"b":"y","c":{"d":1.25,"e":[true,null,false]},"l":[{"p":1,"q":"r"},{"p":null},{}]}',
    '{"a":4,"c":{"d":2,"e":[1]},"l":[7,[],{"p":"s"}],"ll":[[1,2],[],[null]]}', '{"c":{"d":-3.5},"l":[],"ll":[[3]]}',
    "null", "[1]", '{"a":5,"b":"' + "x" * 64 + '"}',
]


def unfolded(text):
    """A variant that the engine does not make beforehand: its constants have no keys that differ in case alone."""
    return f"parse_json('{text}' || if(random() < 0, ' ', ''))"


def shredded(path):
    """Columns that each hold one type and nulls, and one of documents, shredded by us."""
    from dwpeers import spark

    name = product.table_sql(path)
    columns = ", ".join(f"v{i} VARIANT" for i in range(len(VALUES)))
    product.sql(f"CREATE TABLE {name} (id INT, {columns}, s STRUCT<d: VARIANT>) "
                "TBLPROPERTIES ('delta.enableVariantShredding' = 'true')")
    single = ", ".join(f"({value})::VARIANT" for value, _ in VALUES)
    nulls = [", ".join([value] * len(VALUES)) for value in ("NULL::VARIANT", "parse_json('null')")]
    rows = [f"SELECT {i}, {[single, *nulls][i % 3]}, {{'d': {unfolded(text)}}}"
            for i, text in enumerate(d for d in DOCUMENTS if d != "[1]")]
    rows.append(f"SELECT {len(rows)}, {nulls[0]}, NULL")
    product.sql(f"INSERT INTO {name} " + " UNION ALL ".join(rows))
    values = ", ".join(f"to_json(v{i})" for i in range(len(VALUES)))
    for key, value in (("spark.sql.parquet.enableVectorizedReader", "true"),
                       ("spark.sql.parquet.enableVectorizedReader", "false")):
        session = spark.session()
        session.conf.set(key, value)
        found = session.sql(f"SELECT id, {values}, to_json(s.d) FROM {name} ORDER BY id").collect()
        session.conf.unset(key)
        for i, *texts, document in found[:-1]:
            for (expression, wanted), text in zip(VALUES, texts):
                wanted = [wanted, None, "null"][i % 3]
                if text != wanted:
                    return f"{expression} in row {i}: expected {wanted}, Spark finds {text}"
            wanted = [d for d in DOCUMENTS if d != "[1]"][i]
            if json.loads(document) != json.loads(wanted):
                return f"row {i}: expected {wanted}, Spark finds {document}"
        if any(value is not None for value in found[-1][1:]):
            return f"expected a row of NULLs, Spark finds {found[-1]}"
    return None


def mixed(path):
    """What is not of the type that was chosen stays beside it, where Spark finds it."""
    from dwpeers import spark

    name = product.table_sql(path)
    product.sql(f"CREATE TABLE {name} (id INT, v VARIANT) TBLPROPERTIES ('delta.enableVariantShredding' = 'true')")
    documents = " ".join(f"WHEN {i} THEN {unfolded(text)}" for i, text in enumerate(DOCUMENTS))
    product.sql(f"INSERT INTO {name} SELECT id, CASE WHEN id < 5000 THEN parse_json('{{\"a\": ' || id || ', \"b\": \"x\"}}')"
                f" ELSE CASE id % {len(DOCUMENTS) + 1} {documents} END END FROM range(6000) r(id)")
    found = spark.session().sql(f"SELECT id, to_json(v) FROM {name} ORDER BY id").collect()
    for i, text in found:
        at = i % (len(DOCUMENTS) + 1)
        wanted = (f'{{"a":{i},"b":"x"}}' if i < 5000 else DOCUMENTS[at] if at < len(DOCUMENTS) else None)
        if parsed(text) != parsed(wanted):
            return f"row {i}: expected {wanted}, Spark finds {text}"
    total = spark.session().sql(f"SELECT sum(variant_get(v, '$.a', 'int')) FROM {name} WHERE id < 5000").collect()[0][0]
    return None if total == 5000 * 4999 // 2 else f"Spark finds the sum {total}"


def keys(path):
    """Objects of many keys, which readers look up by halves."""
    from dwpeers import spark

    name = product.table_sql(path)
    numbers = {f"k{i * 7919 % 500}": i for i in range(400)}
    product.sql(f"CREATE TABLE {name} (v VARIANT)")
    product.sql(f"INSERT INTO {name} SELECT '{json.dumps(numbers)}'::JSON::VARIANT")
    found = spark.session().sql("SELECT " + ", ".join(f"variant_get(v, '$.{k}', 'int')" for k in numbers)
                                + f" FROM {name}").collect()[0]
    return None if list(found) == list(numbers.values()) else f"Spark finds {found}"


def run_all(run):
    if "spark" not in run.engines:
        return
    run.check("variants/values", values, run.path("variants/values"))
    run.check("variants/keys", keys, run.path("variants/keys"))
    run.check("variants/shredded values", shredded, run.path("variants/shredded_values"))
    run.check("variants/shredded and others", mixed, run.path("variants/shredded_and_others"))
    for feature in FEATURES:
        asked = f"variants/{feature}"
        run.check(asked, lives, run.path(asked), feature)
