"""Rewraps comment lines that are too long: clang-format's own way tears lists and headings apart.

Only what sticks out moves: the words over the edge go to the front of the next line of the same
paragraph, or to a line of their own.
"""

import re

# The parts of a line of comment: what stands before the text, and the text.
LINE = re.compile(r"^(\s*(?:/\*| \*|\*)\s+(?:- |\[[A-Z0-9-]+\] |\d+\. )?)(\S.*)$")
ONE_LINE = re.compile(r"^(\s*)/\* (.*) \*/$")
STARTS_ITEM = re.compile(r"^\s*\*\s+(?:- |\[[A-Z0-9-]+\] |\d+\. |---|Since: |Errors: )")


def _split(line, width):
    """Cuts a line at the last blank that fits; returns (line, rest)."""
    end = len(line) - len(" */") if line.endswith(" */") else len(line)
    cut = line.rfind(" ", 0, min(width + 1, end))
    return (line[:cut].rstrip(), line[cut + 1:]) if cut > 0 else (line, "")


def _block(match):
    indent, text = match.groups()
    return [f"{indent}/*", f"{indent} * {text}", f"{indent} */"]


def _continuation(before):
    """What the second line of a paragraph starts with, given what its first starts with."""
    before = before.replace("/*", " *")
    star = before.index("*") + 1
    return before[:star] + " " * (len(before) - star)


def rewrap(source, width):
    lines = source.split("\n")
    out = []
    while lines:
        line = lines.pop(0)
        if len(line) <= width or not LINE.match(line):
            out.append(line)
            continue
        if ONE_LINE.match(line):
            lines[:0] = _block(ONE_LINE.match(line))
            continue
        before = _continuation(LINE.match(line).group(1))
        line, rest = _split(line, width)
        out.append(line)
        following = LINE.match(lines[0]) if lines else None
        if (following and "*/" not in rest and not STARTS_ITEM.match(lines[0])
                and following.group(1) == before):
            lines[0] = before + rest + " " + following.group(2)
        elif rest:
            lines.insert(0, before + rest)
    return "\n".join(out)
