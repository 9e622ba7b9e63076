#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""No left-over markers, no names of one machine, no lines nobody can read."""
import re
import subprocess

import house

COLUMNS = 100
TAB = 8
# Written in pieces, so that this file does not find itself.
MARKERS = [a + b for a, b in (
    ("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("HA", "CK"), ("not imple", "mented"),
    ("place", "holder"), ("stu", "b"))]
MARKER = re.compile(r"\b(" + "|".join(MARKERS) + r")\b", re.IGNORECASE)
CODE = {".c", ".h", ".S", ".py", ".sh", ".cmake", ".ld"}
BINARY = {".bin", ".png", ".img", ".gz"}
EXEMPT = ("LICENSES/", ".git")
# Directories where every machine has things; a checkout below one of them names no machine.
COMMON_PARENTS = {"/", "/tmp", "/home", "/root", "/srv", "/opt", "/usr/src", "/build"}


def machine_names(root):
    """Where this checkout lies and which mirrors this machine uses: no business of the project."""
    parent = str(root.resolve().parent)
    names = [re.escape(str(root.resolve()) + "/")]
    if parent not in COMMON_PARENTS:
        names.append(re.escape(parent + "/"))
    try:
        sites = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE)"],
                               capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        sites = ""
    names += sorted({re.escape(host) for host in re.findall(r"^\w+://([^/\s]+)", sites, re.M)})
    return re.compile("|".join(names))


def problems_of(path, text, machine):
    """What is wrong with the lines of one file."""
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{path}:{number}"
        if machine.search(line):
            yield f"{where}: names a machine or a path on it"
        if path.suffix not in CODE and path.name not in ("run", "CMakeLists.txt"):
            continue
        if MARKER.search(line):
            yield f"{where}: left-over marker"
        if len(line.expandtabs(TAB)) > COLUMNS:
            yield f"{where}: longer than {COLUMNS} columns"
        if line != line.rstrip():
            yield f"{where}: white space at the end"


def main():
    root = house.arguments().root
    machine = machine_names(root)
    problems = []
    checked = 0
    for path in house.files(root):
        if path.suffix in BINARY or str(path).startswith(EXEMPT):
            continue
        checked += 1
        text = (root / path).read_text(errors="replace")
        problems += problems_of(path, text, machine)
    if not checked:
        problems.append("no file was found")
    house.finish(problems, f"{checked} files are in style")


main()
