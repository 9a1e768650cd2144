"""How checks are declared, run and counted."""
import os
import shutil
import time
import traceback

from dwpeers import product


# Tables that break a rule, because a peer writes them so or on purpose: name -> what is wrong with them.
BROKEN = {
    "delta-rs/partitioned_by_decimal": "delta-rs writes negative decimals as partition values that are none",
    "ours/compacted_log": "its commits were emptied on purpose",
}


def fsck(name, path):
    """None, or the first findings that are more than notes."""
    if name in BROKEN:
        raise Skip(BROKEN[name])
    try:
        out = product.run("fsck", path, "--data", "--format", "csv")
    except product.ProductError as e:
        if e.status != product.EXIT_DAMAGED:
            return str(e)
        out = e.stdout
    found = [line for line in out.splitlines() if line.startswith(("error,", "warning,"))]
    return " | ".join(found[:3]) or None


class Skip(Exception):
    """A check that cannot say anything here, with the reason."""


class Run:
    """One run: which engines take part, where files go, and what came out."""

    def __init__(self, folder, engines, only, verbose):
        self.folder = folder
        self.engines = engines
        self.only = only
        self.verbose = verbose
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.outcomes = {}  # name of a check -> how it ended, and what it said
        self.started = time.monotonic()

    def path(self, name):
        """A fresh place for a table, which is not there yet."""
        path = os.path.join(self.folder, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def wants(self, name):
        return not self.only or any(word in name for word in self.only)

    def check(self, name, function, *arguments):
        """Runs one check: a function that returns None, or a line that says what is wrong."""
        if not self.wants(name):
            return None
        start = time.monotonic()
        try:
            problem = function(*arguments)
            outcome = "failed" if problem else "passed"
        except Skip as e:
            outcome, problem = "skipped", str(e)
        except Exception as e:  # one check must not hide the others
            outcome, problem = "failed", f"{type(e).__name__}: {' '.join(str(e).split())[:700]}"
            if self.verbose:
                traceback.print_exc()
        self.counts[outcome] += 1
        self.outcomes[name] = outcome, problem
        if outcome != "passed":
            print(f"{outcome}: {name}: {problem}", flush=True)
        elif self.verbose:
            print(f"passed: {name} ({time.monotonic() - start:.1f} s)", flush=True)
        return outcome == "passed"

    def check_tables(self, prefix, folder, under):
        """Every table below the folder, whoever wrote it, must keep the protocol's rules."""
        for root, names, _ in os.walk(folder):
            names.sort()
            if "_delta_log" in names:
                name = os.path.join(under, os.path.relpath(root, folder))
                if not name.startswith("damage"):
                    self.check(f"fsck/{prefix}/{name}", fsck, name, root)

    def finish(self):
        print(f"interoperability checked in {time.monotonic() - self.started:.0f} s")
        tail = f", {self.counts['skipped']} skipped" if self.counts["skipped"] else ""
        print(f"{self.counts['passed']} passed, {self.counts['failed']} failed{tail}")
        return 1 if self.counts["failed"] or not self.counts["passed"] else 0
