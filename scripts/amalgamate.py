#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The engine as two files, pvs.c and pvs.h, for projects that want to copy it in.

usage: amalgamate.py [--root DIR] OUTPUT_DIR

pvs.h is pvs/pvs.h with every header it stands on, in the order they need each other; pvs.c is every
source that libpvsched/sources.cmake names, in its order. Both say which library version they are
and of which files they were made, as git would name those (blob by blob, and one name for all), so
that anybody with the repository can tell where a copy comes from. The same files make the same
bytes, with or without git.
"""
import argparse
import hashlib
import re
import sys
from pathlib import Path

HEADERS = ("abi/include", "libpvsched/include")
SOURCES = "libpvsched"
UMBRELLA = "pvs/pvs.h"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"].*\n', re.MULTILINE)
SPDX = re.compile(r"^/\* SPDX-License-Identifier: (.*) \*/\n", re.MULTILINE)
LICENCE = "BSD-2-Clause OR GPL-2.0-or-later"

TOP = """/* SPDX-License-Identifier: {licence} */
/*
 * {name} - libpvsched {version} in two files, pvs.c and pvs.h: {what}
 *
 * Made by scripts/amalgamate.py; change the sources, not this. Of these, as git names blobs:
 *
{inputs}
 *
 * all of them: {tree}
 */
"""

SOURCE_START = """
#ifndef PVS_STAGE
#define PVS_STAGE static __attribute__((unused))
#endif

#include "pvs.h"

#if PVS_AMALGAMATION_VERSION != {number}
#error "pvs.c and pvs.h are of different versions"
#endif

/* With PVS_API=static, what is not called need not be said to be unused. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
"""

SOURCE_END = """
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
"""


class Problem(Exception):
    """The tree is not as this script knows it."""


def blob_name(data):
    """What git calls these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Tree:
    """The files of the engine, each read once, in the order they were asked for."""

    def __init__(self, root):
        self.root = root
        self.inputs = {}
        self.done = set()

    def read(self, path):
        """Text of a file relative to the root."""
        data = (self.root / path).read_bytes()
        self.inputs[path] = blob_name(data)
        return data.decode()

    def header_path(self, name):
        """Path of <name>, or None when it is no header of ours."""
        for directory in HEADERS:
            if (self.root / directory / name).exists():
                return f"{directory}/{name}"
        return None

    def expanded(self, path):
        """A file with the files it includes in front of it, each once in the whole output."""
        if path in self.done:
            return ""
        self.done.add(path)
        text = self.read(path)
        before = []
        for kind, name in INCLUDE.findall(text):
            found = self.header_path(name) if kind == "<" else \
                str(Path(path).parent / name)
            if found is None:
                raise Problem(f"{path} includes <{name}>, which is none of ours")
            before.append(self.expanded(found))
        text = INCLUDE.sub("", SPDX.sub("", text))
        return "".join(before) + f"\n/* ==== {path} ==== */\n\n" + squeezed(text)

    def sources(self):
        """Paths of the sources, in the order of sources.cmake."""
        listed = (self.root / SOURCES / "sources.cmake").read_text()
        names = re.search(r"set\(PVS_CORE_FILES([^)]*)\)", listed)
        if not names or not names.group(1).split():
            raise Problem(f"{SOURCES}/sources.cmake names no source")
        return [f"{SOURCES}/{name}" for name in names.group(1).split()]

    def public_includes(self):
        """Our public headers that sources and their private headers include, in their order."""
        names = []
        for path in [*self.sources(), *sorted(str(path.relative_to(self.root)) for path in
                                              (self.root / SOURCES / "src").glob("*.h"))]:
            for kind, name in INCLUDE.findall((self.root / path).read_text()):
                found = self.header_path(name) if kind == "<" else None
                if found and found not in names:
                    names.append(found)
        return names

    def licences(self):
        """Licences that the files say they are under."""
        return {licence for path in self.inputs
                for licence in SPDX.findall((self.root / path).read_text())}


def squeezed(text):
    """No empty lines at the ends, no two in a row."""
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def version_of(umbrella):
    """("0.1.0", 100) of the umbrella header."""
    parts = [int(re.search(rf"#define PVS_VERSION_{name} (\d+)", umbrella).group(1))
             for name in ("MAJOR", "MINOR", "PATCH")]
    return ".".join(map(str, parts)), parts[0] * 10000 + parts[1] * 100 + parts[2]


def amalgamate(root):
    """{name: text} of the two files."""
    tree = Tree(root)
    header = tree.expanded(tree.header_path(UMBRELLA))
    version, number = version_of(tree.read(tree.header_path(UMBRELLA)))
    # A public header that only a source includes is public here too.
    for name in tree.public_includes():
        header += tree.expanded(name)
    body = "".join(tree.expanded(path) for path in tree.sources())
    if tree.licences() != {LICENCE}:
        raise Problem(f"licences: {tree.licences()}")

    named = sorted(tree.inputs.items())
    whole = hashlib.sha1("".join(f"{name} {path}\n" for path, name in named).encode()).hexdigest()
    inputs = "\n".join(f" *   {name[:12]} {path}" for path, name in named)

    def top(name, what):
        return TOP.format(licence=LICENCE, name=name, version=version, what=what, inputs=inputs,
                          tree=whole)

    stamp = (f"\n#ifndef PVS_AMALGAMATION\n#define PVS_AMALGAMATION \"{version} {whole[:12]}\"\n"
             f"#define PVS_AMALGAMATION_VERSION {number}\n#endif\n")
    source = SOURCE_START.format(number=number) + body + SOURCE_END
    return {"pvs.h": top("pvs.h", "what is public.") + stamp + header,
            "pvs.c": top("pvs.c", "the engine.") + source}


def write_changed(path, text):
    """Leaves a file alone that is right already: nothing is built again for nothing."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip().split("\n\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    try:
        files = amalgamate(arguments.root.resolve())
    except Problem as problem:
        sys.exit(f"amalgamate.py: {problem}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_changed(arguments.output / name, text)


if __name__ == "__main__":
    main()
