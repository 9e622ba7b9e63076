#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The kit from an installed tree: it finds its data, the door, and the library.

    installed_test.py BUILD-DIRECTORY PREFIX CMAKE
"""
import os
import pathlib
import shutil
import subprocess
import sys


def run(*words):
    """A command that must succeed, in a place that has nothing to do with the source tree."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          check=False, cwd="/")
    if done.returncode:
        sys.exit(f"{' '.join(str(word) for word in words)}\n{done.stdout[-3000:]}{done.stderr}")
    return done.stdout


def main():
    build, prefix, cmake = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    shutil.rmtree(prefix, ignore_errors=True)
    run(cmake, "--install", build, "--prefix", prefix)
    program = prefix / "bin" / "pvs-conformance"
    if not os.access(program, os.X_OK):
        sys.exit("pvs-conformance is no program")
    assert "conforming" in run(program, "--all-must-run", "--", prefix / "bin" / "pvs-door")
    library = next(prefix.rglob("libpvsched.so.0"))
    assert "conforming" in run(program, "--role", "host", "--library", library)
    assert "PVS-H-12" in run(program, "--list")


main()
