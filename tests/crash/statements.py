#!/usr/bin/env python3
"""Many processes change one table at once, and readers look for an invariant that every change keeps.

  statements.py disjoint [--writers N] [--each N]    deletes of different rows in the same files: all succeed
  statements.py mixed [--seconds N] [--seed N]       inserts, updates, deletes and merges, and OPTIMIZE; some are killed

In `mixed` the rows come in pairs of one group whose values sum to zero. Each statement inserts a pair,
deletes one, or moves an amount inside of one; merges do several of that at once, and some of them are about a
pair that others merge, too: whoever comes first inserts it. Whatever is killed, and whoever wins, a reader sees whole
pairs only; what was acknowledged is there in the end, and conflicts (exit status 3) change nothing. With --spark N as
many threads of Spark write and read the table, too: `PYTHONPATH=tools/peers .peers/venv/bin/python statements.py`.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time

from killing import PROGRAM, Failure, finish, run_program, run_until, was_killed

WRITERS = 8
READERS = 2
FIRST_GROUPS = 40
FILES = 4
CONFLICT = 3
KILLED_SHARE = 0.15
INSERTS = 0.2  # a kind of statement


def rows(statement):
    return [json.loads(line) for line in run_program("sql", "-c", statement, "--format", "ndjson").splitlines()]


def create(name, columns):
    run_program("sql", "-c", f"CREATE TABLE {name} ({columns}) USING DELTA TBLPROPERTIES "
                     "('delta.enableDeletionVectors' = 'true', 'delta.checkpointInterval' = '10')")


def check_soundness(folder):
    run_program("fsck", folder, "--data")


# ---- different rows of the same files ---------------------------------------------------------------


def disjoint(options, folder):
    table = os.path.join(folder, "table")
    name = f"delta.`{table}`"
    create(name, "id BIGINT")
    count = options.writers * options.each
    for file in range(FILES):
        run_program("sql", "-c", f"INSERT INTO {name} SELECT {file} * {2 * count} + range FROM range({2 * count})")
    scripts = []
    for writer in range(options.writers):
        path = os.path.join(folder, f"writer-{writer}.sql")
        with open(path, "w", encoding="utf-8") as script:
            for i in range(options.each):
                row = i * options.writers + writer
                ids = ", ".join(str(file * 2 * count + row) for file in range(FILES))
                script.write(f"DELETE FROM {name} WHERE id IN ({ids});\n")
        scripts.append(path)
    started = time.monotonic()
    processes = [subprocess.Popen([PROGRAM, "sql", path], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE) for path in scripts]
    for process in processes:
        error = process.communicate()[1].decode()
        if process.returncode != 0:
            raise Failure(f"a delete of rows that nobody else deletes failed: {error}")
    took = time.monotonic() - started
    left = rows(f"SELECT count(*) AS n, count(*) FILTER (id % {2 * count} < {count}) AS odd FROM {name}")[0]
    if left != {"n": FILES * count, "odd": 0}:
        raise Failure(f"expected {FILES * count} rows and none that was deleted, found {left}")
    versions = rows(f"DESCRIBE HISTORY {name}")
    if sum(1 for version in versions if version["operation"] == "DELETE") != count:
        raise Failure("not every delete is a version")
    check_soundness(table)
    print(f"{count} deletes by {options.writers} processes, {count / took:.0f} a second")


# ---- anything ---------------------------------------------------------------------------------------


class World:
    def __init__(self, folder):
        self.table = os.path.join(folder, "table")
        self.name = f"delta.`{self.table}`"
        self.lock = threading.Lock()  # guards all below
        self.next_group = FIRST_GROUPS
        self.groups = set(range(FIRST_GROUPS))  # that nobody tried to delete
        self.merged = []                        # never deleted, but merged by several
        self.sure = set(range(FIRST_GROUPS))    # of them, those whose insert was acknowledged
        self.deleted = set()                    # whose deletion was acknowledged
        self.counts = {what: 0 for what in ("done", "conflicts", "kills", "reads", "packed")}
        self.failure = None
        self.until = 0.0
        self.launcher = []

    def is_over(self):
        return self.failure is not None or time.monotonic() > self.until

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def create(self):
        create(self.name, "g BIGINT, n INT, v BIGINT")
        size = FIRST_GROUPS // FILES
        for file in range(FILES):
            run_program("sql", "-c", f"INSERT INTO {self.name} SELECT {file * size} + range // 2, range % 2, 0 "
                             f"FROM range({2 * size})")

    # The lock is held in these.

    def new_group(self):
        self.next_group += 1
        return self.next_group - 1

    def add(self, group):
        self.groups.add(group)
        self.sure.add(group)

    @staticmethod
    def pair(group, amount):
        return f"VALUES ({group}, 0, {amount}), ({group}, 1, -{amount})"

    def merge(self, source, clauses):
        return (f"MERGE INTO {self.name} AS t USING (SELECT * FROM ({source}) AS r(g, n, v)) AS s "
                f"ON t.g = s.g AND t.n = s.n {clauses}")

    def merge_one(self, chance, amount):
        """Of two that find it missing only one inserts it, or there were two of each row."""
        if not self.merged or chance.random() < 0.4:
            self.merged.append(self.new_group())
        group = chance.choice(self.merged[-3:])
        return (self.merge(self.pair(group, amount),
                           "WHEN MATCHED THEN UPDATE SET v = t.v + s.v WHEN NOT MATCHED THEN INSERT *"),
                lambda: self.sure.add(group))

    def merge_several(self, group, amount):
        """One pair changes and one comes."""
        new = self.new_group()
        return (self.merge(f"{self.pair(group, amount)} UNION ALL {self.pair(new, amount)}",
                           "WHEN MATCHED THEN UPDATE SET v = t.v + s.v "
                           f"WHEN NOT MATCHED AND s.g = {new} THEN INSERT *"),
                lambda: self.add(new))

    def choose(self, chance, kind):
        """A statement, and what it means when it is acknowledged; `kind`: from 0 to 1."""
        amount = chance.randrange(1, 1000)
        with self.lock:
            if kind < 0.1:
                return self.merge_one(chance, amount)
            if kind < 0.3 or not self.groups:
                group = self.new_group()
                return (f"INSERT INTO {self.name} {self.pair(group, amount)}", lambda: self.add(group))
            group = chance.choice(sorted(self.groups))
            if kind < 0.45:
                self.groups.discard(group)
                self.sure.discard(group)
                statement = (f"DELETE FROM {self.name} WHERE g = {group}" if kind < 0.38 else
                             self.merge(self.pair(group, 0), "WHEN MATCHED THEN DELETE"))
                return statement, lambda: self.deleted.add(group)
            if kind < 0.6:
                return self.merge_several(group, amount)
        return (f"UPDATE {self.name} SET v = v + CASE n WHEN 0 THEN {amount} ELSE -{amount} END "
                f"WHERE g = {group}", lambda: None)

    def run_or_kill(self, chance, statement):
        moment = chance.uniform(0, 1.0) if chance.random() < KILLED_SHARE else None
        return run_until([*self.launcher, PROGRAM, "sql", "-c", statement], moment)

    def write(self, seed):
        chance = random.Random(seed)
        while not self.is_over():
            statement, acknowledge = self.choose(chance, chance.random())
            status, error = self.run_or_kill(chance, statement)
            if status == 0:
                with self.lock:
                    acknowledge()
                self.count("done")
            elif status == CONFLICT:
                self.count("conflicts")
            elif was_killed(status):
                self.count("kills")
            else:
                raise Failure(f"{statement}: exit status {status}: {error}")

    def compact(self, seed):
        """Packs files over and over: nobody may notice, and it may not fail."""
        chance = random.Random(seed)
        while not self.is_over():
            status, error = self.run_or_kill(chance, f"OPTIMIZE {self.name}")
            if status != 0 and not was_killed(status):
                raise Failure(f"OPTIMIZE: exit status {status}: {error}")
            self.count("packed" if status == 0 else "kills")

    def write_by_spark(self, seed):
        """The same statements by Spark, which reads now and then, too; it cannot be killed."""
        chance, session = random.Random(seed), spark_session()
        while not self.is_over():
            if chance.random() < 0.3:
                self.check_rows([row.asDict() for row in session.sql(self.groups_query()).collect()])
                self.count("reads by Spark")
            # Half of them insert: as Spark takes its time, somebody was mostly first with others.
            kind = chance.random()
            statement, acknowledge = self.choose(chance, INSERTS if kind < 0.5 else kind * 2 - 1)
            try:
                session.sql(statement).collect()
            except Exception as error:  # noqa: BLE001 - Spark has a class for each
                if "DELTA_CONCURRENT" not in str(error):
                    raise Failure(f"Spark: {statement}: {str(error)[:2000]}") from error
                self.count("conflicts of Spark")
                continue
            with self.lock:
                acknowledge()
            self.count("done by Spark")

    def each_kind(self):
        """Statements of each kind that leave nothing, to load what they need."""
        pair = self.pair(-1, 0)
        return [self.merge(pair, "WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT *"),
                f"INSERT INTO {self.name} {pair}", f"UPDATE {self.name} SET v = v + 1 WHERE g = -1",
                f"DELETE FROM {self.name} WHERE g = -1", self.groups_query()]

    def groups_query(self):
        return (f"SELECT g, count(*) AS c, CAST(sum(v) AS BIGINT) AS s, count(DISTINCT n) AS d FROM {self.name}"
                " GROUP BY g")

    def look(self):
        """Every group that is there is whole."""
        return {row["g"] for row in self.check_rows(rows(self.groups_query()))}

    @staticmethod
    def check_rows(found):
        for row in found:
            if (row["c"], row["s"], row["d"]) != (2, 0, 2):
                raise Failure(f"a reader saw a group that is torn: {row}")
        return found

    def read(self, _seed):
        while not self.is_over():
            self.look()
            self.count("reads")

    def guarded(self, work, seed):
        try:
            work(seed)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the others must stop
            with self.lock:
                self.failure = self.failure or failure

    def check_end(self):
        there = self.look()
        if self.sure - there:
            raise Failure(f"acknowledged and lost: {sorted(self.sure - there)}")
        if self.deleted & there:
            raise Failure(f"deleted and there: {sorted(self.deleted & there)}")
        check_soundness(self.table)


def spark_session():
    from dwpeers import spark  # only there where tools/peers set it up

    return spark.session(beside_others=True)


def stop_spark():
    from dwpeers import spark

    spark.stop()


def mixed(options, folder):
    world = World(folder)
    world.create()
    if options.spark:  # it takes long to start, and would come to little beside so many
        world.launcher = ["nice", "-n", "10"]
        world.counts.update({f"{what} Spark": 0 for what in ("done by", "conflicts of", "reads by")})
        for statement in world.each_kind():
            spark_session().sql(statement).collect()
    world.until = time.monotonic() + options.seconds
    work = [(world.write, options.seed * 100 + i) for i in range(WRITERS)]
    work += [(world.write_by_spark, options.seed * 100 + 50 + i) for i in range(options.spark)]
    work += [(world.read, 0)] * READERS + [(world.compact, options.seed * 100 + 90)]
    threads = [threading.Thread(target=world.guarded, args=item) for item in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if options.spark:
        stop_spark()
    if world.failure is not None:
        raise world.failure
    world.check_end()
    print(", ".join(f"{number} {what}" for what, number in world.counts.items()))
    if any(number == 0 for what, number in world.counts.items() if what.startswith(("done", "reads"))):
        raise Failure("nobody came to anything")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["disjoint", "mixed"])
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--each", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--spark", type=int, default=0, metavar="N", help="threads of Spark that write, too")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    body = {"disjoint": disjoint, "mixed": mixed}[options.what]
    return finish("statements", lambda folder: body(options, folder))


if __name__ == "__main__":
    sys.exit(main())
