"""Every rule of docs/fsck.md that a table can break: a defect is planted, and fsck must find it."""
import json
import os
import shutil
import re
import sys

from harness import World, expect, expect_equal, main, test

ID = "11111111-2222-3333-4444-555555555555"
LONG = {"name": "id", "type": "long", "nullable": True, "metadata": {}}


def field(name, kind, **metadata):
    return {"name": name, "type": kind, "nullable": True, "metadata": metadata}


def schema(*fields):
    return json.dumps({"type": "struct", "fields": list(fields)})


def protocol(reader=1, writer=2, readers=None, writers=None):
    content = {"minReaderVersion": reader, "minWriterVersion": writer}
    if readers is not None:
        content["readerFeatures"] = readers
    if writers is not None:
        content["writerFeatures"] = writers
    return {"protocol": content}


def features(*writers, readers=()):
    return protocol(3 if readers else 1, 7, list(readers) if readers else None, list(readers) + list(writers))


def metadata(*fields, partitions=(), provider="parquet", table=ID, **properties):
    return {"metaData": {"id": table, "format": {"provider": provider, "options": {}},
                         "schemaString": schema(*(fields or (LONG,))), "partitionColumns": list(partitions),
                         "configuration": {k.replace("__", "."): v for k, v in properties.items()},
                         "createdTime": 1700000000000}}


def add(path, rows=1, values=None, stats=None, **more):
    text = json.dumps({"numRecords": rows}) if stats is None else stats
    return {"add": {"path": path, "partitionValues": values or {}, "size": 10,
                    "modificationTime": 1700000000000, "dataChange": True, "stats": text, **more}}


def remove(path, **more):
    return {"remove": {"path": path, "deletionTimestamp": 1700000000001, "dataChange": True, **more}}


def found(w: World, *options, table="t"):
    """The findings, as rule to messages; missing files are planted everywhere and left out."""
    ran = w.run("fsck", w.path(table), "--format", "ndjson", *options)
    findings = [json.loads(line) for line in ran.out.splitlines()]
    has_errors = any(f["severity"] == "error" for f in findings)
    expect(ran.status == (5 if has_errors else 0), f"the exit status of {len(findings)} findings: {ran!r}")
    by_rule = {}
    for finding in findings:
        if not finding["message"].startswith("the data file is missing"):
            by_rule.setdefault(finding["rule"], []).append(finding["message"])
    return by_rule


def plant(w, *commits):
    w.damages("t")
    for version in range(10):
        if os.path.exists(w.log("t", version)):
            os.unlink(w.log("t", version))
    for version, actions in enumerate(commits):
        w.write_log("t", version, actions)


def expect_rule(w, rule, *words, options=()):
    by_rule = found(w, *options)
    expect(rule in by_rule, f"rule {rule}, found {by_rule!r}")
    text = " | ".join(by_rule[rule])
    for word in words:
        expect(word in text, f"{word!r} in {text!r}")
    return by_rule


def expect_only(w, rule, *words):
    by_rule = expect_rule(w, rule, *words)
    expect_equal(list(by_rule), [rule])


def real(w, rows=20, **properties):
    """A table with data, checkpoint and two versions."""
    text = ", ".join(f"'{k.replace('__', '.')}' = '{v}'" for k, v in properties.items())
    w.sql("CREATE TABLE t (id BIGINT, name STRING, p INT) PARTITIONED BY (p) "
          + (f"TBLPROPERTIES ({text})" if text else ""))
    w.sql(f"INSERT INTO t SELECT range, 'row ' || range, range % 3 FROM range({rows})")


def edit(w, version, change):
    """Rewrites the actions of a commit."""
    w.damages("t")
    actions = w.actions("t", version)
    for action in actions:
        change(action)
    w.write_log("t", version, actions)


# ---- What is right -----------------------------------------------------------------------------------


@test
def test_fsck__finds_nothing_in_what_we_write(w):
    real(w)
    w.run("checkpoint", w.path("t"))
    ran = w.run("fsck", w.path("t"))
    expect(ran.status == 0 and ran.out == "nothing was found\n", f"nothing: {ran!r}")
    expect_equal(w.rows("FSCK TABLE t WITH DATA"), [])
    expect_equal(w.run("fsck", w.path("t"), "--quiet").out, "")


@test
def test_fsck__explains_itself_and_refuses_what_it_does_not_take(w):
    expect("--data" in w.run("fsck", "--help").out, "--data in the help")
    expect_equal(w.run("fsck").status, 2)
    expect_equal(w.run("fsck", "a", "b").status, 2)
    expect_equal(w.run("fsck", "t", "--format", "parquet").status, 2)
    expect_equal(w.run("fsck", w.path("nowhere")).status, 1)
    expect_equal(w.run("sql", "-c", "FSCK TABLE t WITH ROWS").status, 1)


@test
def test_fsck__of_a_table_that_it_cannot_read_says_so(w):
    plant(w, [features(readers=["fancyFeature"]), metadata()])
    ran = w.run("fsck", w.path("t"))
    expect(ran.status == 4 and "fancyFeature" in ran.err, f"the feature: {ran!r}")


@test
def test_fsck__lists_at_most_a_thousand_findings_of_a_rule(w):
    plant(w, [protocol(), metadata(), *[remove(f"f{i}") for i in range(1500)]])
    by_rule = found(w)
    expect_equal(len(by_rule["C1"]), 1001)
    expect("500 more" in by_rule["C1"][-1], by_rule["C1"][-1])


@test
def test_fsck__documents_every_rule_that_it_knows(w):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with open(os.path.join(root, "src/fsck/rules.c"), encoding="utf-8") as file:
        listed = re.search(r"rules\[\] = \{(.*?)\};", file.read(), re.S).group(1)
    with open(os.path.join(root, "docs/fsck.md"), encoding="utf-8") as file:
        cells = [line.split("|")[1] for line in file if line.startswith("| ")]
    documented = {rule.strip() for cell in cells for rule in cell.split(",")}
    missing = [r for r in re.findall(r'"(\w+)"', listed) if r not in documented]
    expect_equal(missing, [])


# ---- The log -----------------------------------------------------------------------------------------


@test
def test_fsck__finds_gaps_and_commits_that_are_no_json(w):
    plant(w, [protocol(), metadata()], [add("a")], [add("b")], [add("c")])
    os.unlink(w.log("t", 1))
    expect_rule(w, "A2", "versions 1 to 1")
    w.write_log("t", 1, [add("a")])
    with open(w.log("t", 2), "w", encoding="utf-8") as file:
        file.write('{"add":\n')
    expect_rule(w, "A15", "line 1")


@test
def test_fsck__finds_a_log_without_beginning(w):
    plant(w, [protocol(), metadata()], [add("a")])
    os.unlink(w.log("t", 0))
    expect_rule(w, "A2", "no version can be rebuilt")


@test
def test_fsck__finds_checkpoints_that_are_not_what_the_commits_say(w):
    real(w)
    w.run("checkpoint", w.path("t"))
    edit(w, 1, lambda a: a.get("add", {}).update(modificationTime=5))
    expect_rule(w, "C5", "modificationTime 5")
    first = True

    def drop(action):
        nonlocal first
        if "add" in action and first:
            action.clear()
            action["txn"] = {"appId": "x", "version": 1}
            first = False

    edit(w, 1, drop)
    by_rule = expect_rule(w, "C5", "the commits replay to none", "the txn of 'x' is not in")
    expect("C1" in by_rule, f"what readers see differs: {by_rule!r}")


@test
def test_fsck__finds_checkpoints_that_cannot_be_read_or_lack_parts(w):
    real(w)
    w.run("checkpoint", w.path("t"))
    w.damages("t")
    log = os.path.dirname(w.log("t", 0))
    with open(os.path.join(log, f"{1:020d}.checkpoint.parquet"), "wb") as file:
        file.write(b"PAR1nothing")
    with open(os.path.join(log, f"{0:020d}.checkpoint.{1:010d}.{2:010d}.parquet"), "wb") as file:
        file.write(b"")
    expect_rule(w, "A3")
    expect_rule(w, "A4", "expected 2 parts", "found 1")


@test
def test_fsck__finds_v2_checkpoints_that_break_their_rules(w):
    version = {"checkpointMetadata": {"version": 0}}
    plant(w, [protocol(), metadata(), add("a")])
    name = os.path.join(os.path.dirname(w.log("t", 0)),
                        f"{0:020d}.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json")

    def checkpoint(*actions):
        with open(name, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(a) + "\n" for a in actions)

    checkpoint(version, protocol(), metadata(), add("a"))
    expect_rule(w, "D12", "v2Checkpoint")
    v2 = features(readers=["v2Checkpoint"])
    plant(w, [v2, metadata(), add("a")])
    checkpoint(version, v2, metadata(), add("a"))
    expect_equal(found(w), {})
    checkpoint(version, version, v2, metadata(), add("a"), {"commitInfo": {}})
    expect_rule(w, "C6", "found 2")
    expect_rule(w, "C5", "no commitInfo")
    checkpoint(v2, metadata(), add("a"))
    expect_rule(w, "A5")


@test
def test_fsck__finds_compacted_commits_that_are_not_what_their_commits_say(w):
    plant(w, [protocol(), metadata(), add("a"), add("b")], [remove("a"), add("c")], [remove("c"), add("d")])
    name = os.path.join(os.path.dirname(w.log("t", 0)), f"{1:020d}.{2:020d}.compacted.json")

    def compacted(*actions):
        with open(name, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(a) + "\n" for a in actions)

    compacted(remove("a"), remove("c"), add("d"))
    expect_equal(found(w), {})
    compacted(remove("a"), add("d"))  # c came and went: nobody misses it
    expect_equal(found(w), {})
    compacted(add("d"))
    expect_rule(w, "A6", "its commits remove the file")
    compacted(remove("a"), remove("b"))
    expect_rule(w, "A6", "leave in the table", "adds the file")
    compacted(remove("a"), add("d", rows=7), add("c"), {"commitInfo": {}})
    expect_rule(w, "A6", "numRecords", "do not leave", "no commitInfo")


@test
def test_fsck__finds_hints_and_checksums_that_lie(w):
    real(w)
    w.damages("t")
    log = os.path.dirname(w.log("t", 0))
    with open(os.path.join(log, "_last_checkpoint"), "w", encoding="utf-8") as file:
        json.dump({"version": 1, "size": 5}, file)
    expect_rule(w, "A7", "not there")
    with open(os.path.join(log, "_last_checkpoint"), "w", encoding="utf-8") as file:
        json.dump({"version": 1, "size": 5, "checksum": "0" * 32}, file)
    expect_rule(w, "A7", "its checksum is 000")
    definition = {k: v for a in w.actions("t", 0) for k, v in a.items()}
    size = sum(a["add"]["size"] for a in w.actions("t", 1) if "add" in a)

    def checksum(**more):
        content = {"tableSizeBytes": size, "numFiles": 3, "numMetadata": 1, "numProtocol": 1,
                   "metadata": definition["metaData"], "protocol": definition["protocol"], **more}
        with open(os.path.join(log, f"{1:020d}.crc"), "w", encoding="utf-8") as file:
            json.dump(content, file)

    checksum()
    expect("A9" not in found(w), "no finding in a right checksum")
    checksum(numFiles=4)
    expect_rule(w, "A9", "expected numFiles 3, found 4")
    checksum(tableSizeBytes=1, protocol=protocol(1, 3)["protocol"], allFiles=[],
             setTransactions=[{"appId": "x", "version": 1}], numDeletionVectorsOpt=2,
             fileSizeHistogram={"sortedBinBoundaries": [0], "fileCounts": [2], "totalBytes": [size]})
    expect_rule(w, "A9", "tableSizeBytes", "writer 3", "allFiles", "txn of 'x'", "numDeletionVectorsOpt",
                "histogram of 3 files")


# ---- Actions -----------------------------------------------------------------------------------------


@test
def test_fsck__finds_actions_that_exclude_each_other(w):
    domain = {"domainMetadata": {"domain": "d", "configuration": "", "removed": False}}
    txn = {"txn": {"appId": "a", "version": 1}}
    plant(w, [features("domainMetadata"), metadata()], [add("a"), add("a")])
    expect_only(w, "B8", "expected one add")
    plant(w, [features("domainMetadata"), metadata(), add("a")], [remove("a"), remove("a")])
    expect_rule(w, "B8", "expected one remove")
    plant(w, [features("domainMetadata"), metadata(), add("a")], [remove("a"), add("a")])
    expect_only(w, "B15", "both adds and removes")
    plant(w, [features("domainMetadata"), metadata()], [txn, txn, domain, domain])
    expect_only(w, "B15", "txn", "domain")
    plant(w, [features("domainMetadata"), metadata()], [metadata(), metadata(), protocol(), protocol()])
    expect_rule(w, "B15", "protocol action", "metaData action")


@test
def test_fsck__finds_adds_and_removes_that_lack_something(w):
    plant(w, [protocol(), metadata(LONG, field("p", "integer"), partitions=["p"])],
          [add("a"), add("b", values={"p": "x"}), add("c", values={"p": "1", "q": "2"}), add("%zz", values={"p": "1"}),
           add("d", values={"p": "1"}, stats="nothing"), add("e", values={"p": "1"}, stats='{"numRecords":-1}')])
    by_rule = expect_rule(w, "L1", "expected a value of the partition column 'p'", "'q' is no partition column")
    expect({"L2", "A13", "M1"} <= set(by_rule), f"L2, A13, M1: {by_rule!r}")
    plant(w, [protocol(), metadata()], [remove("nowhere")])
    expect_rule(w, "C1", "not in the table")


@test
def test_fsck__finds_rows_that_a_rearrangement_lost(w):
    plant(w, [protocol(), metadata(), add("a", rows=5), add("b", rows=5)],
          [remove("a", dataChange=False), remove("b", dataChange=False), add("c", rows=9, dataChange=False)])
    expect_only(w, "B9", "from 10 rows to 9")


@test
def test_fsck__finds_removed_rows_in_an_append_only_table(w):
    plant(w, [protocol(), metadata(delta__appendOnly="true"), add("a")], [remove("a")])
    expect_only(w, "D1", "appendOnly")


@test
def test_fsck__finds_change_data_that_is_wrong(w):
    change = {"cdc": {"path": "x", "partitionValues": {}, "size": 1, "dataChange": True}}
    plant(w, [protocol(), metadata()], [change])
    by_rule = expect_rule(w, "B10")
    expect({"D4", "A12"} <= set(by_rule), f"D4, A12: {by_rule!r}")


@test
def test_fsck__finds_a_first_version_without_definition(w):
    plant(w, [{"commitInfo": {}}, add("a")])
    expect_rule(w, "C1", "expected a protocol", "expected a metaData")


# ---- Definition --------------------------------------------------------------------------------------


@test
def test_fsck__finds_metadata_that_is_wrong(w):
    plant(w, [protocol(), metadata(provider="orc")], [metadata(table="other")])
    expect_rule(w, "B1", "orc", "the id of the table changes")
    plant(w, [protocol(), metadata(LONG, {"name": "s", "type": {"type": "struct", "fields": []},
                                          "nullable": True, "metadata": {}}, partitions=["s", "nope"])])
    expect_rule(w, "B1", "'nope' is not in the schema", "'s' is nested")
    plant(w, [protocol(), metadata(LONG, field("ID", "long"))])
    expect_rule(w, "K1")
    plant(w, [protocol(), metadata(delta__checkpointInterval="often")])
    expect_only(w, "P1", "often")


@test
def test_fsck__finds_protocols_that_are_not_legal(w):
    plant(w, [protocol(3, 7, ["deletionVectors"], []), metadata()])
    expect_rule(w, "B3", "deletionVectors")
    plant(w, [protocol(1, 7, None, ["deletionVectors"]), metadata()])
    expect_rule(w, "B3", "deletionVectors")
    plant(w, [protocol(3, 7, ["appendOnly"], ["appendOnly"]), metadata()])
    expect_rule(w, "B3", "appendOnly")
    plant(w, [protocol(1, 2, None, ["appendOnly"]), metadata()])
    expect_rule(w, "B3")
    plant(w, [protocol(2, 7, None, ["columnMapping"]), metadata()])
    expect_equal(found(w), {})
    plant(w, [protocol(0, 2), metadata()])
    expect_rule(w, "B2")
    plant(w, [features("wishful"), metadata()])
    expect_only(w, "B2", "wishful")
    plant(w, [protocol(1, 4), metadata()], [features("appendOnly")])
    expect_rule(w, "B4", "changeDataFeed")


@test
def test_fsck__finds_features_that_are_used_but_not_supported(w):
    none = features()
    for rule, used in (
            ("D1", metadata(delta__appendOnly="true")), ("D3", metadata(delta__constraints__c="id > 0")),
            ("D4", metadata(delta__enableChangeDataFeed="true")),
            ("D9", metadata(delta__enableDeletionVectors="true")),
            ("D12", metadata(delta__checkpointPolicy="v2")), ("D13", metadata(delta__enableRowTracking="true")),
            ("D15", metadata(delta__enableIcebergCompatV1="true")),
            ("D16", metadata(delta__enableIcebergCompatV2="true")),
            ("D19", metadata(delta__enableInCommitTimestamps="true")),
            ("D21", metadata(delta__enableTypeWidening="true")),
            ("D23", metadata(delta__enableVariantShredding="true")),
            ("E1", metadata(delta__columnMapping__mode="name")),
            ("D2", metadata(field("id", "long", **{"delta.invariants": "{}"}))),
            ("D5", metadata(field("id", "long", **{"delta.generationExpression": "1"}))),
            ("D7", metadata(field("id", "long", **{"delta.identity.start": 1}))),
            ("D8", metadata(field("id", "long", CURRENT_DEFAULT="1"))),
            ("D10", metadata(field("id", "timestamp_ntz"))), ("D22", metadata(field("id", "variant")))):
        plant(w, [none, used])
        expect_rule(w, rule)


@test
def test_fsck__finds_features_without_what_they_need(w):
    for rule, feature in (("D13", "rowTracking"), ("D14", "clustering"), ("D15", "icebergCompatV1"),
                          ("D16", "icebergCompatV2")):
        plant(w, [features(feature), metadata()])
        expect_only(w, rule, feature)
    domain = {"domainMetadata": {"domain": "d", "configuration": "", "removed": False}}
    plant(w, [protocol(), metadata(), domain])
    expect_only(w, "B12", "domainMetadata")


@test
def test_fsck__finds_in_commit_timestamps_that_stand_still(w):
    def info(time):
        return {"commitInfo": {"inCommitTimestamp": time, "timestamp": time}}

    on = metadata(delta__enableInCommitTimestamps="true")
    plant(w, [info(5), features("inCommitTimestamp"), on], [info(6)], [info(6)])
    expect_only(w, "D19", "after 6, found 6")
    plant(w, [features("inCommitTimestamp"), on, info(5)], [add("a")])
    expect_rule(w, "D19", "first action", "found none")
    plant(w, [info(5), features("inCommitTimestamp"),
              metadata(delta__enableInCommitTimestamps="true", delta__inCommitTimestampEnablementVersion="9")],
          [info(6), {"commitInfo": {}}], [info(7)])
    expect_rule(w, "D19", "both or none", "a version to come")
    expect_rule(w, "B13", "found 2")


# ---- Columns -----------------------------------------------------------------------------------------


@test
def test_fsck__finds_column_mapping_that_is_wrong(w):
    def mapped(name, number, physical):
        metadata_of = {}
        if number is not None:
            metadata_of["delta.columnMapping.id"] = number
        if physical is not None:
            metadata_of["delta.columnMapping.physicalName"] = physical
        return field(name, "long", **metadata_of)

    def by_name(*fields, maximum="2", mode="name"):
        return metadata(*fields, delta__columnMapping__mode=mode, delta__columnMapping__maxColumnId=maximum)

    good = by_name(mapped("a", 1, "p1"), mapped("b", 2, "p2"))
    plant(w, [protocol(2, 5), good])
    expect_equal(found(w), {})
    for words, bad in ((["which another one has"], by_name(mapped("a", 1, "p1"), mapped("b", 1, "p2"))),
                       (["same physical name"], by_name(mapped("a", 1, "p1"), mapped("b", 2, "p1"))),
                       (["maxColumnId is 2"], by_name(mapped("a", 1, "p1"), mapped("b", 3, "p2"))),
                       (["expected delta.columnMapping.id", "expected delta.columnMapping.physicalName"],
                        by_name(mapped("a", None, None)))):
        plant(w, [protocol(2, 5), bad])
        expect_only(w, "E4", *words)
    plant(w, [protocol(2, 5), good, add("a")], [by_name(mapped("a", 1, "p1"), maximum="1")],
          [by_name(mapped("a", 1, "p1"), maximum="1", mode="id")])
    expect_rule(w, "E4", "goes back from 2 to 1")
    expect_rule(w, "E5", "from name to id")


@test
def test_fsck__finds_type_changes_that_are_none(w):
    def changed(kind, start, end):
        return metadata(field("id", kind, **{"delta.typeChanges": [{"fromType": start, "toType": end}]}))

    wide = features(readers=["typeWidening"])
    for kind, start, end in (("long", "byte", "long"), ("double", "float", "double"), ("double", "integer", "double"),
                             ("timestamp_ntz", "date", "timestamp_ntz"),
                             ("decimal(12,4)", "decimal(10,2)", "decimal(12,4)"),
                             ("decimal(10,0)", "integer", "decimal(10,0)"), ("decimal(21,1)", "long", "decimal(21,1)")):
        plant(w, [features(readers=["typeWidening", "timestampNtz"]), changed(kind, start, end)])
        expect_equal(found(w), {})
    for start, end in (("long", "integer"), ("string", "long"), ("decimal(10,2)", "decimal(11,4)"),
                       ("long", "decimal(19,0)"), ("long", "double")):
        plant(w, [wide, changed("long", start, end)])
        expect_only(w, "J1", start, end)
    plant(w, [wide, metadata(field("id", "long", **{"delta.typeChanges": [{"toType": "long"}]}))])
    expect_only(w, "J2")
    plant(w, [protocol(), changed("long", "byte", "long")])
    expect_only(w, "D21")


@test
def test_fsck__finds_type_changes_that_are_not_recorded(w):
    def typed(kind, **more):
        return metadata(field("id", kind, **more), field("s", {"type": "struct", "fields": [field("x", kind)]}))

    plant(w, [protocol(), typed("integer"), add("a")], [typed("long"), add("b")])
    expect_only(w, "J3", "'id'")
    record = {"delta.typeChanges": [{"fromType": "integer", "toType": "long"}]}
    plant(w, [features(readers=["typeWidening"]), typed("integer"), add("a")], [typed("long", **record)])
    expect_only(w, "J3", "'x'")
    plant(w, [protocol(), typed("integer"), add("a")], [typed("long"), remove("a"), add("b")])
    expect_equal(found(w), {})


@test
def test_fsck__lets_files_stay_when_their_type_comes_back(w):
    wide = features(readers=["typeWidening"])
    record = {"delta.typeChanges": [{"fromType": "integer", "toType": "long"}]}
    narrow, widened = metadata(field("id", "integer")), metadata(field("id", "long", **record))
    listed = {"delta.typeChanges": [{**record["delta.typeChanges"][0], "fieldPath": "element"}]}

    def list_of(kind, **more):
        return metadata(field("l", {"type": "array", "elementType": kind, "containsNull": True}, **more))

    for steps in ([[wide, narrow, add("a")], [widened], [add("b")], [remove("b"), narrow]],
                  [[wide, narrow, add("a")], [widened, add("a", dataChange=False)], [narrow, add("c")]],
                  [[wide, narrow, add("a")], [widened], [add("b")], [remove("b"), narrow], [add("c")], [widened],
                   [add("d")], [remove("d"), narrow]],
                  [[wide, list_of("integer"), add("a")], [list_of("long", **listed)], [list_of("integer")]]):
        plant(w, *steps)
        expect_equal(found(w), {})
    plant(w, [wide, narrow, add("a")], [widened], [add("b")], [narrow])
    expect_only(w, "J3", "'id'")
    plant(w, [wide, narrow, add("a")], [widened, add("b")], [narrow])
    expect_only(w, "J3", "'id'")
    plant(w, [wide, narrow, add("a")], [widened], [add("b")], [remove("b")], [narrow, add("b")])
    expect_only(w, "J3", "'id'")
    plant(w, [wide, narrow, add("a")], [widened], [metadata(field("id", "string"))])
    expect_only(w, "J3", "'id'")


@test
def test_fsck__knows_that_files_of_a_clone_are_older(w):
    record = {"delta.typeChanges": [{"fromType": "integer", "toType": "long"}]}
    narrow, widened = metadata(field("id", "integer")), metadata(field("id", "long", **record))
    clone = [features(readers=["typeWidening"]), {"commitInfo": {"timestamp": 1, "operation": "CLONE"}}, widened, add("a")]
    plant(w, clone, [narrow])
    expect_equal(found(w), {})
    plant(w, clone, [add("b")], [narrow])
    expect_only(w, "J3", "'id'")
    plant(w, clone, [metadata(field("id", "short"))])
    expect_only(w, "J3", "'id'")


@test
def test_fsck__finds_rows_that_break_the_rules_of_their_table(w):
    w.sql("CREATE TABLE t (id BIGINT, p INT) PARTITIONED BY (p)")
    w.sql("INSERT INTO t SELECT range, range % 2 FROM range(10)")
    w.sql("ALTER TABLE t ADD CONSTRAINT small CHECK (id + p < 20)")

    def tighten(action):
        if "metaData" in action:
            action["metaData"]["configuration"]["delta.constraints.small"] = "id + p < 8"

    expect_equal(found(w, "--data"), {})
    edit(w, 2, tighten)
    expect_rule(w, "D3", "3 rows break", "small", options=["--data"])


@test
def test_fsck__finds_files_without_statistics_of_clustering_columns(w):
    domain = {"domainMetadata": {"domain": "delta.clustering", "removed": False,
                                 "configuration": json.dumps({"clusteringColumns": [["id"]]})}}
    start = [features("clustering", "domainMetadata"), metadata(), domain]
    bounds = json.dumps({"numRecords": 1, "minValues": {"id": 1}, "maxValues": {"id": 1}, "nullCount": {"id": 0}})
    plant(w, start, [add("a", stats=bounds), add("b", rows=0)])
    expect_equal(found(w), {})
    plant(w, start, [add("a")])
    expect_only(w, "I2", "'id'")


@test
def test_fsck__finds_clustering_that_is_wrong(w):
    def clustered(*paths):
        return {"domainMetadata": {"domain": "delta.clustering", "removed": False,
                                   "configuration": json.dumps({"clusteringColumns": list(paths)})}}

    plant(w, [features("clustering", "domainMetadata"), metadata(), clustered(["id"])])
    expect_equal(found(w), {})
    plant(w, [features("clustering", "domainMetadata"), metadata(), clustered(["nope"])])
    expect_only(w, "I1", "'nope'")
    plant(w, [features("clustering", "domainMetadata"), metadata(LONG, field("p", "long"), partitions=["p"]),
              clustered(["id"])])
    expect_only(w, "I1", "both clustered and partitioned")
    plant(w, [features("domainMetadata"), metadata(), clustered(["id"])])
    expect_only(w, "D14")


# ---- Deletion vectors and row ids --------------------------------------------------------------------

DELETED = {"storageType": "i", "pathOrInlineDv": "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L",
           "sizeInBytes": 44, "cardinality": 6}


@test
def test_fsck__finds_deletion_vectors_that_are_wrong(w):
    dv = features(readers=["deletionVectors"])
    plant(w, [dv, metadata(), add("a", rows=100, deletionVector=DELETED)])
    expect_equal(found(w), {})
    plant(w, [dv, metadata(), add("a", rows=100, deletionVector=dict(DELETED, cardinality=5))])
    expect_only(w, "G5", "cardinality of 5, found 6")
    plant(w, [dv, metadata(), add("a", rows=7, deletionVector=DELETED)])
    expect_only(w, "G5", "has row")
    plant(w, [dv, metadata(), add("a", stats="{}", deletionVector=DELETED)])
    expect_only(w, "G6", "expected numRecords")
    plant(w, [dv, metadata(), add("a", rows=5, deletionVector=DELETED)])
    expect_rule(w, "G6", "has 6 rows, the file 5")
    plant(w, [dv, metadata(), add("a", rows=9, deletionVector=dict(DELETED, sizeInBytes=0, offset=4))])
    expect_rule(w, "G1")
    stored = dict(DELETED, storageType="u", pathOrInlineDv="short")
    plant(w, [dv, metadata(), add("a", rows=99, deletionVector=stored)])
    expect_rule(w, "G2")
    plant(w, [protocol(), metadata(), add("a", rows=100, deletionVector=DELETED)])
    expect_only(w, "D9")
    plant(w, [dv, metadata(), add("a", rows=100)], [add("a", rows=100, deletionVector=DELETED)])
    expect_only(w, "B8", "not removed")
    plant(w, [dv, metadata(), add("a", rows=100)], [remove("a"), add("a", rows=100, deletionVector=DELETED)])
    expect_equal(found(w), {})


def mark(value):
    return {"domainMetadata": {"domain": "delta.rowTracking", "removed": False,
                               "configuration": json.dumps({"rowIdHighWaterMark": value})}}


@test
def test_fsck__finds_row_ids_that_are_wrong(w):
    tracked = features("rowTracking", "domainMetadata")
    names = {"delta__rowTracking__materializedRowIdColumnName": "_r",
             "delta__rowTracking__materializedRowCommitVersionColumnName": "_v"}
    plant(w, [tracked, metadata(delta__enableRowTracking="true", **names), mark(9),
              add("a", rows=5, baseRowId=0, defaultRowCommitVersion=0),
              add("b", rows=5, baseRowId=5, defaultRowCommitVersion=0)])
    expect_equal(found(w), {})
    edit(w, 0, lambda a: a.get("add", {}).update(baseRowId=3))
    expect_rule(w, "H1", "row ids begin at 3")
    plant(w, [tracked, metadata(), mark(3), add("a", rows=5, baseRowId=0, defaultRowCommitVersion=0)])
    expect_only(w, "H2", "reach 4, but the mark is 3")
    plant(w, [tracked, metadata(), mark(3)], [mark(2)])
    expect_only(w, "H2", "back from 3 to 2")
    plant(w, [tracked, metadata()], [mark("much")])
    expect_only(w, "H2", "much")
    plant(w, [tracked, metadata(), add("a")])
    expect_only(w, "H1", "baseRowId")
    plant(w, [tracked, metadata(), mark(5), add("a", baseRowId=1, defaultRowCommitVersion=7)])
    expect_only(w, "H1", "at most 0, found 7")
    plant(w, [tracked, metadata(delta__enableRowTracking="true", delta__rowTrackingSuspended="true")])
    expect_rule(w, "H3", "is not set", "both true")


@test
def test_fsck__finds_ids_that_rows_should_not_have(w):
    real = ("CREATE TABLE t (id BIGINT) TBLPROPERTIES ('delta.enableRowTracking' = 'true',"
            " 'delta.enableDeletionVectors' = 'false'); INSERT INTO t SELECT * FROM range(4);"
            " DELETE FROM t WHERE id = 1")
    w.damages("t")
    for ids, rule, words in (("0 + 2 * (id > 0)::INT", "H1", ["2 rows have the id 2"]),
                             ("100 + id", "H2", ["ids from 100 to 103", "the mark is 6"]),
                             ("-1 - id", "H2", ["ids from -4 to -1"])):
        shutil.rmtree(w.path("t"), ignore_errors=True)
        w.sql(real)
        expect_equal(found(w, "--data"), {})
        path = next(a["add"]["path"] for a in w.actions("t", 2) if "add" in a)
        columns = w.rows(f"SELECT name FROM parquet_schema('{w.path('t')}/{path}') OFFSET 2")
        w.sql(f"COPY (SELECT id, {ids} AS \"{columns[0][0]}\", 1 AS \"{columns[1][0]}\" FROM (VALUES (0::BIGINT),"
              f" (2), (3)) r(id)) TO '{w.path('new')}' (FORMAT parquet)")
        os.replace(w.path("new"), os.path.join(w.path("t"), path))
        edit(w, 2, lambda a: a.get("add", {}).update(size=os.path.getsize(os.path.join(w.path("t"), path))))
        expect_rule(w, rule, *words, options=("--data",))


# ---- Files and rows ----------------------------------------------------------------------------------


@test
def test_fsck__finds_missing_shortened_and_orphan_files(w):
    real(w)
    w.damages("t")
    first, second, _ = w.files("t")
    os.unlink(os.path.join(w.path("t"), first))
    with open(os.path.join(w.path("t"), second), "ab") as file:
        file.write(b"more")
    with open(os.path.join(w.path("t"), "orphan.parquet"), "wb") as file:
        file.write(b"12345")
    os.makedirs(w.path("t/_change_data/p=1"))
    for hidden in ("_hidden", "_change_data/p=1/.cdc-0.parquet.crc"):
        with open(os.path.join(w.path("t"), hidden), "wb") as file:
            file.write(b"")
    ran = w.run("fsck", w.path("t"), "--format", "ndjson")
    findings = {f["rule"]: f for f in map(json.loads, ran.out.splitlines())}
    expect_equal(sorted(findings), ["B6", "N5", "O1"])
    expect_equal(findings["N5"]["path"], first)
    expect_equal(findings["O1"]["severity"], "note")
    expect_equal(findings["O1"]["path"], "orphan.parquet")
    expect_equal(ran.status, 5)


@test
def test_fsck__finds_statistics_that_are_not_those_of_the_rows(w):
    real(w, rows=3)

    def spoil(action):
        if "add" in action:
            stats = json.loads(action["add"]["stats"])
            stats["numRecords"] += 1
            stats["minValues"]["id"] += 100
            stats["maxValues"]["id"] += 100
            stats["minValues"]["name"] = "a"
            stats["maxValues"]["name"] = "b"
            stats["nullCount"]["name"] = 1
            action["add"]["stats"] = json.dumps(stats)

    edit(w, 1, spoil)
    expect_equal(found(w), {})
    by_rule = expect_rule(w, "M1", "numRecords is 2", options=["--data"])
    expect_equal(len(by_rule["M1"]), 3)
    expect_rule(w, "M2", 'minValues of "id"', 'maxValues of "name"', options=["--data"])
    expect_rule(w, "M4", 'nullCount of "name"', options=["--data"])


@test
def test_fsck__finds_nulls_where_none_may_be_and_files_that_are_none(w):
    w.sql("CREATE TABLE t (id BIGINT, s STRUCT<a: INT, b: STRING>); INSERT INTO t VALUES (NULL, {'a': 1, 'b': 'x'})")
    edit(w, 0, lambda a: a.get("metaData", {}).update(
        schemaString=a["metaData"]["schemaString"].replace('"nullable":true', '"nullable":false', 1))
        if "metaData" in a else None)
    expect_rule(w, "D2", '"id" is NOT NULL', options=["--data"])
    name = os.path.join(w.path("t"), w.files("t")[0])
    size = os.path.getsize(name)
    with open(name, "wb") as file:
        file.write(b"x" * size)
    expect_rule(w, "K2", options=["--data"])


sys.exit(main())
