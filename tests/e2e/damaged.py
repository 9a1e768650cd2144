"""Tables that somebody damaged: which table, which version, which file, and what is wrong with it."""
import glob
import json
import os
import sys

from harness import expect, expect_failure, main, test

READ = "SELECT count(DISTINCT id) FROM t"


def edit(w, version, change):
    """Rewrites the actions of a commit, whose checksum would not fit any more."""
    w.damages("t")
    actions = w.actions("t", version)
    for action in actions:
        change(action)
    w.write_log("t", version, actions)
    checksum = w.log("t", version).replace(".json", ".crc")
    if os.path.exists(checksum):
        os.unlink(checksum)


def with_vectors(w):
    """A table with a deletion vector in a file, in version 2."""
    w.sql("CREATE TABLE t (id BIGINT) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    w.sql("INSERT INTO t SELECT range FROM range(5000)")
    w.sql("DELETE FROM t WHERE id % 3 = 0")
    w.damages("t")
    return glob.glob(w.path("t") + "/deletion_vector_*.bin")[0]


def refused(w, statement, status, code, *words):
    expect_failure(w.run("sql", "-c", statement), status, f"[{code}]", *words)


@test
def test_damage__of_a_deletion_vectors_cardinality(w):
    path = with_vectors(w)

    def change(action):
        if "add" in action:
            action["add"]["deletionVector"]["cardinality"] = 7

    edit(w, 2, change)
    refused(w, READ, 5, "DV_INVALID", f"version 2 of {w.path('t')}", os.path.basename(path),
            "expected a cardinality of 7, found 1667")


@test
def test_damage__of_a_deletion_vectors_bytes(w):
    path = with_vectors(w)
    with open(path, "r+b") as file:
        file.seek(40)
        byte = file.read(1)[0]
        file.seek(40)
        file.write(bytes([byte ^ 255]))
    refused(w, READ, 5, "DV_INVALID", f"version 2 of {w.path('t')}", os.path.basename(path), "a checksum of")
    os.unlink(path)
    refused(w, READ, 5, "DV_MISSING", f"version 2 of {w.path('t')}", os.path.basename(path))


@test
def test_damage__of_a_bitmap_in_the_log(w):
    with_vectors(w)

    def change(action):
        if "add" in action:
            action["add"]["deletionVector"] = {"storageType": "i", "pathOrInlineDv": "0" * 20, "sizeInBytes": 16,
                                               "cardinality": 3}

    edit(w, 2, change)
    refused(w, READ, 5, "DV_INVALID", f"version 2 of {w.path('t')}", ".parquet are deleted", "magic number")


@test
def test_damage__of_a_checkpoint_that_lost_its_sidecar(w):
    w.sql("CREATE TABLE t (id BIGINT) TBLPROPERTIES ('delta.checkpointPolicy' = 'v2')")
    w.sql("INSERT INTO t VALUES (1)")
    w.sql("CHECKPOINT t")
    w.damages("t")
    sidecar = glob.glob(w.path("t") + "/_delta_log/_sidecars/*.parquet")[0]
    os.unlink(sidecar)
    for version in (0, 1):
        os.unlink(w.log("t", version))
    refused(w, READ, 5, "SIDECAR_MISSING", "opening t", "checkpoint 1", os.path.basename(sidecar))


@test
def test_damage__of_a_protocol_that_contradicts_itself(w):
    w.sql("CREATE TABLE t (id BIGINT)")

    def change(action):
        if "protocol" in action:
            action["protocol"] = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"],
                                  "writerFeatures": []}

    edit(w, 0, change)
    refused(w, READ, 5, "PROTOCOL_INVALID", "opening t", "deletionVectors")


@test
def test_damage__of_a_mark_of_row_ids_that_goes_back(w):
    w.sql("CREATE TABLE t (id BIGINT) TBLPROPERTIES ('delta.enableRowTracking' = 'true')")
    w.sql("INSERT INTO t VALUES (1), (2)")
    w.sql("INSERT INTO t VALUES (3)")
    w.damages("t")
    w.write_log("t", 3, [{"commitInfo": {"operation": "X"}}, {"domainMetadata": {
        "domain": "delta.rowTracking", "configuration": '{"rowIdHighWaterMark":1}', "removed": False}}])
    path = next(a["add"]["path"] for a in w.actions("t", 2) if "add" in a)
    expect(w.value(READ) == 3, "readers do not mind")
    refused(w, "INSERT INTO t VALUES (4)", 5, "ROW_TRACKING_INVALID", "version 3", "mark is 1", f"{path} has ids from 2",
            "went back")


@test
def test_damage__of_a_type_that_was_changed_to_another(w):
    w.sql("CREATE TABLE t (id BIGINT) TBLPROPERTIES ('delta.enableTypeWidening' = 'true')")
    w.sql("INSERT INTO t VALUES (1)")

    def change(action):
        if "metaData" in action:
            schema = json.loads(action["metaData"]["schemaString"])
            schema["fields"][0]["metadata"]["delta.typeChanges"] = [{"fromType": "string", "toType": "long"}]
            action["metaData"]["schemaString"] = json.dumps(schema)

    edit(w, 0, change)
    os.unlink(w.log("t", 1).replace(".json", ".crc"))
    refused(w, READ, 4, "TYPE_CHANGE_UNSUPPORTED", f"version 1 of {w.path('t')}", "column id", "from string to bigint")


@test
def test_damage__of_a_version_checksum(w):
    w.sql("CREATE TABLE t (id BIGINT)")
    w.sql("INSERT INTO t VALUES (1)")
    w.damages("t")
    path = w.log("t", 1).replace(".json", ".crc")
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**content, "numFiles": 9}, file)
    ran = w.run("sql", "-c", READ)
    expect(ran.status == 0 and "version 1" in ran.err and os.path.basename(path) in ran.err, f"a warning: {ran!r}")
    ran = w.run("sql", "-c", "CHECKPOINT t")
    expect(ran.status == 5, f"no checkpoint of a version that is not what it says: {ran!r}")
    last = ran.err.strip().splitlines()[-1]
    for word in ("[CHECKSUM_MISMATCH]", w.path("t"), "version 1", os.path.basename(path), "numFiles 9"):
        expect(word in last, f"{word!r} in {last!r}")


if __name__ == "__main__":
    sys.exit(main())
