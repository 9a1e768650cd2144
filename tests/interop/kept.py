"""Tables that Spark writes, kept from run to run: each is written anew when what writes it changes.

A table is a folder of a name: `delta/`, what Spark told of it, and last of all its `stamp`, so a run
that was killed goes on where it stopped. The stamp is a digest of the function that writes the table and
of everything of ours that the function uses: neither a new table nor a new check makes another stale.
"""
import ast
import contextlib
import fcntl
import functools
import hashlib
import inspect
import os
import shutil
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))


@functools.cache
def definitions(module_name):
    """The module's own top level: name -> (code, what the code names as (module or None, name))."""
    module = sys.modules[module_name]
    with open(module.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    found = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        else:
            continue
        used = {(n.value.id, n.attr) for n in ast.walk(node)
                if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)}
        used |= {(None, n.id) for n in ast.walk(node) if isinstance(n, ast.Name)}
        found.update((name, (ast.unparse(node), used)) for name in names)
    return found


def resolved(module_name, owner, name):
    """(module, name) of what a module calls `name` or `owner.name`, or None where it is not ours."""
    thing = getattr(sys.modules[module_name], owner or name, None)
    if owner is None and name in definitions(module_name):
        return module_name, name
    if inspect.ismodule(thing):
        module, name = (thing.__name__, name) if owner else (None, None)
    else:
        module, name = getattr(thing, "__module__", None), getattr(thing, "__name__", None)
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return (module, name) if os.path.dirname(os.path.abspath(file)) == HERE and module else None


def fingerprint(name, function, *also):
    """A digest of a table's name and of all code that writes it; `also`: functions that every table uses."""
    outermost = [(f.__module__, f.__qualname__.split(".")[0]) for f in (function, *also)]
    seen, left = set(), outermost
    while left:
        module, asked = place = left.pop()
        if place in seen or asked not in definitions(module):
            continue
        seen.add(place)
        for owner, used in definitions(module)[asked][1]:
            more = resolved(module, owner, used)
            if more:
                left.append(more)
    code = [definitions(module)[asked][0] for module, asked in sorted(seen)]
    bound = [repr(cell.cell_contents) for cell in function.__closure__ or ()
             if not callable(cell.cell_contents)]
    return hashlib.sha256("\0".join([name, *bound, *code]).encode()).hexdigest()


class Store:
    """A folder of such tables; write_case(case, name) writes one and what Spark tells of it."""

    def __init__(self, folder, tables, write_case):
        self.folder = folder
        self.tables = tables
        self.write_case = write_case

    def case(self, name):
        return os.path.join(self.folder, name)

    def stamp(self, name):
        return fingerprint(name, self.tables[name], self.write_case)

    def is_fresh(self, name):
        try:
            with open(os.path.join(self.case(name), "stamp"), encoding="utf-8") as file:
                return file.read() == self.stamp(name)
        except FileNotFoundError:
            return False

    def generate(self, fresh=False, wanted=lambda name: True):
        """Writes the tables that are missing or stale, or all of them; removes what nobody writes any more."""
        os.makedirs(self.folder, exist_ok=True)
        for name in filter(wanted, self.tables):
            with self.locked():
                if fresh or not self.is_fresh(name):
                    self.generate_one(name)
        for name in set(os.listdir(self.folder)) - set(self.tables) - {".lock"}:
            shutil.rmtree(self.case(name))

    @contextlib.contextmanager
    def locked(self):
        """Two runs may share the folder: one writes, the other then finds what it wrote."""
        with open(os.path.join(self.folder, ".lock"), "w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def generate_one(self, name):
        start, case = time.monotonic(), self.case(name)
        shutil.rmtree(case, ignore_errors=True)
        os.makedirs(os.path.join(case, "expected"))
        try:
            self.write_case(case, name)
        except Exception:  # one table must not hide the others
            with open(os.path.join(case, "failed"), "w", encoding="utf-8") as file:
                file.write(traceback.format_exc())
            print(f"Spark could not write {name}", flush=True)
            return
        with open(os.path.join(case, "stamp"), "w", encoding="utf-8") as file:
            file.write(self.stamp(name))
        print(f"Spark wrote {name} in {time.monotonic() - start:.1f} s", flush=True)

    def complete(self):
        """The names of the tables that are there as a whole, fresh or not."""
        return [name for name in self.tables if os.path.exists(os.path.join(self.case(name), "stamp"))]

    def failures(self):
        """name -> the last cause that Spark named, for what it could not write."""
        found = {}
        for name in self.tables:
            path = os.path.join(self.case(name), "failed")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    lines = [line.strip() for line in file if line.strip()]
                causes = [line for line in lines if line.startswith("Caused by: ")]
                found[name] = (causes or lines or ["nothing"])[-1][:600]
        return found
