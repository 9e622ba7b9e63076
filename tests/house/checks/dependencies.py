#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Arrows point one way: guest-shim -> abi <- libpvsched <- adapters/common <- adapters/*.

Nothing but tests includes from tests; abi, core and the portable shim include no system header.
"""
import re

import house

MAY_USE = {
    "abi": {"abi"},
    "libpvsched": {"abi", "libpvsched"},
    "guest-shim": {"abi", "guest-shim"},
    "adapters/common": {"abi", "libpvsched", "adapters/common"},
    "adapters/null": {"abi", "libpvsched", "adapters/common", "adapters/null"},
    "adapters/kvm": {"abi", "libpvsched", "adapters/common", "adapters/kvm"},
}
# Every freestanding compiler brings it; abi_assert.h uses it where there is no built-in.
FREESTANDING = {"stddef.h"}
NO_SYSTEM_HEADERS = ("abi/include", "libpvsched/include", "libpvsched/src",
                     "guest-shim/include", "guest-shim/src")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def owners(root):
    """Header name -> layer."""
    return {name: layer for layer in house.LAYERS for name in house.headers(root, layer)}


def problems_of(root, path, layer, owner):
    """What one file includes and must not."""
    text = (root / path).read_text(errors="replace")
    for kind, name in INCLUDE.findall(text):
        local = kind == '"' and (root / path.parent / name).resolve()
        if local and local.is_file():
            if not local.is_relative_to((root / layer).resolve()):
                yield f"{path}: includes {name}, which is outside of {layer}/"
        elif name in owner:
            if owner[name] not in MAY_USE[layer]:
                yield f"{path}: {layer} must not use {owner[name]} ({name})"
        elif name.startswith("pvs/"):
            yield f"{path}: includes {name}, which no layer owns"
        elif str(path).startswith(NO_SYSTEM_HEADERS) and name not in FREESTANDING:
            yield f"{path}: must stand without {name}"


def main():
    root = house.arguments().root
    owner = owners(root)
    problems = []
    checked = 0
    for path in house.files(root):
        layer = next((one for one in house.LAYERS if str(path).startswith(one + "/")), None)
        if layer and path.suffix in (".c", ".h", ".S"):
            checked += 1
            problems += problems_of(root, path, layer, owner)
    if not checked:
        problems.append("no source was found")
    house.finish(problems, f"{checked} files include only what their layer may use")


main()
