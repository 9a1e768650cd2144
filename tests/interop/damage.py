"""Bad input as a user meets it: one clear line, the right exit status, and nothing lost."""
import glob
import json
import os
import re
import shutil
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq

import ours
import values
from checks import Skip
from dwpeers import product, rows

CASES = {}


def case(function):
    CASES[function.__name__.replace("_", " ")] = function
    return function


def listing(path):
    """Every file of the table with its size: what a failed statement must leave as it was."""
    found = {}
    for folder, _, names in os.walk(path):
        for name in names:
            file = os.path.join(folder, name)
            found[os.path.relpath(file, path)] = os.path.getsize(file)
    return found


def fails(status, words, *arguments, path=None):
    """Checks exit status, one line on stderr, the words in it, and that no file changed."""
    before = listing(path) if path else None
    try:
        product.run(*arguments)
    except product.ProductError as e:
        if e.status != status:
            return f"expected exit status {status}, found {e}"
        lines = e.stderr.splitlines()
        if len(lines) != 1:
            return f"expected one line on stderr, found {lines}"
        missing = [w for w in words if w.lower() not in e.stderr.lower()]
        if missing:
            return f"expected {missing} in the error, found: {e.stderr}"
        if path and listing(path) != before:
            changed = set(listing(path).items()) ^ set(before.items())
            return f"expected no file to change, found {sorted(changed)[:4]}"
        return None
    return f"expected exit status {status}, found 0"


def select(path, at=""):
    return ("sql", "-c", f"SELECT * FROM {product.table_sql(path)}{at}")


def insert(path, text):
    return ("sql", "-c", f"INSERT INTO {product.table_sql(path)} {text}")


def good_table(path, commits=3):
    """Version 0 has no rows, each later one adds a file of two."""
    name = product.table_sql(path)
    product.sql(f"CREATE TABLE {name} (id BIGINT NOT NULL, s STRING, d DATE) USING DELTA")
    for i in range(commits):
        values_sql = f"({2 * i}, 'a', DATE '2024-01-01'), ({2 * i + 1}, NULL, NULL)"
        product.sql(f"INSERT INTO {name} VALUES {values_sql}")
    return path


def no_folder(path):
    return f"expected no folder, found {listing(path)}" if os.path.exists(path) else None


def commit_file(path, version):
    return f"{path}/_delta_log/{version:020d}.json"


def actions(path, version):
    with open(commit_file(path, version), encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def rewrite(path, version, new):
    with open(commit_file(path, version), "w", encoding="utf-8") as f:
        f.writelines(json.dumps(a) + "\n" for a in new)


def data_files(path, version):
    return [a["add"]["path"] for a in actions(path, version) if "add" in a]


@case
def a_path_that_is_no_table(path):
    os.makedirs(path)
    return fails(1, [os.path.basename(path), "delta"], *select(path)) or fails(
        1, [os.path.basename(path)], *insert(path, "VALUES (1)"), path=path
    )


@case
def a_path_that_does_not_exist(path):
    return fails(1, [os.path.basename(path)], *select(path))


@case
def an_empty_log(path):
    os.makedirs(f"{path}/_delta_log")
    return fails(1, [os.path.basename(path)], *select(path))


@case
def a_gap_in_the_log(path):
    os.remove(commit_file(good_table(path), 1))
    return fails(5, ["version 1"], *select(path)) or fails(
        5, ["version 1"], *insert(path, "VALUES (9, 'x', NULL)"), path=path
    )


@case
def no_metadata(path):
    rewrite(good_table(path), 0, [a for a in actions(path, 0) if "metaData" not in a])
    return fails(5, ["metadata"], *select(path))


@case
def no_protocol(path):
    rewrite(good_table(path), 0, [a for a in actions(path, 0) if "protocol" not in a])
    return fails(5, ["protocol"], *select(path))


def with_bytes(content):
    def check(path):
        good_table(path)
        with open(commit_file(path, 2), "wb") as f:
            f.write(content)
        return fails(5, ["00000000000000000002.json"], *select(path))

    return check


for _name, _content in {
    "truncated JSON": b'{"add":{"path":"a.parquet","partitionValues":{},"size":1,"modif',
    "JSON that is no object": b"[1,2,3]\n",
    "bytes that are no JSON": b"\x00\x01\x02\xff\xfe\n",
    "text that is no UTF-8": b'{"add":{"path":"\xff\xfe","partitionValues":{},"size":1,'
    b'"modificationTime":1,"dataChange":true}}\n',
    "JSON nested too deep": b'{"add":' + b"[" * 200_000 + b"]" * 200_000 + b"}\n",
    "an add without a path": b'{"add":{"partitionValues":{},"size":1,"modificationTime":1,'
    b'"dataChange":true}}\n',
    "a size that is text": b'{"add":{"path":"a","partitionValues":{},"size":"big",'
    b'"modificationTime":1,"dataChange":true}}\n',
    "a size below zero": b'{"add":{"path":"a","partitionValues":{},"size":-5,'
    b'"modificationTime":1,"dataChange":true}}\n',
    "a size beyond 64 bits": b'{"add":{"path":"a","partitionValues":{},"size":99999999999999999999,'
    b'"modificationTime":1,"dataChange":true}}\n',
}.items():
    CASES[_name] = with_bytes(_content)


def edited_schema(path, edit):
    good_table(path)
    changed = actions(path, 0)
    for action in changed:
        if "metaData" in action:
            schema = json.loads(action["metaData"]["schemaString"])
            action["metaData"]["schemaString"] = edit(schema)
    rewrite(path, 0, changed)


@case
def a_schema_that_is_no_JSON(path):
    edited_schema(path, lambda schema: '{"type":"struct","fields":[')
    return fails(5, ["schema"], *select(path))


@case
def a_column_of_an_unknown_type(path):
    def edit(schema):
        schema["fields"][1]["type"] = "quaternion"
        return json.dumps(schema)

    edited_schema(path, edit)
    try:
        product.read(path)
    except product.ProductError as e:
        good = e.status in (4, 5) and "quaternion" in e.stderr
        return None if good else f"expected status 4 or 5 that names the type, found {e}"
    return "expected a refusal, found rows"


def with_protocol(path, protocol):
    good_table(path)
    rewrite(path, 4, [{"protocol": protocol}])


@case
def an_unknown_reader_feature(path):
    features = {"readerFeatures": ["teleportation"], "writerFeatures": ["teleportation"]}
    with_protocol(path, {"minReaderVersion": 3, "minWriterVersion": 7, **features})
    return fails(4, ["teleportation"], *select(path))


@case
def an_unknown_writer_feature(path):
    with_protocol(
        path, {"minReaderVersion": 1, "minWriterVersion": 7, "writerFeatures": ["teleportation"]}
    )
    found = product.read(path).num_rows
    if found != 6:
        return f"expected 6 rows, found {found}"
    return fails(4, ["teleportation"], *insert(path, "VALUES (9, 'x', NULL)"), path=path)


@case
def a_reader_version_from_the_future(path):
    with_protocol(path, {"minReaderVersion": 4, "minWriterVersion": 7})
    return fails(4, ["4"], *select(path))


@case
def a_version_out_of_range(path):
    return fails(1, ["99", "0", "3"], *select(good_table(path), " VERSION AS OF 99"))


@case
def a_time_before_the_table(path):
    at = " TIMESTAMP AS OF '2001-01-01 00:00:00'"
    return fails(1, ["2001"], *select(good_table(path), at))


@case
def a_time_after_the_table(path):
    at = " TIMESTAMP AS OF '2999-01-01 00:00:00'"
    return fails(1, ["2999"], *select(good_table(path), at))


@case
def a_missing_data_file(path):
    file = data_files(good_table(path), 2)[0]
    os.remove(os.path.join(path, file))
    return fails(5, [file, "version 2"], *select(path))


@case
def a_truncated_data_file(path):
    file = data_files(good_table(path), 2)[0]
    os.truncate(os.path.join(path, file), 100)
    return fails(5, [file, "version 2"], *select(path))


@case
def a_data_file_of_other_bytes(path):
    file = data_files(good_table(path), 2)[0]
    size = os.path.getsize(os.path.join(path, file))
    with open(os.path.join(path, file), "wb") as f:
        f.write(b"x" * size)
    return fails(5, [file, "version 2"], *select(path))


def checkpointed(path):
    good_table(path)
    product.run("checkpoint", path)
    return glob.glob(f"{glob.escape(path)}/_delta_log/*.checkpoint.parquet")[0]


def remove_commits(path, up_to):
    for version in range(up_to + 1):
        os.remove(commit_file(path, version))


@case
def a_damaged_checkpoint(path):
    file = checkpointed(path)
    os.truncate(file, 300)
    remove_commits(path, 3)
    return fails(5, [os.path.basename(file)], *select(path))


@case
def a_checkpoint_with_wrong_types(path):
    file = checkpointed(path)
    wrong = pa.table({"add": ["x"], "metaData": [1], "protocol": [2.5]})
    pq.write_table(wrong, file)
    remove_commits(path, 3)
    return fails(5, [os.path.basename(file)], *select(path))


@case
def a_hint_that_lies(path):
    checkpointed(path)
    for hint in ('{"version":77,"size":1}', '{"version":', '{"version":-1}', "", '{"version":1}'):
        with open(f"{path}/_delta_log/_last_checkpoint", "w", encoding="utf-8") as f:
            f.write(hint)
        found = product.read(path).num_rows
        if found != 6:
            return f"with the hint {hint!r}: expected 6 rows, found {found}"
    return None


@case
def a_value_that_is_no_number(path):
    text = "VALUES ('not a number', 'x', NULL)"
    return fails(1, ["id"], *insert(good_table(path), text), path=path)


@case
def a_null_where_none_may_be(path):
    return fails(1, ["id"], *insert(good_table(path), "VALUES (NULL, 'x', NULL)"), path=path)


@case
def a_null_in_the_middle_of_many_rows(path):
    text = "SELECT CASE WHEN i = 150000 THEN NULL ELSE i END, 'x', NULL FROM range(200000) t(i)"
    return fails(1, ["id"], *insert(good_table(path), text), path=path)


@case
def too_many_columns(path):
    return fails(1, [], *insert(good_table(path), "VALUES (1, 'x', NULL, 5)"), path=path)


@case
def a_column_that_is_not_there(path):
    name = product.table_sql(good_table(path))
    statement = f"INSERT INTO {name} (id, nosuch) VALUES (1, 2)"
    return fails(1, ["nosuch"], "sql", "-c", statement, path=path)


@case
def a_file_whose_columns_do_not_fit(path):
    good_table(path)
    file = ours.source(path, pa.table({"id": [1], "s": ["x"], "d": ["not a date"]}))
    return fails(1, ["d"], "load", path, file, path=path)


@case
def a_file_with_an_unknown_column(path):
    good_table(path)
    file = ours.source(path, pa.table({"id": pa.array([1], pa.int64()), "surprise": ["x"]}))
    return fails(1, ["surprise"], "load", path, file, path=path)


@case
def a_file_that_is_not_there(path):
    good_table(path)
    return fails(1, ["nowhere.parquet"], "load", path, f"{path}/../nowhere.parquet", path=path)


@case
def a_file_that_is_no_parquet(path):
    good_table(path)
    file = f"{path}.source.parquet"
    with open(file, "wb") as f:
        f.write(b"PAR1 this is not Parquet PAR1")
    return fails(1, [os.path.basename(file)], "load", path, file, path=path)


@case
def an_expression_that_fails_half_way(path):
    text = "SELECT i, error('boom'), NULL FROM range(100000) t(i) WHERE i > 90000"
    return fails(1, ["boom"], *insert(good_table(path), text), path=path)


@case
def a_table_that_is_there_already(path):
    name = product.table_sql(good_table(path))
    return fails(1, ["exist"], "sql", "-c", f"CREATE TABLE {name} (x INT) USING DELTA", path=path)


@case
def a_type_that_delta_lacks(path):
    statement = f"CREATE TABLE {product.table_sql(path)} USING DELTA AS SELECT TIME '10:00' AS t"
    problem = fails(1, ["t"], "sql", "-c", statement)
    return problem or no_folder(path)


@case
def a_partition_column_that_is_not_there(path):
    statement = (
        f"CREATE TABLE {product.table_sql(path)} (x INT) USING DELTA PARTITIONED BY (nosuch)"
    )
    problem = fails(1, ["nosuch"], "sql", "-c", statement)
    return problem or no_folder(path)


@case
def a_property_with_a_wrong_value(path):
    statement = (
        f"CREATE TABLE {product.table_sql(path)} (x INT) USING DELTA"
        " TBLPROPERTIES ('delta.checkpointInterval' = 'often')"
    )
    return fails(1, ["delta.checkpointInterval"], "sql", "-c", statement)


@case
def wrong_SQL(path):
    return fails(1, [], "sql", "-c", "SELEC 1") or fails(1, [], "sql", "-c", "SELECT * FRM t")


@case
def wrong_usage(path):
    return (
        fails(2, ["--nosuch"], "sql", "--nosuch")
        or fails(2, ["nosuch"], "nosuch")
        or fails(2, ["yaml"], "sql", "-c", "SELECT 1", "--format", "yaml")
        or fails(2, [], "load")
    )


@case
def the_same_batch_twice(path):
    good_table(path)
    data = pa.table({"id": pa.array([100], pa.int64()), "s": ["x"]})
    file = ours.source(path, data)
    for _ in range(2):
        product.run("load", path, file, "--txn", "job:5")
    found = product.read(path).num_rows
    return None if found == 7 else f"expected 7 rows, found {found}"


@case
def a_full_disk(path):
    """A file system of 8 MB fills while rows are written: nothing of them stays."""
    os.makedirs(path)
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "dw-full-disk", path]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        raise Skip("a file system of a given size cannot be mounted here")
    try:
        table = good_table(f"{path}/t")
        text = "SELECT i, sha256(i::VARCHAR), NULL FROM range(1000000) t(i)"
        problem = fails(6, [], *insert(table, text), path=table)
        if problem:
            return problem
        product.sql(f"INSERT INTO {product.table_sql(table)} VALUES (100, 'fits', NULL)")
        found = product.read(table).num_rows
        return None if found == 7 else f"expected 7 rows, found {found}"
    finally:
        subprocess.run(["umount", path], check=True)


@case
def a_directory_that_is_read_only(path):
    os.makedirs(path)
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "dw-read-only", path]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        raise Skip("a read-only file system cannot be mounted here")
    try:
        table = good_table(f"{path}/t")
        subprocess.run(["mount", "-o", "remount,ro", path], check=True)
        problem = fails(6, [], *insert(table, "VALUES (9, 'x', NULL)"), path=table)
        found = product.read(table).num_rows
        return problem or (None if found == 6 else f"expected 6 rows, found {found}")
    finally:
        subprocess.run(["umount", path], check=True)


@case
def a_process_killed_while_it_loads(path):
    """SIGKILL at many moments of a load: the table stays valid, each load is whole or not there."""
    data = values.skipping(0, rows=40_000)
    file = ours.source(path, data)
    product.run("load", path, file, "--force")
    expected = 1
    for moment in range(20):
        command = [product.program(), "load", path, file, "--force"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=0.005 + 0.012 * moment)
        except subprocess.TimeoutExpired:
            process.kill()
        acknowledged = process.wait() == 0
        process.stdout.close()
        found = product.read(path, columns="count(id) AS n")["n"][0].as_py()
        loads, rest = divmod(found, data.num_rows)
        if rest or loads not in ((expected + 1,) if acknowledged else (expected, expected + 1)):
            return f"killed at moment {moment}: expected {expected} loads, found {found} rows"
        expected = loads
    product.run("load", path, file, "--force")
    problem = rows.difference(pa.concat_tables([data] * (expected + 1)), product.read(path))
    return f"after {expected + 1} loads: {problem}" if problem else None


def run_all(run):
    for name, check in CASES.items():
        path = run.path(f"damage/{re.sub(r'[^A-Za-z]+', '_', name)}")
        run.check(f"damage/{name}", check, path)
        shutil.rmtree(path, ignore_errors=True)
