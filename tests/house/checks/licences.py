#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each file that can carry a comment says its licence, the one of its directory, at its top."""
import re

import house

# What other kernels take in may be had under either licence.
DUAL_DIRECTORIES = ("abi/", "libpvsched/", "guest-shim/", "adapters/kvm/bpf/", "tests/house/bpf/")
DUAL_FILES = ("sources.cmake",)
SUFFIXES = {".c", ".h", ".S", ".ld", ".lds", ".py", ".sh", ".cmake", ".map", ".sed"}
NAMES = {"CMakeLists.txt", "run"}
SPDX = re.compile(r"SPDX-License-Identifier: ([^*\n]+?)\s*(?:\*/|-->)?$", re.MULTILINE)


def expected(path):
    """The licence that the directory asks for."""
    name = str(path)
    if name in DUAL_FILES or name.startswith(DUAL_DIRECTORIES):
        return house.DUAL
    return house.PLAIN


def main():
    root = house.arguments().root
    problems = []
    checked = 0
    for path in house.files(root):
        if path.suffix not in SUFFIXES and path.name not in NAMES:
            continue
        checked += 1
        top = "\n".join((root / path).read_text(errors="replace").splitlines()[:3])
        found = SPDX.findall(top)
        if found != [expected(path)]:
            problems.append(f"{path}: wants '{expected(path)}', says {found or 'nothing'}")
    for licence in (house.PLAIN, "GPL-2.0-or-later"):
        if not (root / "LICENSES" / f"{licence}.txt").exists():
            problems.append(f"LICENSES/{licence}.txt is missing")
    if not checked:
        problems.append("no file was found")
    house.finish(problems, f"{checked} files say the licence of their directory")


main()
