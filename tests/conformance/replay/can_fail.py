#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Lines that are wrong, and lines that are not in the language: the replayer must find each one.

usage: can_fail.py REPLAY
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = ("vector x\nvm caps=sees_wake offered=all accept=whole slots=2\nvcpu 0 online=1\n"
       "step 0 attach now=1s\n")
GOOD = "step 0 poll dt=1ms ran=1ms urgency=realtime seq=1 -> class=task flags~sample flags!measure"
# Expected of the step above, and not so.
WRONG = ("class=critical", "reason=wake", "rank=7 class=baseline", "flags~measure", "flags!sample",
         "rank<4", "rank>8", "recheck=0", "says=granted", "throttle=rate", "applied=0x4",
         "boost_left=0", "weight<1023", "perf=1", "run=2")
# Not in the language.
STRANGE = ("stepp 0 poll", "step", "step 0", "step 16 poll", "step 0 polls", "step 0 256",
           "step 0 poll dt", "step 0 poll dt=", "step 0 poll =1", "step 0 poll dt=1h",
           "step 0 poll dt=1e3", "step 0 poll dt=0x1ms", "step 0 poll dt=99999999999999999999",
           "step 0 poll dt=18446744073709551615ms", "step 0 poll run=-1", "step 0 poll nested=2",
           "step 0 poll urgency=16", "step 0 poll urgency=urgent", "step 0 poll crit=lock|key",
           "step 0 poll colour=1", "step 0 poll extra", "slot 0 urgency", "vector", "vector a b",
           "= class=task", "vm caps=all -> ok", "post 0", "preempts 0", "save 0 4",
           "header at=0x1000 size=8 value=0", "header at=0 size=9 value=0", "generate seed=1",
           "generate seed=1 steps=1 vcpus=17", "generate seed=1 steps=1 vcpus=0",
           "generate seed=1 steps=1 profile=none", "perf_domain 0 levels=1", "perf_fit 0 cpus=",
           GOOD + "x", GOOD.replace("flags~", "flags?"), GOOD.replace("class", "klass"),
           GOOD + " ->", "yield_waits 1024", "enqueue 0 2")


def mismatches(program, text):
    """How many lines the replayer complains about."""
    with tempfile.NamedTemporaryFile("w", suffix=".vec") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([program, "-q", file.name], capture_output=True, text=True,
                              check=False)
    found = re.search(r"mismatches=(\d+)", done.stdout)
    if not found or (done.returncode == 0) != (found[1] == "0"):
        return -1
    return int(found[1])


def main():
    program = Path(sys.argv[1])
    problems = []
    if mismatches(program, TOP + GOOD + "\n"):
        problems.append("a good line was refused")
    for expected in WRONG:
        line = GOOD.partition(" -> ")[0] + " -> " + expected
        if mismatches(program, TOP + line + "\n") != 1:
            problems.append(f"not found: {line}")
    for line in STRANGE:
        if mismatches(program, TOP + line + "\n") != 1:
            problems.append(f"not refused: {line}")
    if mismatches(program, "step 0 poll\n") != 1:
        problems.append("an op without a vector was taken")
    if mismatches(program, "") != -1:
        problems.append("nothing at all was taken for a success")
    print("\n".join(problems) or f"{len(WRONG)} wrong and {len(STRANGE)} strange lines were found")
    return 1 if problems else 0


sys.exit(main())
