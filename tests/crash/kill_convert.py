#!/usr/bin/env python3
"""Kills CONVERT TO DELTA and FSCK REPAIR TABLE at random moments: each is one commit, or none, and touches no file.

  kill_convert.py [--rounds N] [--seed N] [--only WORD]
"""

import os
import shutil
import sys

from killing import Case, Failure, run_cases, run_program

FILES = 24


def sql(text):
    return run_program("sql", "--format", "csv", "-c", text)


def rows(table):
    return sql(f"SELECT count(*) AS n, sum(hash(id, s, p)) AS h FROM delta.`{table}`")


def commits(table):
    log = os.path.join(table, "_delta_log")
    names = os.listdir(log) if os.path.isdir(log) else []
    return sorted(n for n in names if n.endswith(".json") and len(n) == 25)


def data_files(table):
    """What must stay as it is."""
    found = {}
    for folder, _, names in os.walk(table):
        if "_delta_log" not in folder:
            for name in names:
                stat = os.stat(os.path.join(folder, name))
                found[os.path.relpath(os.path.join(folder, name), table)] = (stat.st_size, stat.st_mtime_ns)
    return found


class OneCommit(Case):
    def check(self, table, is_done):
        raise NotImplementedError

    def follow(self, table):
        files = data_files(table)
        self.check(table, False)
        for _ in range(2):
            sql(self.command(table))
            self.check(table, True)
        if files != self.files or data_files(table) != self.files:
            raise Failure(f"expected {self.files}, found {files}, then {data_files(table)}")


class Convert(OneCommit):
    """A directory of partitions."""

    name = "CONVERT"

    def make(self, table):
        sql(f"COPY (SELECT range AS id, 'x' || range AS s, range % {FILES} AS p FROM range(60000)) TO '{table}' "
            "(FORMAT parquet, PARTITION_BY (p))")
        self.expected = sql(f"SELECT count(*) AS n, sum(hash(id, s, p::INT)) AS h FROM read_parquet('{table}/*/*.parquet', "
                            "hive_partitioning = true)")
        self.files = data_files(table)

    def command(self, table):
        return f"CONVERT TO DELTA parquet.`{table}` PARTITIONED BY (p INT)"

    def check(self, table, is_done):
        if is_done or commits(table):
            if len(commits(table)) != 1 or rows(table) != self.expected:
                raise Failure(f"expected one commit and {self.expected!r}, found {commits(table)}, {rows(table)!r}")
            run_program("fsck", table, "--data")


class Repair(OneCommit):
    """A table of which some files are lost."""

    name = "FSCK REPAIR"

    def make(self, table):
        sql(f"CREATE TABLE delta.`{table}` (id BIGINT, s STRING, p INT) PARTITIONED BY (p); INSERT INTO "
            f"delta.`{table}` SELECT range, 'x' || range, range % {FILES} FROM range(60000)")
        self.expected = sql(f"SELECT count(*) AS n, sum(hash(id, s, p)) AS h FROM delta.`{table}` WHERE p % 8 <> 3")
        for p in range(3, FILES, 8):
            shutil.rmtree(os.path.join(table, f"p={p}"))
        self.files = data_files(table)

    def command(self, table):
        return f"FSCK REPAIR TABLE delta.`{table}`"

    def check(self, table, is_done):
        count = len(commits(table))
        if count != 3 and (is_done or count != 2):
            raise Failure(f"expected one commit more, found {commits(table)}")
        if count == 3:
            if rows(table) != self.expected:
                raise Failure(f"expected {self.expected!r}, found {rows(table)!r}")
            run_program("fsck", table, "--data")


if __name__ == "__main__":
    sys.exit(run_cases("kill-convert", __doc__, [Convert(), Repair()]))
