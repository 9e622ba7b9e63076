#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""clauses.py goes red for each kind of fault: a small tree, one fault at a time."""
import pathlib
import subprocess
import sys
import tempfile

SCRIPT = pathlib.Path(__file__).resolve().with_name("clauses.py")
SPEC = "**PVS-H-07** (implemented) A rule.\n\n**PVS-H-08** (later, issue 3) Another.\n"
IMAGE = "clause PVS-H-07\nexpect choice 0\n"


def test(kind, name="PVS_H_07", registered=True):
    function = f"{name}__{kind}_it_works"
    text = f"static void {function}(void **state)\n{{\n}}\n"
    return text + (f"\tcmocka_unit_test({function}),\n" if registered else "")


GOOD = test("ok") + test("bad")
# what it shows, specification, tests, image, part of the complaint (None: must be green)
CASES = [
    ("all is well", SPEC, GOOD, IMAGE, None),
    ("a setup is no obstacle", SPEC,
     GOOD.replace("cmocka_unit_test(", "cmocka_unit_test_setup(\n\t\t\t"), IMAGE, None),
    ("no positive test", SPEC, test("bad"), IMAGE, "PVS-H-07 has no test PVS_H_07__ok_"),
    ("no negative test", SPEC, test("ok"), IMAGE, "PVS-H-07 has no test PVS_H_07__bad_"),
    ("a test that is not run", SPEC, test("ok") + test("bad", registered=False), IMAGE,
     "never run"),
    ("a test of nothing", SPEC, GOOD + test("ok", "PVS_H_99"), IMAGE, "not in abi/spec"),
    ("a test with another name", SPEC, GOOD + test("good"), IMAGE, "is not named"),
    ("a state that is none", SPEC + "\n**PVS-G-01** (soon) Hm.\n", GOOD, IMAGE, "unknown state"),
    ("a number used twice", SPEC + "\n" + SPEC, GOOD, IMAGE, "twice"),
    ("an image of nothing", SPEC, GOOD, IMAGE.replace("07", "77"), "not in abi/spec"),
    ("no clause at all", "text\n", "", "", "no clause found"),
]


def run(spec, tests, image):
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for directory, file, text in (("abi/spec", "rules.md", spec), ("tests/x", "t.c", tests),
                                      ("abi/golden", "a.region", image)):
            (root / directory).mkdir(parents=True)
            (root / directory / file).write_text(text)
        return subprocess.run([sys.executable, SCRIPT, root], capture_output=True, text=True)


def main():
    failed = 0
    for about, spec, tests, image, complaint in CASES:
        result = run(spec, tests, image)
        right = (result.returncode == 0) if complaint is None else (
            result.returncode == 1 and complaint in result.stderr)
        failed += not right
        print(f"{'ok' if right else 'FAILED'}: {about}")
        if not right:
            print(result.stdout + result.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
