#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""--library tests that library and no other: a good one, a broken one, one of something else.

    library_test.py PVS-CONFORMANCE PVS-DOOR LIBRARY COMPILER DIRECTORY
"""
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM, DOOR, LIBRARY, COMPILER, WORK = sys.argv[1:6]
# What is broken, and the clause that is about it.
SOURCE, TEXT, FAULT = "validate.c", "return PVS_REFUSE_MINOR;", "return PVS_REFUSE_MAJOR;"
CLAUSE = "PVS-H-03"


def broken_library(place):
    """The engine as a shared library, with one thing wrong."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(ROOT / "libpvsched" / "src", place)
    text = (place / SOURCE).read_text()
    assert text.count(TEXT) == 1, f"{SOURCE}: {TEXT}"
    (place / SOURCE).write_text(text.replace(TEXT, FAULT))
    includes = [f"-I{ROOT / name}" for name in ("abi/include", "libpvsched/include")]
    sources = sorted(set(place.glob("*.c")) - {place / "unity.c"})
    library = place / "libbroken.so"
    subprocess.run([COMPILER, "-std=c11", "-w", "-O1", "-fPIC", "-shared", *includes, *sources,
                    "-o", library], check=True)
    return library


def kit(library):
    done = subprocess.run([sys.executable, PROGRAM, "--role", "host", "--clauses", "PVS-*",
                           "--all-must-run", "--door", DOOR, "--library", library],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def main():
    status, text = kit(LIBRARY)
    assert status == 0 and "conforming" in text, text
    status, text = kit(broken_library(pathlib.Path(WORK)))
    assert status == 1 and f"Failure  {CLAUSE}" in text, text
    status, text = kit("/nonexistent/library.so")
    assert status == 2 and "does not provide pvs_step()" in text, text


main()
