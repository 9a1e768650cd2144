"""Checks that need the compilers: warnings, the public header, symbols."""

import glob
import os
import re
import subprocess

import project

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
COMPILERS = [("gcc", "g++"), ("clang-14", "clang++-14")]


def _run(command, **more):
    return subprocess.run(command, cwd=project.ROOT, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False, **more)


def _build(folder, compiler, jobs):
    """Configures where needed and builds all; the compiler's complaints are the problems."""
    if not os.path.exists(os.path.join(project.ROOT, folder, "build.ninja")):
        result = _run(["tools/configure.sh", folder], env={**os.environ, "CC": compiler})
        if result.returncode != 0:
            return [f"{compiler}: could not configure {folder}", result.stdout + result.stderr]
    # Configures again where a meson.build changed, so that its chatter is not taken for complaints.
    result = _run(["ninja", "-C", folder, "build.ninja"])
    if result.returncode == 0:
        result = _run(["ninja", "-C", folder, "-k", "0", "-j", str(jobs), "all", "meson-test-prereq"])
    if result.returncode == 0:
        return []
    lines = [line for line in result.stdout.splitlines()
             if not re.match(r"\[\d+/\d+\]|ninja:|FAILED:|(cc|gcc|clang-14) ", line)]
    return [f"{compiler}: the build in {folder} fails"] + lines


def builds(jobs):
    return _build("build", "gcc", jobs) + _build("build-clang", "clang-14", jobs)


def public_header(_jobs):
    header = os.path.join("include", "deltaworks.h")
    if not os.path.exists(os.path.join(project.ROOT, header)):
        return []
    problems = []
    for c, cpp in COMPILERS:
        for command in ([c, "-std=c11", "-x", "c"], [cpp, "-std=c++17", "-x", "c++"]):
            result = _run(command + WARNINGS + ["-fsyntax-only", header])
            # The header is the main file here: that alone is no fault of it.
            if result.returncode != 0 and "#pragma once in main file" not in result.stderr:
                problems += [f"{header}: does not compile with {' '.join(command)}", result.stderr]
    return problems


# ---- symbols ---------------------------------------------------------------------------------------

def _nm(arguments):
    return [line.split() for line in _run(["nm"] + arguments).stdout.splitlines()]


def _public_functions():
    text = project.code("include/deltaworks.h")
    return set(re.findall(r"DW_EXPORT[^;(]*?\b(dw_\w+)\s*\(", text))


def exported_symbols(_jobs):
    """The shared library exports what the public header declares, no more, no less."""
    exported = {fields[2].split("@")[0] for fields in
                _nm(["-D", "--defined-only", "build/libdeltaworks.so"]) if len(fields) == 3}
    declared = _public_functions()
    return ([f"include/deltaworks.h: {name} is exported but not declared"
             for name in sorted(exported - declared)] +
            [f"include/deltaworks.h: {name} is declared but not defined in the library"
             for name in sorted(declared - exported)])


def _objects(*folders):
    """Object file -> (defined, needed) symbols, of the build's targets with these names."""
    result = {}
    for folder in folders:
        for path in glob.glob(os.path.join(project.ROOT, "build", folder, "*.o")):
            fields = _nm([path])
            defined = {f[2] for f in fields if len(f) == 3 and f[1] in "TDBR"}
            needed = {f[1] for f in fields if len(f) == 2 and f[0] == "U"}
            result[os.path.basename(path)] = (defined, needed)
    return result


LIBRARY = ("libdeltaworks_core.a.p", "libdeltaworks_full.a.p")


def symbol_names(_jobs):
    """Names tell visibility: dw__x inside the library, dw_x only where the public header has it."""
    public = _public_functions()
    return [f"{name[:-len('.c.o')].replace('_', '/', 2)}: {symbol} is shared but is named neither "
            "dw__x nor as in the public header"
            for name, (defined, _) in sorted(_objects(*LIBRARY).items())
            for symbol in sorted(defined)
            if not symbol.startswith("dw__") and symbol not in public and not symbol.startswith("_")]


def unreferenced_functions():
    """Names (not problems): functions that no other file of the library or the program needs."""
    objects = _objects(*LIBRARY, "deltaworks.p")
    needed = set().union(*(needs for _, needs in objects.values())) if objects else set()
    public = _public_functions()
    headers = "\n".join(project.code(path) for path in project.c_files("src", "cli")
                        if path.endswith(".h"))
    tests = "\n".join(project.code(path) for path in project.c_files("tests", "bench"))
    listed = []
    for name, (defined, _) in sorted(objects.items()):
        for symbol in sorted(defined - needed - public - {"main"}):
            if len(re.findall(rf"\b{symbol}\b", headers)) > 1:
                continue  # an inline function of a header calls it
            source = name[:-len(".c.o")] if name.endswith(".c.o") else name
            where = "tests only" if re.search(rf"\b{symbol}\b", tests) else "nobody"
            listed.append(f"{symbol} ({source.replace('_', '/', 2)}.c): {where} outside its file")
    return listed


CHECKS = [builds, public_header, exported_symbols, symbol_names]
