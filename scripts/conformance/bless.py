#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the digests of `generate` lines anew: after the policy was changed on purpose, and never
to make a red test green. Expectations of named cases stand; those that do not hold are printed.

usage: bless.py [--check]    --check only says which digests are other ones
"""
import re
import subprocess
import sys

sys.dont_write_bytecode = True
import environments  # noqa: E402
from environments import ROOT, vector_files  # noqa: E402

DRAWN = re.compile(r"^(.+?):(\d+) .*digest=(0x[0-9a-f]+)", re.MULTILINE)
EXPECTED = re.compile(r"digest=0x[0-9a-f]+")


def actual_digests():
    """(path, line) -> what the host's replayer has got."""
    program = environments.build("host-gcc-O2", "gcc", environments.BUILDS["O2"])
    output = subprocess.run([program, "-g", "-q", *vector_files()], capture_output=True, text=True,
                            check=False).stdout
    return {(path, int(line)): digest for path, line, digest in DRAWN.findall(output)}


def main():
    check = "--check" in sys.argv[1:]
    digests = actual_digests()
    changed = 0
    for path in vector_files():
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines, 1):
            if not line.startswith("generate "):
                continue
            digest = digests.get((str(path), number))
            if not digest:
                sys.exit(f"{path.name}:{number}: was not run")
            lines[number - 1] = EXPECTED.sub(f"digest={digest}", line)
            if lines[number - 1] != line:
                changed += 1
                print(f"{path.relative_to(ROOT)}:{number}: {digest}")
        if not check:
            path.write_text("\n".join(lines) + "\n")
    print(f"{changed} digests {'are other ones' if check else 'were written anew'}")
    return 1 if check and changed else 0


sys.exit(main())
