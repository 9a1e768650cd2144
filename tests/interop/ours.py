"""Tables that our program writes, each in one of the ways a user has, for every engine to read."""
import functools
import glob
import os
import re

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import predicates
import values
from checks import Skip
from dwpeers import product, readers, rows

TABLES = {}

# What a peer cannot read in any table, whoever wrote it: (engine, table) -> reason.
PEER_LIMITS = {
    (engine, "percent_path"): "the kernel decodes percent signs of a path twice"
    for engine in ("delta-rs", "duckdb")
} | {
    (engine, "compacted_log"): "the kernel reads commits although they are compacted"
    for engine in ("delta-rs", "duckdb")
}


def table(function):
    TABLES[function.__name__] = function
    return function


def source(path, data):
    """The rows as a Parquet file beside the table, for our program to read from."""
    file = f"{path}.source{len(glob.glob(glob.escape(path) + '.source*'))}.parquet"
    pq.write_table(data, file)
    return file


def from_file(file):
    return "read_parquet('" + file.replace("'", "''") + "')"


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


DELTA_TYPES = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "STRING",
    pa.binary(): "BINARY",
    pa.date32(): "DATE",
    values.TIMESTAMP: "TIMESTAMP",
    values.TIMESTAMP_NTZ: "TIMESTAMP_NTZ",
}


def delta_type(t):
    """A type as CREATE TABLE spells it."""
    if pa.types.is_decimal(t):
        return f"DECIMAL({t.precision}, {t.scale})"
    if pa.types.is_map(t):
        return f"MAP<{delta_type(t.key_type)}, {delta_type(t.item_type)}>"
    if pa.types.is_list(t):
        return f"ARRAY<{delta_type(t.value_type)}>"
    if pa.types.is_struct(t):
        named = [f"`{f.name.replace('`', '``')}`: {delta_type(f.type)}" for f in t]
        return "STRUCT<" + ", ".join(named) + ">"
    return DELTA_TYPES[t]


def properties_sql(properties):
    if not properties:
        return ""
    return " TBLPROPERTIES (" + ", ".join(f"'{k}' = '{v}'" for k, v in properties.items()) + ")"


def create(path, schema, partition_by=(), **properties):
    columns = ", ".join(f"{quoted(f.name)} {delta_type(f.type)}" for f in schema)
    parts = f" PARTITIONED BY ({', '.join(map(quoted, partition_by))})" if partition_by else ""
    dotted = {k.replace("__", "."): v for k, v in properties.items()}
    statement = f"CREATE TABLE {product.table_sql(path)} ({columns}) USING DELTA{parts}"
    product.sql(statement + properties_sql(dotted))


def create_as(path, data, partition_by=()):
    parts = f" PARTITIONED BY ({', '.join(map(quoted, partition_by))})" if partition_by else ""
    query = f"SELECT * FROM {from_file(source(path, data))}"
    product.sql(f"CREATE TABLE {product.table_sql(path)} USING DELTA{parts} AS {query}")


def insert(path, data):
    query = f"SELECT * FROM {from_file(source(path, data))}"
    product.sql(f"INSERT INTO {product.table_sql(path)} {query}")


def load(path, data, *arguments):
    product.run("load", path, source(path, data), *arguments)


@table
def flat_types(path):
    """CREATE TABLE with every type, then INSERT."""
    data = values.flat()
    create(path, data.schema)
    insert(path, data)
    return {None: data}


@table
def nested_types(path):
    """CREATE TABLE with nested types, INSERT twice."""
    data = values.nested()
    create(path, data.schema)
    insert(path, data)
    insert(path, data)
    return {None: pa.concat_tables([data, data]), 1: data}


@table
def nested_types_as_select(path):
    data = values.nested()
    create_as(path, data)
    return {None: data}


@table
def decimals(path):
    data = values.decimals()
    load(path, data)
    return {None: data}


@table
def no_rows(path):
    data = values.flat().slice(0, 0)
    create(path, data.schema)
    return {None: data}


def partitioned_by(type_name):
    def write(path):
        data = values.partitioned(type_name)
        if type_name in ("string", "binary"):
            load(path, data, "--partition-by", "p")
        else:
            create_as(path, data, ["p"])
        return {None: data}

    return write


for _type in values.PARTITION_VALUES:
    TABLES[f"partitioned_by_{_type}"] = partitioned_by(_type)


def mapped(rows, mode, *partition_by, **more):
    """CREATE TABLE with column mapping, then INSERT twice."""

    def write(path):
        data = rows()
        create(path, data.schema, partition_by, delta__columnMapping__mode=mode, **more)
        insert(path, data)
        insert(path, data)
        return {None: pa.concat_tables([data, data]), 1: data}

    return write


for _mode in ("name", "id"):
    TABLES[f"mapped_flat_types_by_{_mode}"] = mapped(values.flat, _mode)
    TABLES[f"mapped_nested_types_by_{_mode}"] = mapped(values.nested, _mode)
    TABLES[f"mapped_odd_names_by_{_mode}"] = mapped(values.odd_names, _mode)
    TABLES[f"mapped_stats_columns_by_{_mode}"] = mapped(
        values.nested, _mode, delta__dataSkippingStatsColumns="st.y,id"
    )
TABLES["mapped_and_partitioned_by_odd_names"] = mapped(
    values.odd_names, "name", "per%cent", "a b,;{}()\n\t="
)
for _type in values.PARTITION_VALUES:
    _rows = functools.partial(values.partitioned, _type)
    TABLES[f"mapped_and_partitioned_by_{_type}"] = mapped(_rows, "name", "p")


def mapped_skipping(mode):
    def write(path):
        batches = [values.skipping(b) for b in range(6)]
        create(path, batches[0].schema, delta__columnMapping__mode=mode, delta__checkpointInterval=4)
        for batch in batches:
            insert(path, batch)
        return {None: pa.concat_tables(batches)}

    return write


for _mode in ("name", "id"):
    TABLES[f"mapped_skipping_by_{_mode}"] = mapped_skipping(_mode)


@table
def mapped_as_select_and_replaced(path):
    """Ids go on where the replaced table ended; the columns that stay keep theirs."""
    first, second = values.nested(), values.flat()
    name = product.table_sql(path)
    properties = properties_sql({"delta.columnMapping.mode": "name"})
    for data in (first, second):
        query = f"SELECT * FROM {from_file(source(path, data))}"
        product.sql(f"CREATE OR REPLACE TABLE {name} USING DELTA{properties} AS {query}")
    return {None: second, 0: first}


@table
def mapped_by_load(path):
    data = values.nested()
    load(path, data, "--property", "delta.columnMapping.mode=id")
    return {None: data}


@table
def mapped_and_deleted_from(path):
    data = values.skipping(0)
    create(path, data.schema, ["b"], delta__columnMapping__mode="name", delta__enableDeletionVectors="true")
    insert(path, data)
    product.sql(f"DELETE FROM {product.table_sql(path)} WHERE st.a < 10")
    keep = pc.fill_null(pc.greater_equal(pc.struct_field(data["st"], "a"), 10), True)
    return {None: data.filter(keep), 1: data}


# DuckDB's extension loses partition values of Spark's tables just so.
PEER_LIMITS.update(
    {
        ("duckdb", name): "it reads partition values as NULL where columns are mapped"
        for name in (
            *(n for n in TABLES if n.startswith("mapped_and_partitioned_by_")),
            "mapped_and_deleted_from",
            "materialized_partition_columns",
            "iceberg_v1",
        )
    }
)


@table
def partition_columns_in_files(path):
    data = values.partitioned("date")
    create(path, data.schema, ["p"], delta__writePartitionColumnsToParquet="true")
    insert(path, data)
    return {None: data}


@table
def materialized_partition_columns(path):
    data = values.partitioned("string")
    feature = {"delta__feature__materializePartitionColumns": "supported"}
    create(path, data.schema, ["p"], delta__columnMapping__mode="id", **feature)
    insert(path, data)
    return {None: data}


@table
def iceberg_v1(path):
    data = values.partitioned("integer")
    create(path, data.schema, ["p"], delta__enableIcebergCompatV1="true")
    insert(path, data)
    return {None: data}


@table
def iceberg_v2(path):
    data = values.nested()
    create(path, data.schema, ["id"], delta__enableIcebergCompatV2="true", delta__columnMapping__mode="id")
    insert(path, data)
    return {None: data}


@table
def partitioned_by_three(path):
    """Partition columns of three types that are not the last columns of the schema."""
    data = pa.table(
        {
            "d": pa.array([*values.DATES, None], pa.date32()),
            "id": pa.array(range(9), pa.int64()),
            "s": pa.array([*values.ODD_STRINGS[:8], None]),
            "n": pa.array([-1, 0, None, 1, -1, 0, None, 1, 5], pa.int32()),
            "v": pa.array([i / 3 for i in range(9)]),
        }
    )
    create(path, data.schema, ["s", "d", "n"])
    insert(path, data)
    return {None: data}


@table
def odd_column_names(path):
    names = ["id", "ünï", "select", "a-b", "per%cent", "x.y", "q'uote", "Ä", "#1", "back\\slash", "a/b"]
    data = pa.table({n: pa.array([i, None], pa.int64()) for i, n in enumerate(names)})
    create_as(path, data, ["per%cent", "ünï"])
    insert(path, data)
    return {None: pa.concat_tables([data, data])}


@table
def odd_path(path):
    """A path with characters that a URI must encode."""
    data = values.partitioned("string")
    create(path, data.schema, ["p"])
    insert(path, data)
    return {None: data}


@table
def percent_path(path):
    """A path that looks as if it were encoded."""
    data = values.partitioned("date")
    create(path, data.schema, ["p"])
    insert(path, data)
    return {None: data}


@table
def many_commits(path):
    """25 inserts: two automatic checkpoints on the way."""
    batches = [values.skipping(b) for b in range(25)]
    create(path, batches[0].schema)
    for batch in batches:
        insert(path, batch)
    expected = {v: pa.concat_tables(batches[:v]) for v in (1, 9, 10, 11, 20)}
    checkpoints = glob.glob(glob.escape(path) + "/_delta_log/*.checkpoint.parquet")
    if len(checkpoints) < 2:
        raise AssertionError(f"expected checkpoints at versions 10 and 20, found {checkpoints}")
    return {None: pa.concat_tables(batches), **expected}


def remove_commits_before(path, version):
    for name in os.listdir(f"{path}/_delta_log"):
        if re.fullmatch(r"\d{20}\.json", name) and int(name[:20]) < version:
            os.remove(f"{path}/_delta_log/{name}")


@table
def checkpoint_alone(path):
    """Our checkpoint must hold everything: the commits that it covers are deleted."""
    batches = [values.skipping(b) for b in range(6)]
    create(path, batches[0].schema, ["short", "d"], delta__checkpointInterval=100)
    for batch in batches:
        insert(path, batch)
    product.run("checkpoint", path)
    insert(path, values.skipping(6))
    remove_commits_before(path, 6)
    return {None: pa.concat_tables([*batches, values.skipping(6)]), 6: pa.concat_tables(batches)}


@table
def checkpoint_without_hint(path):
    """The same, and `_last_checkpoint` is gone too; tombstones are in the checkpoint."""
    batches = [values.skipping(b) for b in range(4)]
    create(path, batches[0].schema, delta__checkpointInterval=3)
    for batch in batches[:3]:
        insert(path, batch)
    query = f"SELECT * FROM {from_file(source(path, batches[3]))}"
    product.sql(f"INSERT OVERWRITE {product.table_sql(path)} {query}")
    product.run("checkpoint", path)
    remove_commits_before(path, 4)
    os.remove(f"{path}/_delta_log/_last_checkpoint")
    return {None: batches[3]}


@table
def checkpoint_in_sidecars(path):
    """A V2 checkpoint: the files in sidecars, the commits that it covers are deleted."""
    batches = [values.skipping(b) for b in range(7)]
    create(path, batches[0].schema, ["short", "d"],
           delta__checkpointPolicy="v2", delta__checkpointInterval=6)
    for batch in batches:
        insert(path, batch)
    if len(glob.glob(glob.escape(path) + "/_delta_log/_sidecars/*.parquet")) != 1:
        raise AssertionError("expected one sidecar")
    remove_commits_before(path, 6)
    return {None: pa.concat_tables(batches), 6: pa.concat_tables(batches[:6])}


@table
def compacted_log(path):
    """A log whose middle only the compacted commits tell: the commits themselves say nothing."""
    batches = [values.skipping(b) for b in range(7)]
    create(path, batches[0].schema, delta__checkpointInterval=100)
    for batch in batches:
        insert(path, batch)
    product.sql(f"DELETE FROM {product.table_sql(path)} WHERE id = {batches[0]['id'][0]};"
                f" COMPACT LOG {product.table_sql(path)} FROM 1 TO 8")
    insert(path, values.skipping(7))
    for version in range(1, 8):
        with open(f"{path}/_delta_log/{version:020d}.json", "w", encoding="utf-8") as file:
            file.write('{"commitInfo":{"timestamp":1700000000000,"operation":"WRITE"}}\n')
    data = pa.concat_tables([*batches, values.skipping(7)])
    return {None: data.filter(pc.not_equal(data["id"], batches[0]["id"][0]))}


def with_struct_statistics(path, *partition_by, **more):
    """A checkpoint whose statistics are structs alone, behind which no commit is left."""
    batches = [values.skipping(b) for b in range(7)]
    create(path, batches[0].schema, partition_by, delta__checkpointInterval=7,
           delta__checkpoint__writeStatsAsJson="false", **more)
    for batch in batches:
        insert(path, batch)
    remove_commits_before(path, 7)
    return {None: pa.concat_tables(batches)}


@table
def struct_statistics(path):
    return with_struct_statistics(path, "short", "d")


@table
def struct_statistics_in_sidecars(path):
    """The same in sidecars, by physical names, with tight bounds."""
    return with_struct_statistics(path, delta__checkpointPolicy="v2", delta__columnMapping__mode="name",
                                  delta__enableDeletionVectors="true")


@table
def struct_statistics_of_flat_types(path):
    """Every type as a bound, and most of them as partition values."""
    data = values.flat()
    create(path, data.schema, delta__checkpoint__writeStatsAsJson="false")
    insert(path, data)
    product.run("checkpoint", path)
    remove_commits_before(path, 1)
    return {None: data}


@table
def row_tracking(path):
    """Row ids and in-commit timestamps, then a checkpoint that has them."""
    batches = [values.skipping(b) for b in range(4)]
    create(path, batches[0].schema, delta__enableRowTracking="true",
           delta__enableInCommitTimestamps="true", delta__checkpointInterval=3)
    for batch in batches:
        insert(path, batch)
    remove_commits_before(path, 3)
    return {None: pa.concat_tables(batches), 3: pa.concat_tables(batches[:3])}


@table
def overwritten(path):
    first, second = values.partitioned("date"), values.partitioned("date").slice(0, 5)
    create(path, first.schema, ["p"])
    insert(path, first)
    query = f"SELECT * FROM {from_file(source(path, second))}"
    product.sql(f"INSERT OVERWRITE {product.table_sql(path)} {query}")
    return {None: second, 1: first}


@table
def replaced(path):
    """CREATE OR REPLACE with another schema and other partition columns."""
    first, second = values.partitioned("integer"), values.nested()
    create_as(path, first, ["p"])
    file = from_file(source(path, second))
    name = product.table_sql(path)
    product.sql(f"CREATE OR REPLACE TABLE {name} USING DELTA AS SELECT * FROM {file}")
    return {None: second, 0: first}


@table
def loaded_once(path):
    """The same batch twice under one transaction id counts once."""
    first, second = values.skipping(0), values.skipping(1)
    load(path, first, "--txn", "nightly:1")
    load(path, second, "--txn", "nightly:2")
    load(path, second, "--txn", "nightly:2")
    return {None: pa.concat_tables([first, second])}


@table
def copied_into(path):
    data = values.skipping(0)
    create(path, data.schema)
    file = source(path, data).replace("'", "''")
    for _ in range(2):
        product.sql(f"COPY INTO {product.table_sql(path)} FROM '{file}' FILEFORMAT = PARQUET")
    return {None: data}


def without(data, ids):
    return data.filter(pc.invert(pc.is_in(data["id"], pa.array(ids, data["id"].type))))


def deleted_from(path, **properties):
    """Some rows, the same file again, a whole file, nearly all: each step deletes some."""
    parts = [values.skipping(n) for n in range(3)]
    create(path, parts[0].schema, **properties)
    for part in parts:
        insert(path, part)
    data = pa.concat_tables(parts)
    expected = {len(parts): data}
    ids = data["id"].to_pylist()
    steps = [ids[3:4], ids[2:300:7], parts[1]["id"].to_pylist(), ids[10:110]]
    for step in steps:
        listed = ", ".join(str(i) for i in step)
        product.sql(f"DELETE FROM {product.table_sql(path)} WHERE id IN ({listed})")
        data = without(data, step)
        expected[max(expected) + 1] = data
    expected[None] = data
    return expected


@table
def deleted_by_vectors(path):
    return deleted_from(path, delta__enableDeletionVectors="true")


@table
def deleted_by_rewriting(path):
    return deleted_from(path, delta__enableChangeDataFeed="true")


@table
def deleted_with_checkpoints(path):
    """Deletion vectors in a checkpoint."""
    expected = deleted_from(
        path, delta__enableDeletionVectors="true", delta__checkpointInterval="2")
    remove_commits_before(path, 6)
    return {None: expected[None]}


@table
def codecs(path):
    """The codec of a table property, then the default, which is zstd."""
    data = values.flat()
    create(path, data.schema, delta__parquet__compression__codec="snappy")
    insert(path, data)
    found = {codec for codec in written_codecs(path)}
    if found != {"SNAPPY"}:
        raise AssertionError(f"expected data files compressed by snappy, found {found}")
    return {None: data}


@table
def zstd_by_default(path):
    data = values.flat()
    create_as(path, data)
    found = {codec for codec in written_codecs(path)}
    if found != {"ZSTD"}:
        raise AssertionError(f"expected data files compressed by zstd, found {found}")
    return {None: data}


def written_codecs(path):
    for file in glob.glob(glob.escape(path) + "/**/*.parquet", recursive=True):
        if "_delta_log" not in file:
            metadata = pq.ParquetFile(file).metadata
            for group in range(metadata.num_row_groups):
                yield metadata.row_group(group).column(0).compression


@table
def not_null_columns(path):
    name = product.table_sql(path)
    product.sql(f"CREATE TABLE {name} (id BIGINT NOT NULL, s STRING) USING DELTA")
    product.sql(f"INSERT INTO {name} VALUES (1, 'a'), (2, NULL)")
    return {None: pa.table({"id": pa.array([1, 2], pa.int64()), "s": pa.array(["a", None])})}


def read_spark(path, version=None):
    from dwpeers import spark

    return spark.read(path, version)


READERS = {
    "deltaworks": product.read,
    "delta-rs": readers.delta_rs,
    "duckdb": readers.duckdb,
    "spark": read_spark,
}


def without_sign(value):
    """The same with zeros that have no sign, at every depth."""
    if isinstance(value, float):
        return value + 0.0
    if isinstance(value, (list, tuple)):
        return type(value)(map(without_sign, value))
    if isinstance(value, dict):
        return {without_sign(k): without_sign(v) for k, v in value.items()}
    return value


def as_written(data):
    """Floats are written with zeros that have no sign; see ARCHITECTURE.md."""
    for i, field in enumerate(data.schema):
        if pa.types.is_floating(field.type):
            data = data.set_column(i, field, pc.add(data[i], pa.scalar(0.0, field.type)))
        elif pa.types.is_nested(field.type) and re.search("float|double", str(field.type)):
            values_of = [without_sign(value) for value in data[i].to_pylist()]
            data = data.set_column(i, field, pa.array(values_of, field.type))
    return data


def compare(engine, name, path, expected):
    if (engine, name) in PEER_LIMITS:
        raise Skip(PEER_LIMITS[engine, name])
    for version, data in expected.items():
        problem = rows.difference(as_written(data), READERS[engine](path, version))
        if problem:
            return f"at version {'newest' if version is None else version}: {problem}"
    return None


def spark_predicates():
    """The predicates as Spark spells them."""
    found = []
    for p in values.PREDICATES:
        p = re.sub(r"TIMESTAMP '", "TIMESTAMP_NTZ '", p)
        p = p.replace("TIMESTAMPTZ '", "TIMESTAMP '").replace("+00'", "Z'")
        p = p.replace("'NaN'::DOUBLE", "CAST('NaN' AS DOUBLE)").replace("starts_with", "startswith")
        found.append(p)
    return found


def skipping_by_peers(engine, path, data):
    """A peer that skips files by our statistics must still find every row."""
    asked = values.PREDICATES
    if engine == "deltaworks":
        found = predicates.ask_product(path, asked, "id")
    elif engine == "duckdb":
        found = predicates.ask_duckdb(path, asked, "id")
    elif engine == "spark":
        found = predicates.ask_spark(path, spark_predicates(), "id")
    else:
        # DataFusion has no TIMESTAMPTZ nor year(), takes long decimals for doubles, and orders NaN
        # and -0.0 its own way.
        other = r"TIMESTAMP|dec|year|NaN|^f |isnan|zero|AND NOT"
        asked = [p for p in asked if not re.search(other, p)]
        found = predicates.ask_delta_rs(path, asked, "id")
    return predicates.difference(data, found, asked, "id")


def transaction_is_recorded(path):
    from deltalake import DeltaTable

    found = DeltaTable(path).transaction_version("nightly")
    return None if found == 2 else f"expected transaction nightly at 2, found {found}"


def spark_tells_history(path, operations):
    from dwpeers import spark

    found = spark.session().sql(f"DESCRIBE HISTORY delta.`{path}`").toArrow().to_pylist()
    told = [row["operation"] for row in sorted(found, key=lambda r: r["version"])]
    if len(told) != operations:
        return f"expected {operations} commits, found {told}"
    missing = [row["version"] for row in found if not row["operation"] or not row["engineInfo"]]
    return f"versions {missing} do not tell their operation or engine" if missing else None


# Tables whose statistics let readers skip files.
SKIPPED_IN = ("many_commits", "mapped_skipping_by_name", "mapped_skipping_by_id", "struct_statistics",
              "struct_statistics_in_sidecars")
ODD_FOLDERS = {"odd_path": "odd path #+&, ü'", "percent_path": "per%20cent %, %2F"}


def run_all(run):
    for name, write in TABLES.items():
        checks = [f"ours/{name} read by {engine}" for engine in run.engines]
        extra = name in (*SKIPPED_IN, "loaded_once")
        if not extra and not any(run.wants(c) for c in checks):
            continue
        path = run.path(os.path.join("ours", ODD_FOLDERS.get(name, ""), name))
        try:
            expected = write(path)
        except Exception as e:
            run.check(f"ours/{name} written", lambda e=e: f"{' '.join(str(e).split())[:900]}")
            continue
        for engine, check in zip(run.engines, checks):
            run.check(check, compare, engine, name, path, expected)
        if name in SKIPPED_IN:
            for engine in run.engines:
                asked = f"ours/{name} statistics used by {engine}"
                run.check(asked, skipping_by_peers, engine, path, expected[None])
        if name == "many_commits" and "spark" in run.engines:
            run.check(f"ours/{name} history told by spark", spark_tells_history, path, 26)
        if name == "loaded_once":
            run.check(f"ours/{name} transaction id seen by delta-rs", transaction_is_recorded, path)
