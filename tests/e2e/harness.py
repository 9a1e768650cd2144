"""Runs the program as a user would, in a folder that goes away again."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

PROGRAM = os.path.abspath(os.environ.get("DELTAWORKS_PROGRAM", "build/deltaworks"))
TIMEOUT_S = 120
TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Failure(Exception):
    pass


class Ran:
    """What one run of the program left."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode()
        self.err = done.stderr.decode()

    def __repr__(self):
        return f"exit status {self.status}, stdout {self.out[:600]!r}, stderr {self.err[:600]!r}"


# Before a CREATE TABLE: the table has no properties but those that it is told to have.
PLAIN = "SET spark.databricks.delta.properties.defaults.enableDeletionVectors = false; "


class World:
    """A scratch folder, which is also the warehouse."""

    def __init__(self, folder):
        self.folder = folder
        self.may_be_damaged = set()

    def path(self, name):
        return os.path.join(self.folder, name)

    def environment(self):
        """The user's home is left alone: what is remembered of use goes into the folder, hidden."""
        return dict(os.environ, DELTAWORKS_WAREHOUSE=self.folder, LC_ALL="C.UTF-8",
                    XDG_STATE_HOME=self.path(".state"))

    def run(self, *arguments, stdin=b"", preexec=None, **environment):
        env = {**self.environment(), **environment}
        done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True,
                              timeout=TIMEOUT_S, env=env, cwd=self.folder, preexec_fn=preexec)
        return Ran(done)

    def damages(self, *tables):
        """Says that the test damages these tables: they are not checked when it ends."""
        self.may_be_damaged.update(tables)

    def check_tables(self):
        """Every table that the test made must keep the protocol's rules."""
        for folder, names, _ in os.walk(self.folder):
            if "_delta_log" not in names:
                continue
            name = os.path.relpath(folder, self.folder)
            if name in self.may_be_damaged or not os.listdir(os.path.join(folder, "_delta_log")):
                continue
            ran = self.run("fsck", folder, "--data", "--format", "csv")
            found = [f for f in ran.out.splitlines() if f.startswith(("error,", "warning,"))]
            expect(ran.status == 0 and not found, f"no findings in {name}: {ran!r}")

    def start(self, *arguments, **options):
        env = self.environment()
        return subprocess.Popen([PROGRAM, *arguments], env=env, cwd=self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def sql(self, statements, *arguments):
        """Runs statements that must succeed; returns stdout."""
        ran = self.run("sql", "-c", statements, *arguments)
        if ran.status != 0:
            raise Failure(f"{statements!r} failed: {ran!r}")
        return ran.out

    def rows(self, query):
        """The rows of a query as lists of JSON values."""
        out = self.sql(query, "--format", "ndjson")
        return [list(json.loads(line).values()) for line in out.splitlines()]

    def value(self, query):
        found = self.rows(query)
        expect(len(found) == 1 and len(found[0]) == 1, f"one value, found {found!r}")
        return found[0][0]

    def files(self, table):
        """All files below a table, relative to it, its log left out."""
        root = self.path(table)
        found = []
        for folder, _, names in os.walk(root):
            found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
        return sorted(f for f in found if not f.startswith("_delta_log"))

    def log(self, table, version):
        return os.path.join(self.path(table), "_delta_log", f"{version:020d}.json")

    def actions(self, table, version):
        with open(self.log(table, version), encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.strip()]

    def write_log(self, table, version, actions):
        os.makedirs(os.path.dirname(self.log(table, version)), exist_ok=True)
        with open(self.log(table, version), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(a) + "\n" for a in actions)


def expect(condition, what):
    if not condition:
        raise Failure(f"expected {what}")


def expect_equal(found, expected):
    expect(found == expected, f"{expected!r}, found {found!r}")


def expect_failure(ran, status, *words):
    """The run failed with that status and one line that has all the words."""
    expect(ran.status == status, f"exit status {status}: {ran!r}")
    lines = ran.err.strip().splitlines()
    expect(len(lines) == 1 and lines[0].startswith("deltaworks: "), f"one line on stderr: {ran!r}")
    for word in words:
        expect(word in lines[0], f"{word!r} in {lines[0]!r}")


def main():
    wanted = sys.argv[1:]
    passed = failed = 0
    for function in TESTS:
        if wanted and not any(w in function.__name__ for w in wanted):
            continue
        folder = tempfile.mkdtemp(prefix="dw-e2e-")
        try:
            world = World(folder)
            function(world)
            if not function.__name__.startswith("test_damage__"):
                world.check_tables()
            passed += 1
        except Exception as error:  # every other test is to run
            failed += 1
            detail = str(error) if isinstance(error, Failure) else traceback.format_exc()
            print(f"FAILED {function.__name__}: {detail}", flush=True)
        finally:
            subprocess.run(["chmod", "-R", "u+w", folder], check=False)
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0
