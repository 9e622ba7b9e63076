#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Breaks copies of this tree, one fault each, and wants the right check to go red for it.

usage: can_fail.py ROOT
"""
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# One fault shows in each flavour of the freestanding check; two of them are quicker than all.
OPTIONS = {"freestanding": ["--flavours", "gcc (kernel|-Os)"]}
CHECKS = Path(__file__).resolve().parent / "checks"
COPIED = ("abi", "libpvsched", "guest-shim", "adapters", "LICENSES", "docs",
          "sources.cmake", "README.md", "CHANGELOG.md", "run")


def append(path, text):
    """A fault that adds text to the end of a file."""
    def fault(tree):
        with (tree / path).open("a") as stream:
            stream.write(text)
    return fault


def replace(path, old, new):
    """A fault that changes the first `old` of a file."""
    def fault(tree):
        text = (tree / path).read_text()
        assert old in text, f"{path} does not contain {old!r}"
        (tree / path).write_text(text.replace(old, new, 1))
    return fault


def create(path, text):
    """A fault that adds a file."""
    def fault(tree):
        (tree / path).write_text(text)
    return fault


def remove(path):
    """A fault that takes a file away."""
    return lambda tree: (tree / path).unlink()


ABI = "abi/include/pvs/abi.h"
STEP = "libpvsched/src/step.c"
MAP = "libpvsched/libpvsched.map"

# What is broken -> check that must see it, words it must say, how to break it.
FAULTS = {
    "abi uses the core": (
        "dependencies", "abi must not use libpvsched", append(ABI, "#include <pvs/config.h>\n")),
    "core uses an adapter": (
        "dependencies", "must not use adapters/common", append(STEP, "#include <pvs/adapter.h>\n")),
    "core uses the shim": (
        "dependencies", "must not use guest-shim", append(STEP, "#include <pvs/guest.h>\n")),
    "core uses libc": (
        "dependencies", "must stand without", append(STEP, "#include <stdio.h>\n")),
    "core reaches out by path": (
        "dependencies", "outside of",
        append(STEP, '#include "../../abi/include/pvs/abi.h"\n')),
    "header is not C89": (
        "headers", "-std=c89", append(ABI, "// a comment of C99\n")),
    "header is not C++": (
        "headers", "c++17", append(ABI, "extern int class;\n")),
    "header needs another": (
        "headers", "validate.h",
        replace("libpvsched/include/pvs/validate.h", "#include <pvs/snapshot.h>", "")),
    "header has no guard": (
        "headers", "redefin", append(ABI, "struct pvs_twice { int x; };\n")),
    "function without a context": (
        "functions", "pvs_features_for() does not say its context",
        replace("libpvsched/include/pvs/decide.h", "Context: any", "Anywhere")),
    "function without a cost": (
        "functions", "pvs_features_for() does not say its cost",
        replace("libpvsched/include/pvs/decide.h", "Context: any. O(1)", "Context: any")),
    "licence missing": (
        "licences", "step.c", replace(STEP, "SPDX-License-Identifier", "Licence")),
    "licence of another directory": (
        "licences", "step.c", replace(STEP, "BSD-2-Clause OR GPL-2.0-or-later", "BSD-2-Clause")),
    "licence text missing": (
        "licences", "BSD-2-Clause.txt", remove("LICENSES/BSD-2-Clause.txt")),
    "source not listed": (
        "sources", "does not name extra.c", create("libpvsched/src/extra.c", "")),
    "listed source missing": (
        "sources", "which does not exist", remove(STEP)),
    "source not in unity.c": (
        "sources", "does not include step.c",
        replace("libpvsched/src/unity.c", '#include "step.c"\n', "")),
    "marker left over": (
        "style", "left-over marker", append(STEP, "/* " + "TO" + "DO: later */\n")),
    "long line": (
        "style", "longer than", append(STEP, "/* " + "x" * 100 + " */\n")),
    "space at the end": (
        "style", "white space", append(STEP, "/* */ \n")),
    "path of a machine": (
        "style", "names a machine", lambda tree: append(STEP, f"/* {tree}/x */\n")(tree)),
    "dead link": (
        "links", "leads nowhere", append("README.md", "[x](no/such/file)\n")),
    "exported but not in the map": (
        "symbols", "pvs_step: in the headers", replace(MAP, "\tpvs_step;\n", "")),
    "in the map but not declared": (
        "symbols", "pvs_more: in the map", replace(MAP, "local:", "\tpvs_more;\nlocal:")),
    "foreign prefix": (
        "symbols", "does not begin", replace(MAP, "local:", "\tstep;\nlocal:")),
    "calls libc": (
        "freestanding", "needs abort", append(STEP, "void abort(void);\nvoid pvs_a(void);\n"
                                              "void pvs_a(void) { abort(); }\n")),
    "writable data": (
        "freestanding", "writable data", append(STEP, "extern int pvs_n; int pvs_n = 3;\n")),
    "writable zeroed data": (
        "freestanding", "writable data", append(STEP, "extern int pvs_n; int pvs_n;\n")),
    "declaration after statement": (
        "freestanding", "kernel: does not compile",
        append(STEP, "int pvs_d(int x);\nint pvs_d(int x) { x++; int y = x; return y; }\n")),
    "floating point": (
        "freestanding", "kernel: does not compile",
        append(STEP, "int pvs_f(int x);\nint pvs_f(int x) { return (int)(x * 1.5); }\n")),
    "large frame": (
        "freestanding", "frame",
        append(STEP, "int pvs_g(int x);\nint pvs_g(int x)\n{\n\tvolatile char big[600];\n\n"
               "\tbig[x] = 1;\n\treturn big[0];\n}\n")),
    "not BPF": (
        "freestanding", "bpf: does not compile",
        append(STEP, "int pvs_h(int x, int y);\nint pvs_h(int x, int y) { return x / y; }\n")),
    "constant that BPF's compiler can see": (
        "freestanding", "without PVS_COPY",
        append(STEP, "struct pvs_k { pvs_u64 a[4]; };\nvoid pvs_l(struct pvs_k *k);\n"
               "void pvs_l(struct pvs_k *k)\n{\n\tstatic const struct pvs_k c PVS_TAB = "
               "{ { 1, 2, 3, 4 } };\n\n\t*k = c;\n}\n")),
    "large state": (
        "freestanding", "larger than",
        replace("libpvsched/include/pvs/state.h", "struct pvs_vcpu {",
                "struct pvs_vcpu {\n\tpvs_u64 more[64];")),
}


def run_check(name, tree):
    """(exit status, output) of one check on one tree."""
    done = subprocess.run([sys.executable, CHECKS / f"{name}.py", "--root", tree,
                           *OPTIONS.get(name, [])], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def copy(root, place):
    """The parts of the tree that the checks read, outside of any git work tree."""
    for name in COPIED:
        if (root / name).is_dir():
            shutil.copytree(root / name, place / name)
        else:
            shutil.copy(root / name, place / name)
    return place


def try_fault(root, description, check, words, fault):
    """None when the check saw the fault, else what went wrong."""
    with tempfile.TemporaryDirectory() as directory:
        tree = copy(root, Path(directory))
        fault(tree)
        status, output = run_check(check, tree)
    if status != 1 or words not in output:
        return f"{description}: {check} exits with {status}, without '{words}':\n{output}"
    return None


def unbroken(root):
    """Checks that are red on an unbroken copy: then a red one would prove nothing."""
    with tempfile.TemporaryDirectory() as directory:
        tree = copy(root, Path(directory))
        for check in sorted({fault[0] for fault in FAULTS.values()}):
            status, output = run_check(check, tree)
            if status:
                yield f"{check} is red on an unbroken tree:\n{output}"


def main():
    root = Path(sys.argv[1]).resolve()
    problems = list(unbroken(root))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tries = [pool.submit(try_fault, root, description, *fault)
                 for description, fault in FAULTS.items()]
        problems += [one.result() for one in tries if one.result()]
    for problem in problems:
        print(problem)
    print(f"{len(FAULTS)} faults tried, {len(problems)} problem(s)")
    sys.exit(1 if problems else 0)


main()
