#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The independent model behind the door: every clause it takes part in, none of them red.

    kit_model.py PVS-CONFORMANCE MODEL.PY
"""
import pathlib
import subprocess
import sys

# The whole host (adapters) is no part of a model of the policy.
CLAUSES_MIN = 68


def main():
    program, model = (pathlib.Path(word) for word in sys.argv[1:3])
    if not model.exists():
        print("skipped: there is no model in this tree")
        return 77
    done = subprocess.run([sys.executable, program, "--clauses", "PVS-*", "--timeout", "30", "--",
                           sys.executable, model], capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    row = next((line.split() for line in done.stdout.splitlines() if line.startswith("all ")), [])
    if done.returncode or len(row) != 5 or int(row[1]) < CLAUSES_MIN:
        print(f"kit_model: wants {CLAUSES_MIN} clauses or more with Success, and nothing red")
        return 1
    return 0


sys.exit(main())
