#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The shared library exports what the map says, that is what the headers declare as PVS_API."""
import re
from pathlib import Path

import house


def defined(*command):
    """Names that nm lists as defined here, without versions."""
    _, output = house.run(["nm", "--defined-only", "--no-sort", *command])
    rows = (line.split() for line in output.splitlines())
    return {row[2].split("@")[0] for row in rows if len(row) == 3 and row[1] in "TDBRVW"}


def in_map(root):
    text = (root / "libpvsched/libpvsched.map").read_text()
    exported = re.search(r"global:(.*?)local:", text, re.DOTALL).group(1)
    return set(re.findall(r"\b(\w+);", exported))


def in_headers(root):
    names = set()
    for path in (root / "libpvsched/include").rglob("*.h"):
        names |= set(re.findall(r"^PVS_API [^;(]*?(\w+)\(", path.read_text(), re.MULTILINE))
    return names


def difference(left_name, left, right_name, right):
    """Problems unless two sets of names are equal."""
    for name in sorted(left - right):
        yield f"{name}: in {left_name}, not in {right_name}"
    for name in sorted(right - left):
        yield f"{name}: in {right_name}, not in {left_name}"


def main():
    args = house.arguments(library=Path, archive=Path)
    problems = list(difference("the headers", in_headers(args.root), "the map", in_map(args.root)))
    exported = in_map(args.root)
    if args.library:
        exported = defined("-D", args.library)
        problems += difference("the library", exported, "the map", in_map(args.root))
    everything = exported | (defined("-g", args.archive) if args.archive else set())
    problems += [f"{name}: does not begin with pvs_" for name in sorted(everything)
                 if not name.startswith("pvs_")]
    house.finish(problems, f"{len(exported)} exported symbols, as the map says")


main()
