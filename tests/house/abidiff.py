#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the shared library changed since the last release, as its binary users see it.

usage: abidiff.py SOURCE_DIR WORK_DIR REPORT_FILE

The library of the last tag (vN...) and that of this tree are built alike and compared by abidiff.
While the soname is 0 the outcome is a report; from 1 on every change but an addition is red. Each
run first shows that the comparison sees two changes made on purpose, and none where there is none:
a report of nothing means that nothing changed.
"""
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

SKIP = 77
USAGE_ERROR = 1 | 2  # bits of abidiff's exit status; the others are kinds of changes


def run(*command, **options):
    """(exit status, output)"""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, **options)
    return done.returncode, done.stdout + done.stderr


def must(*command, **options):
    """Output of a command that has to succeed."""
    status, output = run(*command, **options)
    if status:
        sys.exit(f"{' '.join(map(str, command))}\n{output}")
    return output


def build(tree, place):
    """The shared library of a tree with what abidiff reads."""
    must("cmake", "-S", tree, "-B", place, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
         "-DPVS_BUILD_TOOLS=OFF",
         "-DPVS_BUILD_TESTS=OFF")
    must("cmake", "--build", place, "--target", "pvsched_core_shared")
    return next(path for path in place.rglob("libpvsched.so.*") if not path.is_symlink())


def compare(old, new):
    """(Is it more than additions?, what abidiff says)"""
    status, _ = run("abidiff", "--no-added-syms", old, new)
    said, whole = run("abidiff", old, new)
    if (status | said) & USAGE_ERROR:
        sys.exit(f"abidiff fails: {whole}")
    return status != 0, whole


def copy(root, place):
    """What the library is built from."""
    shutil.rmtree(place, ignore_errors=True)
    for name in ("abi", "libpvsched", "guest-shim", "adapters", "cmake", "scripts"):
        shutil.copytree(root / name, place / name)
    for name in ("CMakeLists.txt", "sources.cmake", "LICENSES"):
        source = root / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, place / name)
    return place


def changed(root, place, path, old, new):
    """The library of a tree with one change."""
    tree = copy(root, place / "tree")
    text = (tree / path).read_text()
    if old not in text:
        sys.exit(f"{path} does not contain {old!r}")
    (tree / path).write_text(text.replace(old, new, 1))
    return build(tree, place / "build")


def sees_changes(root, current, work):
    """Problems with the comparison itself."""
    tries = {
        "a field that moves": ("libpvsched/include/pvs/state.h", "struct pvs_vcpu {",
                               "struct pvs_vcpu {\n\tpvs_u64 one_more;"),
        "a function that is gone": ("libpvsched/libpvsched.map", "\tpvs_version;\n", ""),
    }
    seen, said = compare(current, build(copy(root, work / "same"), work / "same-build"))
    if seen or said:
        yield f"abidiff sees a change where there is none:\n{said}"
    for number, (what, change) in enumerate(tries.items()):
        seen, said = compare(current, changed(root, work / f"change{number}", *change))
        if not seen:
            yield f"abidiff does not see {what}:\n{said}"


def last_tag(root):
    """The newest release that this tree comes after, or None."""
    status, output = run("git", "-C", root, "describe", "--tags", "--abbrev=0", "--match",
                         "v[0-9]*")
    return None if status else output.strip()


def released(root, tag, work):
    """The library of a tag."""
    tree = work / "released"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    archive = work / "released.tar"
    must("git", "-C", root, "archive", "-o", archive, tag)
    with tarfile.open(archive) as stream:
        stream.extractall(tree)
    return build(tree, work / "released-build")


def main():
    root, work, report = (Path(word).resolve() for word in sys.argv[1:4])
    if not shutil.which("abidiff"):
        print("skipped: abidiff is missing (Debian package abigail-tools)")
        sys.exit(SKIP)
    soversion = int(re.search(r"set\(PVS_SOVERSION (\d+)\)",
                              (root / "CMakeLists.txt").read_text()).group(1))
    current = build(root, work / "current")
    problems = list(sees_changes(root, current, work))
    tag = last_tag(root)
    if tag is None:
        lines = "no release is tagged yet: there is nothing to compare with\n"
    else:
        seen, said = compare(released(root, tag, work), current)
        lines = f"since {tag}\n{said or 'nothing changed'}\n"
        if seen and soversion:
            problems.append(f"incompatible with {tag}, and the soname is still {soversion}")
    lines += ("binding\n" if soversion else "soname 0, a draft: this is a report, not a rule\n")
    lines += "".join(problem + "\n" for problem in problems)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(lines)
    print(lines, end="")
    sys.exit(1 if problems else 0)


main()
