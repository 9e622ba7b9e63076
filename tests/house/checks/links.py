#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every relative link of a Markdown page leads to something that is there."""
import re

import house

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")


def main():
    root = house.arguments().root
    problems = []
    checked = 0
    for path in house.files(root):
        if path.suffix != ".md":
            continue
        for target in LINK.findall((root / path).read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            checked += 1
            if not (root / path.parent / target).exists():
                problems.append(f"{path}: {target} leads nowhere")
    if not checked:
        problems.append("no link was found")
    house.finish(problems, f"{checked} links lead somewhere")


main()
