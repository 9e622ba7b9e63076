#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each public header compiles alone, and twice, without a warning, in the languages it promises."""
import tempfile
from pathlib import Path

import house

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wundef"]
C89 = ["-std=c89", "-Wno-long-long"]
ANY_KERNEL = [
    ("gcc", C89), ("clang", C89),
    ("gcc", ["-std=c99"]), ("clang", ["-std=c99"]),
    ("gcc", ["-std=c11"]), ("clang", ["-std=c11"]),
    ("clang", ["-x", "c++", "-std=c++17"]),
]
MODERN = [("gcc", ["-std=c11"]), ("clang", ["-std=c11"])]
PROMISES = {"abi": ANY_KERNEL, "guest-shim": ANY_KERNEL[2:6]}


def main():
    root = house.arguments().root
    include = [f"-I{directory}" for layer in house.LAYERS
               for directory in house.include_directories(root, layer)]
    problems = []
    compiled = 0
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "alone.c"
        for layer in house.LAYERS:
            hosted = ["-D_GNU_SOURCE"] if layer.startswith("adapters") else ["-nostdinc"]
            for name in house.headers(root, layer):
                source.write_text(f"#include <{name}>\n#include <{name}>\n"
                                  "extern int not_empty;\n")
                for compiler, language in PROMISES.get(layer, MODERN):
                    compiled += 1
                    status, output = house.run(
                        [compiler, *language, *WARNINGS, *hosted, *include, "-fsyntax-only",
                         source])
                    if status:
                        problems.append(f"{name}: {compiler} {' '.join(language)}\n{output}")
    if not compiled:
        problems.append("no header was found")
    house.finish(problems, f"{compiled} header compilations, all silent")


main()
