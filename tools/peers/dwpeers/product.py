"""Runs our own program the way a user would: as a process, by its command line."""
import os
import subprocess
import tempfile

import pyarrow as pa
import pyarrow.ipc  # noqa: F401

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
TIMEOUT_S = 300

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_CONFLICT = 0, 1, 2, 3
EXIT_UNSUPPORTED, EXIT_DAMAGED, EXIT_STORAGE = 4, 5, 6


class ProductError(Exception):
    """A run of the program that did not exit with status 0."""

    def __init__(self, status, stderr, args, stdout=""):
        self.status = status
        self.stderr = stderr.strip()
        self.stdout = stdout
        super().__init__(f"exit status {status}: {self.stderr[:1000] or '(nothing on stderr)'}")


def program():
    path = os.environ.get("DELTAWORKS", os.path.join(ROOT, "build", "deltaworks"))
    if not os.access(path, os.X_OK):
        raise SystemExit(f"expected the program at {path}, found none; run 'make' first")
    return path


def run(*args, timeout=TIMEOUT_S):
    """Runs the program; returns its stdout, raises ProductError unless it exits with 0."""
    done = subprocess.run(
        [program(), *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        env={**os.environ, "TZ": "UTC"},
    )
    if done.returncode != 0:
        raise ProductError(done.returncode, done.stderr, args, done.stdout)
    return done.stdout


def table_sql(path):
    """The table at a path as SQL names it."""
    return "delta.`" + os.path.abspath(path).replace("`", "``") + "`"


# Before a CREATE TABLE: the table has no properties but those that it is told to have.
PLAIN = "SET spark.databricks.delta.properties.defaults.enableDeletionVectors = false; "


def sql(statements):
    return run("sql", "-c", statements)


def query(statement):
    """The typed rows of one SELECT. Not as Parquet: its writer makes -0.0 and 0.0 one value."""
    with tempfile.TemporaryDirectory(prefix="dw-rows-") as folder:
        out = os.path.join(folder, "rows.arrow")
        run("sql", "-c", statement, "--format", "arrow", "--output", out)
        with pa.OSFile(out, "rb") as file, pa.ipc.open_stream(file) as stream:
            return stream.read_all()


def read(path, version=None, where=None, columns="*"):
    """All rows of a table, at a version if one is given."""
    at = "" if version is None else f" VERSION AS OF {version}"
    condition = f" WHERE {where}" if where else ""
    return query(f"SELECT {columns} FROM {table_sql(path)}{at}{condition}")
