"""Checks that read the sources as text. Each returns a list of `file:line: what is wrong`."""

import os
import re
import subprocess

import project
from project import code, folder_of, line_of, read

FUNCTION_LINES_MAX = 70
README_LINES_MAX = 40

# ---- includes --------------------------------------------------------------------------------------

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)

# The operating system, for layers that get everything through dw_env and dw_storage.
SYSTEM_HEADERS = re.compile(
    r"^(unistd|fcntl|dirent|dlfcn|signal|spawn|netdb|sys/(stat|mman|socket|wait|random|file))\.h$")
PURE_FOLDERS = {"src/protocol", "src/log", "src/txn", "src/scan"}


def _include_problem(path, folder, quoted, name):
    if name == "duckdb.h":
        return None if folder == "src/engine" else "only src/engine may include duckdb.h"
    if name == "setjmp.h":
        return "setjmp is not used here"
    if folder in PURE_FOLDERS and SYSTEM_HEADERS.match(name):
        return f"{folder} never calls the system: it gets dw_env and dw_storage"
    if not quoted or name == "deltaworks.h":
        return None
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    target = "src/" + name if folder_of("src/" + name) else beside
    target_folder = folder_of(target)
    if target_folder is None or target_folder == folder:
        return None
    if folder == "cli":
        return "cli sees only include/deltaworks.h"
    if project.LAYERS[target_folder] < project.LAYERS[folder]:
        return None
    if (folder, target_folder) in project.SIDEWAYS:
        return None
    direction = "sideways" if project.LAYERS[target_folder] == project.LAYERS[folder] else "up"
    return f"{folder} includes {direction} into {target_folder}"


def includes():
    problems = []
    for path in project.c_files("src", "cli"):
        text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), read(path), flags=re.S)
        for match in INCLUDE.finditer(text):
            problem = _include_problem(path, folder_of(path), match.group(1) == '"', match.group(2))
            if problem:
                problems.append(f"{path}:{line_of(text, match.start())}: {problem}")
    return problems


# ---- functions that are not to be called -----------------------------------------------------------

# (functions, folders where they are allowed beside the tests, what to use)
BANNED = [
    ("strcpy strcat sprintf vsprintf strtok gets", (), "dw_strbuf"),
    ("atoi atol atof sscanf", ("src/base",), "the parsers of src/base"),
    ("strtol strtoll strtoul strtoull strtod", ("src/base", "cli"), "the parsers of src/base"),
    ("localtime gmtime asctime ctime rand srand setjmp longjmp alloca system assert", ("src/base",),
     "what src/base and src/env offer"),
    ("malloc calloc realloc free strdup strndup asprintf vasprintf", ("src/base", "cli"),
     "the dw_allocator or arena that was passed in"),
    ("open openat rename link linkat unlink unlinkat fsync fdatasync", ("src/storage", "cli"),
     "dw_storage"),
    ("time clock_gettime gettimeofday random getrandom nanosleep usleep sleep",
     ("src/base", "src/env", "cli"), "dw_env"),
]
UNSAFE_ANYWHERE = "strcpy strcat sprintf vsprintf strtok gets"


def _calls(names):
    return re.compile(r"(?<![\w.>])(" + "|".join(names.split()) + r")\s*\(")


def banned_functions():
    problems = []
    rules = [(_calls(names), allowed, instead) for names, allowed, instead in BANNED]
    for path in project.c_files("src", "cli"):
        for pattern, allowed, instead in rules:
            if folder_of(path) in allowed:
                continue
            for match in pattern.finditer(code(path)):
                problems.append(f"{path}:{line_of(code(path), match.start())}: "
                                f"{match.group(1)} is not to be called here: use {instead}")
    pattern = _calls(UNSAFE_ANYWHERE)
    for path in project.c_files("tests", "bench"):
        for match in pattern.finditer(code(path)):
            problems.append(f"{path}:{line_of(code(path), match.start())}: "
                            f"{match.group(1)} has no bound")
    return problems


# ---- shape -----------------------------------------------------------------------------------------

FUNCTION = re.compile(r"^(?:[A-Za-z_][^\n;=]*\n)?([A-Za-z_]\w*)\([^;{}]*\)\s*\n\{\n(.*?)^\}", re.M | re.S)


def functions(path):
    """Yields (name, first line, number of lines) of the functions that a file defines."""
    text = code(path)
    for match in FUNCTION.finditer(text):
        yield match.group(1), line_of(text, match.start(1)), match.group(2).count("\n")


def function_lengths():
    return [f"{path}:{line}: {name} has {length} lines, {FUNCTION_LINES_MAX} are allowed"
            for path in project.c_files("src", "cli", "tests", "bench")
            for name, line, length in functions(path) if length > FUNCTION_LINES_MAX]


def control_flow():
    problems = []
    rules = [
        (re.compile(r"\bgoto\s+(?!cleanup;)\w+"), "goto leads to the label cleanup only"),
        (re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+(GCC|clang)[ \t]+diagnostic", re.M),
         "warnings are mended, not silenced"),
    ]
    for path in project.c_files("src", "cli"):
        for pattern, problem in rules:
            problems += [f"{path}:{line_of(code(path), match.start())}: {problem}"
                         for match in pattern.finditer(code(path))]
    return problems


def opening_comments():
    return [f"{path}:1: the file does not open with what it owns and which rules it keeps"
            for path in project.c_files("src", "cli", "include")
            if not read(path).startswith("/*")]


def readmes():
    problems = []
    for folder in sorted({os.path.dirname(path) for path in project.c_files("src")}):
        path = folder + "/README.md"
        if path not in project.files():
            problems.append(f"{path}: missing: purpose, numbered invariants, files in reading order")
        elif read(path).count("\n") > README_LINES_MAX:
            problems.append(f"{path}: {read(path).count(chr(10))} lines, {README_LINES_MAX} are allowed")
    return problems


# ---- words that stand in no file -------------------------------------------------------------------

WORDS = [
    (re.compile(r"\b(TODO|FIXME|XXX)\b"), "notes to self do not land: finish it or leave it out"),
    (re.compile(r"(?<![\w.$}/-])/(work|root|home/\w+)/\w"), "a path of one machine"),
    (re.compile(r"\b(npmjs\W(org|com)|pypi\Worg|pythonhosted\Worg|(repo1|repo)\Wmaven\W"
                r"|deb\Wdebian\Worg|crates\Wio\b|proxy\Wgolang\Worg)"),
     "the address of a package registry: name package and client instead"),
]
NO_WORDS_IN = re.compile(r"^(LICENSE|tools/lint/text\.py|CONTRIBUTING\.md)$|^tests/fuzz/corpus/"
                         r"|\.(parquet|zst|gz|bin|png)$")


def words():
    problems = []
    for path in project.files():
        if NO_WORDS_IN.search(path):
            continue
        for pattern, problem in WORDS:
            problems += [f"{path}:{line_of(read(path), match.start())}: {match.group(0)}: {problem}"
                         for match in pattern.finditer(read(path))]
    return problems


# ---- scripts ---------------------------------------------------------------------------------------

SHELL = re.compile(r"#!\s*/(?:usr/)?bin/(?:env )?(sh|bash)\b")


def scripts():
    """Every script at least parses, and what has a first line to run it may be run."""
    problems = []
    for path in project.files():
        if NO_WORDS_IN.search(path) or path.endswith((".c", ".h")):
            continue
        shell = SHELL.match(read(path))
        if shell:
            result = subprocess.run([shell.group(1), "-n", os.path.join(project.ROOT, path)],
                                    capture_output=True, text=True, check=False)
            problems += [f"{path}: {line}" for line in result.stderr.splitlines()]
        elif path.endswith(".py"):
            try:
                compile(read(path), path, "exec")
            except SyntaxError as error:
                problems.append(f"{path}:{error.lineno}: {error.msg}")
        if read(path).startswith("#!") and not os.access(os.path.join(project.ROOT, path), os.X_OK):
            problems.append(f"{path}: starts with #! but is not executable")
    return problems


CHECKS = [includes, banned_functions, function_lengths, control_flow, opening_comments, readmes, words,
          scripts]
