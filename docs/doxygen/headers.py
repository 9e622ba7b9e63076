#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Turns a header's plain comments into what Doxygen reads as documentation. Filter: headers.py FILE

The headers have comments as kernels have them. For the site
- the comment at the top is about the file,
- a comment at the beginning of a line belongs to what follows, one behind code to that code,
- a comment above several lines, one of which has its own, is the heading of a group that ends at
  the next empty line or brace,
- licence lines and rules between sections are no documentation of anything.

Lines stay where they are: what Doxygen says of a line must lead to it.
"""
import re
import sys
from pathlib import Path

FILE = re.compile(r"^ \* (pvs/[a-z0-9_]*\.h) - (.*)$")
NOISE = re.compile(r"SPDX-License-Identifier|^/\* -{3,}")
TRAILING = re.compile(r"^(.*[;,){0-9A-Za-z_(>\\].*\S.*)/\* ")
COMMENT_LINE = re.compile(r"^\s*/?\*")
ONE_LINE = re.compile(r"^(\s*)/\* (.*?) \*/$")
MEMBER = re.compile(r"^\s*(#define \w+|\w[^()]*[;,])")


def escaped(line):
    """Plain text may contain what Doxygen takes for markup."""
    if COMMENT_LINE.match(line):
        return line.replace("&", "&amp;").replace("<", "&lt;")
    return line


def group_end(lines, start):
    """Index behind the members that follow a heading, or None when this is no heading."""
    end, own, members = start, 0, 0
    if start == len(lines) or not MEMBER.match(lines[start]):
        return None
    while end < len(lines) and lines[end].strip() and not lines[end].strip().startswith("}"):
        if ONE_LINE.match(lines[end]):
            break
        members += bool(MEMBER.match(lines[end]))
        own += bool(TRAILING.match(lines[end]))
        end += 1
    return end if own and members > 1 else None


def documented(lines):
    """The lines with Doxygen's marks."""
    closing = set()
    in_enum = False
    for number, line in enumerate(lines):
        in_enum = line.startswith("enum ") or (in_enum and not line.startswith("}"))
        if NOISE.search(line):
            line = ""
        end = " /** @} */" if number in closing else ""
        match = None if in_enum else ONE_LINE.match(line)
        last = group_end(lines, number + 1) if match else None
        line = FILE.sub(r" * @file \1 \\brief \2", escaped(line))
        if match and last:
            closing.add(last)
            text = escaped(f"/* {match.group(2)} */")[3:-3]
            line = f"{match.group(1)}/** @name {text} */ /** @{{ */"
        elif line == "/*":
            line = "/**"
        else:
            line = re.sub(r"^(\s*)/\* ", r"\1/** ", line)
            if not line.lstrip().startswith("/*"):
                line = TRAILING.sub(r"\1/**< ", line)
        # The group ends before what ends it.
        yield f"{end.strip()} {line}".rstrip() if end else line


def main():
    text = Path(sys.argv[1]).read_text()
    sys.stdout.write("\n".join(documented(text.split("\n"))))


if __name__ == "__main__":
    main()
