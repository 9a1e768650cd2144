"""Random predicates over random tables: with files ruled out the rows are those of a plain table.

The tables have all that the pruning of files must see through: partition columns of every type, mapped
names, deletion vectors, widened types, values that statistics cut or lack, and old versions.
"""
import json
import os
import sys

import seeds
from predicates import predicate
from seeds import Failure
from tables import Shape, quote

PREDICATES = 40
BATCH = 10
# What a column may become, and how the log calls both.
WIDER = {
    "SMALLINT": [("INT", "short", "integer"), ("BIGINT", "short", "long")],
    "INT": [("BIGINT", "integer", "long"), ("DOUBLE", "integer", "double")],
    "FLOAT": [("DOUBLE", "float", "double")],
    "DATE": [("TIMESTAMP_NTZ", "date", "timestamp_ntz")],
    "DECIMAL(9,2)": [("DECIMAL(25,3)", "decimal(9,2)", "decimal(25,3)")],
}


class Pruning:
    def __init__(self, session, rng, folder):
        self.session, self.rng, self.folder = session, rng, folder
        self.shape = Shape(rng)
        self.shape.properties["delta.enableTypeWidening"] = True
        self.shape.properties["delta.feature.timestampNtz"] = "supported"
        if rng.random() < 0.3:
            self.shape.properties["delta.checkpoint.writeStatsAsStruct"] = True
            self.shape.properties["delta.checkpoint.writeStatsAsJson"] = rng.random() < 0.5

    # ---- The table ---------------------------------------------------------------------------------

    def both(self, sql):
        self.session.run(sql.replace("{T}", "t"))
        self.session.run(sql.replace("{T}", "m"))

    def insert(self, start):
        """A file of rows near each other, so that bounds differ from file to file."""
        fixed = {c.name: self.shape.value_of(self.rng, c) for c in self.shape.columns
                 if self.rng.random() < 0.4}
        rows = []
        for i in range(self.rng.choice([1, 2, 3, 6])):
            values = [str(start + i) if c.name == "id" else
                      fixed.get(c.name) or self.shape.value_of(self.rng, c)
                      for c in self.shape.columns]
            rows.append(f"({', '.join(values)})")
        self.both(f"INSERT INTO {{T}} VALUES {', '.join(rows)}")

    def last_commit(self):
        log = os.path.join(self.folder, "t", "_delta_log")
        names = sorted(n for n in os.listdir(log) if n.endswith(".json") and n[:20].isdigit())
        return log, int(names[-1][:20]), [os.path.join(log, n) for n in names]

    def widen(self):
        """Changes the type of a column, as Spark would, by hand."""
        columns = [c for c in self.shape.columns[1:] if c.kind in WIDER]
        if not columns:
            return
        column = self.rng.choice(columns)
        kind, old, new = self.rng.choice(WIDER[column.kind])
        log, version, commits = self.last_commit()
        found = [a["metaData"] for c in commits for a in map(json.loads, open(c, encoding="utf-8"))
                 if "metaData" in a]
        if not found:
            return  # it is in a checkpoint alone
        schema = json.loads(found[-1]["schemaString"])
        field = next(f for f in schema["fields"] if f["name"] == column.name)
        field["type"] = new
        changes = field["metadata"].setdefault("delta.typeChanges", [])
        changes.append({"fromType": old, "toType": new})
        metadata = dict(found[-1], schemaString=json.dumps(schema))
        actions = [{"metaData": metadata}]
        if self.shape.properties.get("delta.enableInCommitTimestamps"):
            with open(commits[-1], encoding="utf-8") as file:
                info = json.loads(file.readline())["commitInfo"]
            at = info["inCommitTimestamp"] + 1
            actions.insert(0, {"commitInfo": {"inCommitTimestamp": at, "timestamp": at,
                                              "operation": "CHANGE COLUMN"}})
        with open(os.path.join(log, f"{version + 1:020d}.json"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(a) + "\n" for a in actions)
        column.kind = kind
        self.session.run(f"ALTER TABLE m ALTER {quote(column.name)} TYPE {column.engine_kind}")

    def index(self):
        """Bloom filters of some columns: all files so far get them, and later ones at once."""
        columns = [c.name for c in self.shape.columns
                   if not c.is_nested and c.kind not in ("BOOLEAN", "VARIANT") and
                   c.name not in self.shape.partitions]
        chosen = self.rng.sample(columns, self.rng.randrange(1, len(columns) + 1))
        fpp = self.rng.choice(["0.5", "0.1", "0.001"])
        self.session.run(f"CREATE BLOOMFILTER INDEX ON t ({', '.join(map(quote, chosen))}) OPTIONS (fpp = {fpp})")

    def build(self):
        self.session.run(self.shape.create("t"))
        self.session.run(self.shape.create_model("m"))
        indexed = self.rng.random()
        for i in range(self.rng.randrange(5, 14)):
            self.insert(10 * i)
            if self.rng.random() < (0.3 if indexed < 0.6 else 0):
                self.index()
            way = self.rng.random()
            if way < 0.12:
                self.both(f"DELETE FROM {{T}} WHERE {predicate(self.rng, self.shape.columns, 1)}")
            elif way < 0.24:
                self.both(f"DELETE FROM {{T}} WHERE id % {self.rng.choice([2, 3, 5])} = 0")
            elif way < 0.3:
                self.session.run("CHECKPOINT t")
            elif way < 0.4:
                self.widen()
            elif way < 0.45:
                self.session.restart_keeping("m")

    # ---- Queries -----------------------------------------------------------------------------------

    def question(self):
        """FROM and WHERE of a query over {T}, whose rows are called x."""
        where = predicate(self.rng, self.shape.columns)
        way = self.rng.random()
        if way < 0.7:
            return f"{{T}} x WHERE {where}"
        other = predicate(self.rng, self.shape.columns, 1)
        if way < 0.8:
            return f"{{T}} x WHERE id IN (SELECT id + 1 FROM {{T}} WHERE {other}) AND {where}"
        if way < 0.9:
            keys = ", ".join(f"({self.rng.randrange(130)})" for _ in range(5))
            return f"{{T}} x SEMI JOIN (VALUES {keys}) keys(id) USING (id) WHERE {where}"
        return f"(SELECT * FROM {{T}} WHERE {other}) x WHERE {where}"

    def ask(self, questions, table):
        text = " UNION ALL ".join(
            f"SELECT CAST({i} AS BIGINT) AS i, count(*), CAST(sum(hash(x.id)) AS VARCHAR) FROM {q}"
            for i, q in enumerate(questions)).replace("{T}", table)
        return sorted(self.session.run(text + " ORDER BY 1"))

    def run(self):
        self.build()
        for _ in range(PREDICATES // BATCH):
            questions = [self.question() for _ in range(BATCH)]
            found, wanted = self.ask(questions, "t"), self.ask(questions, "m")
            for f, w in zip(found, wanted):
                if f != w:
                    raise Failure(f"{questions[w[0]]}: expected {w[1:]}, found {f[1:]}")
        findings = self.session.run("FSCK TABLE t")
        if [f for f in findings if f[0] != "note"]:
            raise Failure(f"findings: {findings}")


def check(session, rng, folder):
    Pruning(session, rng, folder).run()


if __name__ == "__main__":
    sys.exit(seeds.main(check))
