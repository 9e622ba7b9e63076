#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each public function of engine and shim says where it may be called from and what it costs.

Its comment does, or that of the function right above it (a pair), or that of the section, where it
speaks "of these". What a value means, who owns what and which errors there are cannot be checked
like this; that somebody wrote the two hard ones shows that somebody thought of the others.
"""
import re

import house

HEADERS = ("libpvsched/include/pvs", "guest-shim/include/pvs")
FUNCTION = re.compile(
    r"^(?:PVS_API|PVS_INLINE|PVS_GUEST_INLINE|int|void|pvs_u32|pvs_u64)\b[^;{}#=/]*?\b(pvs_\w+)\(",
    re.MULTILINE)
SECTION = re.compile(r"^/\* -{3,}.*?-{3,} \*/\n((?:/\*.*?\*/\n)?)", re.MULTILINE | re.DOTALL)
CONTEXT = re.compile(r"context|any cpu|\bas pvs_\w+\(\)", re.IGNORECASE)
COST = re.compile(r"\bO\(|\d+ (?:loads|instructions)|\bas pvs_\w+\(\)", re.IGNORECASE)


def said_of(text, at):
    """What is said of the function that begins at this place: its paragraph, and its section."""
    start = text.rfind("\n\n", 0, at) + 2
    paragraph = text[start:at]
    # Inside a comment, a paragraph may begin before an empty line of it.
    opened = text.rfind("/*", 0, at)
    sections = [match for match in SECTION.finditer(text, 0, at)]
    words = sections[-1].group(1) if sections else ""
    return paragraph + text[min(opened, start):start] + (words if "of these" in words else "")


def problems_of(path, text):
    """Functions of a header that leave something unsaid."""
    for match in FUNCTION.finditer(text):
        said = said_of(text, match.start())
        if not CONTEXT.search(said):
            yield f"{path}: {match.group(1)}() does not say its context"
        if not COST.search(said):
            yield f"{path}: {match.group(1)}() does not say its cost"


def main():
    root = house.arguments().root
    problems, functions = [], 0
    for directory in HEADERS:
        for path in sorted((root / directory).glob("*.h")):
            text = path.read_text()
            functions += len(FUNCTION.findall(text))
            problems += problems_of(path.relative_to(root), text)
    if not functions:
        problems.append("no function was found")
    house.finish(problems, f"{functions} functions say their context and their cost")


main()
