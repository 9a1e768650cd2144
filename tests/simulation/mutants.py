#!/usr/bin/env python3
"""Puts one-line defects into the library, one at a time, and checks that the simulations notice.

  tests/simulation/mutants.py BUILD [WORD]     all of mutants.txt, or those whose name has WORD
  tests/simulation/mutants.py --lines          only whether each line to be changed is there, once

For each, the file is compiled with the change, a program is linked with it in front of the library, and
must fail within the seeds it is given. Ends with a line `N passed, N failed`.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = {"commit_sim": "tests/simulation/commit_sim", "dml_sim": "tests/simulation/dml_sim",
            "upkeep_sim": "tests/simulation/upkeep_sim", "verdicts_test": "tests/isolation/verdicts_test", "txn_rebase": "tests/unit/txn_rebase"}


def read_mutants():
    mutants, member = [], None
    with open(os.path.join(HERE, "mutants.txt"), encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            word, _, rest = line.partition(" ")
            if not line or line.startswith("#"):
                member = None
            elif word == "mutant":
                mutants.append({"name": rest, "old": [], "new": []})
            elif word in ("file", "by"):
                mutants[-1][word] = rest
            elif word in ("old", "new"):
                member = mutants[-1][word]
                member.append(rest)
            else:
                member.append(line)
    return mutants


def compile_command(build, path):
    """How the file is compiled for the library, or its core where it is in that."""
    found = None
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        for entry in json.load(file):
            source = os.path.normpath(os.path.join(entry["directory"], entry["file"]))
            is_core = "_core.a.p/" in entry["output"]
            if source == os.path.join(ROOT, path) and (is_core or (found is None and "_full.a.p/" in entry["output"])):
                found = shlex.split(entry["command"]), entry["output"]
    if found is None:
        raise SystemExit(f"{path} is not compiled for the library")
    return found


def mutate(mutant):
    """The file with the defect in it, and what is in the way. What the change leaves without use is no matter here."""
    with open(os.path.join(ROOT, mutant["file"]), encoding="utf-8") as file:
        text = file.read()
    old, new = "\n".join(mutant["old"]) + "\n", "\n".join(mutant["new"]) + "\n"
    if text.count(old) != 1:
        return None, f"expected the line once in {mutant['file']}, found it {text.count(old)} times"
    return text.replace(old, new), None


def check_lines():
    problems = [f"{mutant['name']}: {problem}" for mutant in read_mutants() for problem in (mutate(mutant)[1],) if problem]
    print("\n".join([*problems, f"{len(read_mutants()) - len(problems)} passed, {len(problems)} failed"]))
    return 1 if problems else 0


def make(build, mutant, folder):
    """The program with the defect in it."""
    source, member = os.path.join(folder, "mutant.c"), os.path.join(folder, "mutant.o")
    text, problem = mutate(mutant)
    if problem:
        return None, problem
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    command, output = compile_command(build, mutant["file"])
    words = [word for word in command if word != "-Werror"] + ["-w"]
    for i, word in enumerate(words):
        if word == output:
            words[i] = member
        elif word.endswith(os.path.basename(mutant["file"])) and os.path.normpath(
                os.path.join(build, word)) == os.path.join(ROOT, mutant["file"]):
            words[i] = source
    subprocess.run(words, cwd=build, check=True)
    name = PROGRAMS[mutant["by"].split()[0]]
    link = subprocess.run(["ninja", "-t", "commands", name], cwd=build, check=True,
                          capture_output=True, text=True).stdout.strip().split("\n")[-1]
    words = shlex.split(link)
    program = os.path.join(folder, "program")
    words[words.index("-o") + 1] = program
    words.insert(words.index("-o") + 2, member)
    subprocess.run(words, cwd=build, check=True)
    return program, None


def is_caught(program, mutant):
    name, *arguments = mutant["by"].split()
    if name.endswith("_sim"):
        done = subprocess.run([program, "--find", arguments[0]], capture_output=True, text=True,
                              timeout=1200, check=False)
        # A simulation that stops with an assertion has noticed, too.
        found = re.search(r"caught at seed \d+", done.stdout)
        return done.returncode != 1, found.group(0) if found else "it stopped"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=1200,
                          check=False)
    return done.returncode != 0, f"{name} failed"


def run(build, mutant):
    with tempfile.TemporaryDirectory() as folder:
        program, problem = make(build, mutant, folder)
        if problem:
            return False, problem
        caught, how = is_caught(program, mutant)
        return caught, how if caught else "nobody noticed"


def main():
    if sys.argv[1] == "--lines":
        return check_lines()
    build = os.path.abspath(sys.argv[1])
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    os.environ["DELTAWORKS_SOURCE"] = ROOT
    subprocess.run(["ninja", "-C", build, *PROGRAMS.values()], check=True, stdout=subprocess.DEVNULL)
    passed = failed = 0
    for mutant in read_mutants():
        if word not in mutant["name"]:
            continue
        caught, how = run(build, mutant)
        passed, failed = passed + caught, failed + (not caught)
        print(f"{'ok  ' if caught else 'FAIL'} {mutant['name']}: {how}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
