#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Installs the build into an empty place and uses it as others would.

usage: consumers.py SOURCE_DIR BUILD_DIR C_COMPILER

The program that is built is the C example of README.md, by the CMake package (static and shared),
by pkg-config (shared and static), by sources.cmake, and with the amalgamation (as a second source,
and included as part of the only one). Each must print what README.md says it prints.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror"]


def run(command, **environment):
    """Output of a command that has to succeed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, env={**os.environ, **environment})
    if done.returncode:
        print(" ".join(map(str, command)))
        print(done.stdout + done.stderr)
        sys.exit(1)
    return done.stdout


def example(readme):
    """(C source, output) of README.md: its only C block and the text block after it."""
    match = re.search(r"```c\n(.*?)```.*?```text\n(.*?)```", readme.read_text(), re.DOTALL)
    return match.group(1), match.group(2)


def configure_and_build(build, compiler, **variables):
    """Builds the consumer project with these cache variables."""
    run(["cmake", "-S", HERE, "-B", build, "-G", "Ninja", f"-DCMAKE_C_COMPILER={compiler}",
         *(f"-D{name}={value}" for name, value in variables.items())])
    run(["cmake", "--build", build])


def exported_targets(prefix):
    """Names of all targets in the installed package, and the file that lists them."""
    path = next(prefix.rglob("pvsched-targets.cmake"))
    return sorted(set(re.findall(r"add_library\(pvsched::(\w+)", path.read_text())))


def by_pkg_config(prefix, source, place, compiler):
    """Builds by pkg-config; returns the programs and the environment that they need."""
    pc_path = next(prefix.rglob("libpvsched.pc")).parent
    shared, static = place / "by_pkg_config", place / "by_pkg_config_static"
    flags = run(["pkg-config", "--cflags", "--libs", "libpvsched"], PKG_CONFIG_PATH=str(pc_path))
    run([compiler, *STRICT, source, "-o", shared, *flags.split()])
    flags = run(["pkg-config", "--static", "--cflags", "--libs", "libpvsched"],
                PKG_CONFIG_PATH=str(pc_path))
    run([compiler, *STRICT, "-static", source, "-o", static, *flags.split()])
    return [shared, static], {"LD_LIBRARY_PATH": str(pc_path.parent)}


def by_amalgamation(prefix, code, place, compiler):
    """Copies the two files beside a program, as their users do, and builds nothing else."""
    place.mkdir()
    for name in ("pvs.c", "pvs.h"):
        shutil.copy(next(prefix.rglob(f"amalgamation/{name}")), place)
    two, one = place / "two_sources", place / "one_source"
    (place / "two.c").write_text(code.replace("<pvs/pvs.h>", '"pvs.h"'))
    (place / "one.c").write_text(code.replace("<pvs/pvs.h>", '"pvs.c"'))
    run([compiler, *STRICT, place / "two.c", place / "pvs.c", "-o", two])
    run([compiler, *STRICT, "-DPVS_API=static", place / "one.c", "-o", one])
    return [two, one]


def main():
    root, build, compiler = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    code, wanted = example(root / "README.md")
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        # Moved after the installation: nothing in it may remember where it was.
        run(["cmake", "--install", build, "--prefix", place / "first"])
        prefix = (place / "first").rename(place / "moved")
        source = place / "consumer.c"
        source.write_text(code)

        targets = exported_targets(prefix)
        configure_and_build(place / "package", compiler, MODE="package", CONSUMER_SOURCE=source,
                            CMAKE_PREFIX_PATH=prefix, EXPORTED_TARGETS=";".join(targets))
        configure_and_build(place / "sources", compiler, MODE="sources", CONSUMER_SOURCE=source,
                            SOURCES_CMAKE=next(prefix.rglob("libpvsched/sources.cmake")))
        programs, environment = by_pkg_config(prefix, source, place, compiler)
        programs += [place / "package/consumer_core", place / "package/consumer_core_shared",
                     place / "sources/consumer_sources"]
        programs += by_amalgamation(prefix, code, place / "amalgamation", compiler)
        for program in programs:
            printed = run([program], **environment)
            if printed != wanted:
                print(f"{program.name} prints\n{printed}README.md says\n{wanted}")
                sys.exit(1)
    print(f"{len(programs)} ways to use the library")
    print(f"{len(targets)} exported targets: {' '.join(targets)}")


main()
