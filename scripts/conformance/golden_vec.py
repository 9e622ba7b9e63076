#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The golden images (abi/golden) as vectors, so that every environment answers them too.

usage: golden_vec.py [--check]    writes abi/vectors/golden.vec, or says whether it is what it would
"""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "abi" / "golden"
TARGET = ROOT / "abi" / "vectors" / "golden.vec"
TOP = """\
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
# The images of abi/golden, written by scripts/conformance/golden_vec.py: change those instead.
"""
WORDS = {0x00: "intent", 0x08: "crit", 0x10: "irq", 0x18: "wait", 0x20: "bounds", 0x28: "life",
         0x40: "pending"}
# Fields of struct pvs_hint as abi/golden calls them, and as the vectors do.
KEYS = {"wake_urgency": "wake", "irq_ack": "ack", "util_floor": "floor", "util_ceil": "ceil",
        "window_us": "window", "wait_kind": "kind", "wait_target": "target", "wait_epoch": "epoch",
        "wait_mask": "mask"}
GENERATION, COUNT, OFFERED, ACCEPTED = 0x1c, 0x18, 0x20, 0x88
GUEST_LINE = range(0x80, 0xc0)
KICK = 1
SLOT = 1


def load(path):
    """(first comment, header fields, slot words, what is expected)"""
    comment, header, slot, expected = "", {}, {}, []
    for number, line in enumerate(path.read_text().splitlines()):
        if not number and line.startswith("#"):
            comment = line[1:].strip()
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "header":
            header[int(words[1], 16)] = words[2]
        elif words[0] == "slot1":
            slot[int(words[1], 16)] = int(words[2], 16)
        elif words[0] == "expect":
            expected = words[1:]
    return comment, header, slot, expected


def value(header, offset):
    return int(header.get(offset, "0"), 16)


def header_lines(header, offsets):
    return [f"header at={offset:#x} size={len(digits) // 2} value={int(digits, 16):#x}"
            for offset, digits in sorted(header.items()) if offset in offsets]


def bind(header, expected):
    wanted, result, accepted = int(expected[0], 16), int(expected[1]), int(expected[2], 16)
    holds = f"rc={result}" + (f" accepted={accepted:#x}" if result == KICK else "")
    return [*header_lines(header, range(0x1000)), f"guest_bind wanted={wanted:#x} -> {holds}"]


def choice(header, expected):
    return [f"vm offered={value(header, OFFERED):#x} generation={value(header, GENERATION):#x}",
            *header_lines(header, GUEST_LINE), f"choice header=1 -> reason={expected[0]}"]


def hint(header, slot, expected):
    pairs = zip(expected[0::2], expected[1::2])
    holds = " ".join(f"{KEYS.get(key, key)}={number}" for key, number in pairs)
    words = " ".join(f"{WORDS[offset]}={word:#x}" for offset, word in sorted(slot.items()))
    return [f"terms features={value(header, ACCEPTED):#x} "
            f"generation={value(header, GENERATION):#x} slots={value(header, COUNT)} active=1",
            f"validate {SLOT} {words}".rstrip() + f" -> {holds}"]


def vector(path):
    """The lines of one image."""
    comment, header, slot, expected = load(path)
    kind, expected = expected[0], expected[1:]
    body = {"bind": lambda: bind(header, expected), "choice": lambda: choice(header, expected),
            "hint": lambda: hint(header, slot, expected)}[kind]()
    return ["", f"# {comment}", f"vector golden_{path.stem.replace('-', '_')}", *body]


def main():
    lines = [line for path in sorted(IMAGES.glob("*.region")) for line in vector(path)]
    text = TOP + "\n".join(lines) + "\n"
    if "--check" in sys.argv[1:]:
        if not TARGET.exists() or TARGET.read_text() != text:
            sys.exit(f"{TARGET.relative_to(ROOT)} is not what {Path(__file__).name} writes")
        return
    TARGET.write_text(text)


main()
