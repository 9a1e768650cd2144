"""What the tests of this folder share: a session of the product, and seeds one after the other.

  NAME.py STATEMENTS --count 20 [--from SEED]    that many seeds
  NAME.py STATEMENTS --seed 17 [--keep] [-v]     one again: every statement and what came of it
"""
import argparse
import concurrent.futures
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import traceback


class Failure(Exception):
    pass


class Session:
    """One session of the product in a process of its own."""

    def __init__(self, program, folder, shows):
        self.command = [program, folder]
        self.shows = shows
        self.log = []
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def restart(self):
        """What was cached is gone, and so are temporary tables."""
        self.close()
        self.start()

    def restart_keeping(self, table):
        """The same, but this temporary table is there again."""
        copy = os.path.join(self.command[1], f"{table}.parquet")
        self.run(f"COPY {table} TO '{copy}' (FORMAT parquet)")
        self.restart()
        self.run(f"CREATE TEMP TABLE {table} AS SELECT * FROM read_parquet('{copy}')")

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(60)
        if status != 0:
            raise Failure(f"the process ended with status {status}")

    def ask(self, sql):
        """The answer, which may be an error."""
        self.log.append(sql)
        self.process.stdin.write(sql.replace("\n", " ") + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"the process ended with status {self.process.wait(60)} at {sql}")
        answer = json.loads(line)
        if self.shows:
            print(f"{sql};\n  -- {line.strip()[:400]}", flush=True)
        return answer

    def run(self, sql):
        """The rows of a statement that must succeed."""
        answer = self.ask(sql)
        if "error" in answer:
            raise Failure(f"{sql}: {answer['message']} [{answer['error']}]")
        return answer["rows"]


def expect(condition, what):
    if not condition:
        raise Failure(f"expected {what}")


def run_seed(check, options, seed):
    """None, or what went wrong."""
    folder = tempfile.mkdtemp(prefix="dw-property-")
    session = None
    try:
        session = Session(options.statements, folder, options.verbose)
        check(session, random.Random(seed), folder)
        session.close()
        return None
    except Failure as error:
        return str(error)
    except Exception:  # the other seeds are to run
        return traceback.format_exc()
    finally:
        if session is not None:
            session.process.kill()
            session.process.wait()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def main(check):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("statements", type=os.path.abspath)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--jobs", type=int, default=1, help="seeds at the same time; 0: one a core")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--keep", action="store_true", help="keep the folder of the tables")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    if options.seed is not None:
        options.first, options.count = options.seed, 1
        options.verbose = True
    print(f"seeds {options.first} to {options.first + options.count - 1}", flush=True)
    failed = 0
    seeds = range(options.first, options.first + options.count)
    with concurrent.futures.ThreadPoolExecutor(options.jobs or os.cpu_count()) as pool:
        for seed, wrong in zip(seeds, pool.map(lambda s: run_seed(check, options, s), seeds)):
            if wrong is not None:
                failed += 1
                print(f"FAILED seed {seed}: {wrong}\n  again: {sys.argv[0]} {sys.argv[1]} --seed {seed}",
                      flush=True)
    print(f"{options.count - failed} passed, {failed} failed")
    return 1 if failed else 0
