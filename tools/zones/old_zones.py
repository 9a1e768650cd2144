#!/usr/bin/env python3
"""Makes src/codec/old_zones.c: how Java 8's older calendar counted the hours of each zone before 1900.

    old_zones.py julian-gregorian-rebase-micros.json > src/codec/old_zones.c

The JSON is a resource of Spark (in spark-sql-api or spark-catalyst): for each zone the seconds from which on
instants of old files are to be moved, and by how many. Most of it is the calendar's doing and the same for all
zones. What is left of a zone is kept: the offset by which its old calendar counted, what the zone's local time
was apart from that, and when this changed.
"""
import json
import sys

# Names that Java knows beside those of the table.
OTHER_NAMES = {
    "America/Nuuk": "America/Godthab", "ACT": "Australia/Darwin", "AET": "Australia/Sydney",
    "AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo", "AST": "America/Anchorage",
    "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka", "CAT": "Africa/Harare", "CNT": "America/St_Johns",
    "CST": "America/Chicago", "CTT": "Asia/Shanghai", "EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris",
    "EST": "Etc/GMT+5", "HST": "Etc/GMT+10", "IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "MST": "Etc/GMT+7", "NET": "Asia/Yerevan",
    "NST": "Pacific/Auckland", "PLT": "Asia/Karachi", "PNT": "America/Phoenix", "PRT": "America/Puerto_Rico",
    "PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh",
}
STEPS_MAX = 3
LINE_LENGTH_MAX = 100
HEAD = '''/*
 * Zones as Spark's old calendar counted their hours. Made by tools/zones/old_zones.py from a table of
 * Apache Spark: do not edit.
 */
#include "codec/old_zones.h"

/* clang-format off */
const dw_old_zone dw__old_zones[] = {'''


def rule_of(record, calendar):
    """(offset, shift, steps) of a zone, having made sure that nothing else is in its record."""
    switches, diffs = record["switches"], record["diffs"]
    count = len(calendar["switches"]) - 1
    offset = calendar["switches"][0] - switches[0]
    shift = diffs[0] - calendar["diffs"][0]
    for i in range(count):
        assert switches[i] == calendar["switches"][i] - offset, record["tz"]
        assert diffs[i] == calendar["diffs"][i] + shift, record["tz"]
    assert switches[count] == calendar["switches"][count] - offset and diffs[count] == shift, record["tz"]
    steps = tuple(zip(switches[count + 1:], diffs[count + 1:]))
    assert len(steps) <= STEPS_MAX and (steps or ((0, shift),))[-1][1] == 0, record["tz"]
    return offset, shift, steps


def print_packed(words, numbers, steps):
    """As many as fit on a line."""
    line = "    "
    for word in [*words[:-1], words[-1] + numbers, steps]:
        if len(line) + len(word) > LINE_LENGTH_MAX:
            print(line.rstrip())
            line = "     "
        line += word + " "
    print(line.rstrip())


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        records = {record["tz"]: record for record in json.load(file)}
    for name, other in OTHER_NAMES.items():
        if name not in records:
            records[name] = dict(records[other], tz=name)
    rules = {}
    for name in sorted(records):
        rules.setdefault(rule_of(records[name], records["UTC"]), []).append(name)
    print(HEAD)
    for (offset, shift, steps), names in rules.items():
        text = ", ".join(f"{{{at}, {by}}}" for at, by in steps) or "{0, 0}"
        print_packed([f'{{" {names[0]} "', *(f'"{name} "' for name in names[1:])],
                     f", {offset}, {shift}, {len(steps)},", f"{{{text}}}}},")
    print("};\n/* clang-format on */\n\nconst size_t dw__old_zone_count = sizeof(dw__old_zones) / sizeof(dw__old_zones[0]);")


if __name__ == "__main__":
    main()
