#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The amalgamation is what the sources are, says so, and compiles alone.

usage: amalgamation_test.py SOURCE_DIR AMALGAMATION_DIR
"""
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT, BUILT = Path(sys.argv[1]), Path(sys.argv[2])
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
PEDANTIC = ["-Wpedantic", "-Wshadow", "-Wvla", "-Wdeclaration-after-statement", "-Wundef"]
FLAVOURS = {
    "as it is": [],
    "pedantic": PEDANTIC,
    "freestanding": ["-ffreestanding", "-nostdinc", "-Os"],
    "static": ["-DPVS_API=static", "-O2"],
}


def run(*command, **options):
    """(exit status, output)"""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, **options)
    return done.returncode, done.stdout + done.stderr


def generate(root, output):
    """What amalgamate.py writes, by name."""
    status, said = run(sys.executable, ROOT / "scripts/amalgamate.py", "--root", root, output)
    if status:
        raise AssertionError(said)
    return {name: (output / name).read_bytes() for name in ("pvs.c", "pvs.h")}


def names_in_map():
    """What the library exports."""
    text = (ROOT / "libpvsched/libpvsched.map").read_text()
    return set(re.findall(r"^\t(pvs_\w+);$", text, re.MULTILINE))


class Amalgamation(unittest.TestCase):
    """Each test has an empty directory."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = Path(directory.name)

    def compile(self, compiler, *flags):
        """Defined global functions of pvs.c compiled in an empty place."""
        for name in ("pvs.c", "pvs.h"):
            shutil.copy(BUILT / name, self.place)
        status, said = run(compiler, *STRICT, *flags, "-c", "pvs.c", cwd=self.place)
        self.assertEqual(status, 0, f"{compiler} {flags}\n{said}")
        _, listed = run("nm", "-g", "--defined-only", "pvs.o", cwd=self.place)
        return {line.split()[-1] for line in listed.splitlines()}

    def test_it_compiles_alone_and_exports_what_the_library_does(self):
        for compiler in ("gcc", "clang"):
            if not shutil.which(compiler):
                continue
            for name, flags in FLAVOURS.items():
                wanted = set() if name == "static" else names_in_map()
                self.assertEqual(self.compile(compiler, *flags), wanted, f"{compiler} {name}")

    def test_it_is_up_to_date(self):
        for name, data in generate(ROOT, self.place).items():
            self.assertEqual((BUILT / name).read_bytes(), data, name)

    def test_the_same_files_make_the_same_bytes_without_git(self):
        tree = self.place / "tree"
        for part in ("abi", "libpvsched"):
            shutil.copytree(ROOT / part, tree / part)
        first = generate(tree, self.place / "first")
        self.assertEqual(first, generate(ROOT, self.place / "second"))
        with (tree / "libpvsched/src/step.c").open("a") as stream:
            stream.write("/* changed */\n")
        changed = generate(tree, self.place / "third")
        self.assertNotEqual(first["pvs.h"], changed["pvs.h"], "the stamp knows of every source")

    def test_inputs_are_named_as_git_names_them(self):
        if not shutil.which("git"):
            self.skipTest("no git")
        text = (BUILT / "pvs.h").read_text()
        inputs = re.findall(r"^ \*   ([0-9a-f]{12}) (\S+)$", text, re.MULTILINE)
        self.assertGreater(len(inputs), 15)
        for name, path in inputs:
            _, said = run("git", "hash-object", "--no-filters", ROOT / path)
            self.assertTrue(said.startswith(name), path)

    def test_halves_of_two_versions_do_not_compile(self):
        for name in ("pvs.c", "pvs.h"):
            text = (BUILT / name).read_text()
            if name == "pvs.h":
                text = re.sub(r"(PVS_AMALGAMATION_VERSION )\d+", r"\g<1>999", text)
            (self.place / name).write_text(text)
        status, said = run("gcc", *STRICT, "-c", "pvs.c", cwd=self.place)
        self.assertNotEqual(status, 0)
        self.assertIn("different versions", said)

    def test_the_header_is_for_cplusplus_too(self):
        if not shutil.which("g++"):
            self.skipTest("no g++")
        (self.place / "user.cc").write_text('#include "pvs.h"\n#include "pvs.h"\n')
        status, said = run("g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-I", BUILT, "-c",
                           "user.cc", cwd=self.place)
        self.assertEqual(status, 0, said)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
