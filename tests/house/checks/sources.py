#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""sources.cmake names each source that is there, and only those; unity.c includes the same."""
import re

import house

LISTS = (("libpvsched", "PVS_CORE_FILES"), ("guest-shim", "PVS_GUEST_FILES"))
UNITY = "unity.c"


def unity_problems(root, layer, listed):
    """The one-file build must have the same stages in it."""
    unity = root / layer / "src" / UNITY
    if not unity.exists():
        return
    included = set(re.findall(r'^#include "([^"]+\.c)"', unity.read_text(), re.MULTILINE))
    names = {path.name for path in listed}
    for name in sorted(names - included):
        yield f"{layer}/src/{UNITY} does not include {name}"
    for name in sorted(included - names):
        yield f"{layer}/src/{UNITY} includes {name}, which sources.cmake does not name"


def main():
    root = house.arguments().root
    problems = []
    total = 0
    for layer, variable in LISTS:
        listed = house.listed_sources(root, layer, variable)
        present = {path for path in (root / layer / "src").glob("*.c") if path.name != UNITY}
        total += len(listed)
        if not listed:
            problems.append(f"{layer}/sources.cmake: {variable} names nothing")
        for path in sorted(set(listed) - present):
            problems.append(f"{layer}/sources.cmake names {path.name}, which does not exist")
        for path in sorted(present - set(listed)):
            problems.append(f"{layer}/sources.cmake does not name {path.name}")
        problems += unity_problems(root, layer, listed)
    house.finish(problems, f"{total} sources, all listed")


main()
