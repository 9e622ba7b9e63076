#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The tables of numbers in the specification, as a header for the tests.

usage: spec_rows.py OUTPUT NAME=PAGE...

For each page a macro NAME(row), row(field, min, max, preset) for each line of its table of fields.
A preset that is no number is 0: a rule of its own says what it is.
"""
import re
import sys
from pathlib import Path

ROW = re.compile(r"^\| *\d+\.? \| `(\w+)` \|(.*)\|$", re.MULTILINE)
NUMBER = re.compile(r"[\d ]+")


def rows_of(text):
    """(field, min, max, preset) of each line; a column for the unit may stand before them."""
    for field, rest in ROW.findall(text):
        cells = [cell.strip() for cell in rest.split("|")]
        first = next((at for at in range(len(cells) - 2)
                      if all(NUMBER.fullmatch(cell) for cell in cells[at:at + 2])), None)
        if first is not None:
            yield field, *cells[first:first + 3]


def number(text):
    """C constant of `1 000 000`."""
    digits = text.replace(" ", "")
    return f"{digits}u" if digits.isdigit() else "0u"


def main():
    out = ["/* SPDX-License-Identifier: BSD-2-Clause */", "/* Made by spec_rows.py. */"]
    for word in sys.argv[2:]:
        name, page = word.split("=", 1)
        rows = list(rows_of(Path(page).read_text()))
        if not rows:
            sys.exit(f"{page}: no table of fields")
        out.append(f"#define {name}(row) \\")
        out += [f"\trow({field}, {number(low)}, {number(high)}, {number(preset)}) \\"
                for field, low, high, preset in rows]
        out += ["\t/* end */", f"#define {name}_COUNT {len(rows)}u"]
    Path(sys.argv[1]).write_text("\n".join(out) + "\n")


main()
