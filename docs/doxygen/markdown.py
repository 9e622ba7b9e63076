#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Turns a page of this tree into what Doxygen makes a good page of. Filter: markdown.py FILE

The pages are written for people who read the repository. For the site
- the licence line goes, which would hide the title,
- each page gets a name that does not depend on where Doxygen runs,
- what an index page links to becomes a page below it in the tree at the left, and so does what
  lies beside it without being linked,
- a link to a directory leads to its README.md, if it has one,
- state diagrams (mermaid) become drawings, where graphviz is there to draw them.
"""
import os
import re
import shutil
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPDX = re.compile(r"^<!-- SPDX-License-Identifier: .* -->\n")
LINK = re.compile(r"\[([^\]]*)\]\(([^)#\s]+)\)")
DIAGRAM = re.compile(r"^```mermaid\nstateDiagram(?:-v2)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ARROW = re.compile(r"^(\S+) --> (\S+?)(?:: (.*))?$")
GROUP = re.compile(r"^state (\w+) \{$")
LABEL_COLUMNS = 20
SITE = ("docs/", "abi/spec/", "README.md", "CHANGELOG.md")
FIRST = "docs/README.md"
INDEXES = {"docs/README.md", "docs/adr/README.md", "abi/spec/README.md"}
LOOSE = {"docs/adr/README.md", "abi/spec/README.md"}  # list what lies beside them by themselves
# The first page is the root of the tree, so it has the name of the project; two cannot.
TITLES = {"docs/README.md": "libpvsched", "README.md": "Overview"}

GRAPH = """digraph states {
  size="9.2,16"; rankdir=TB; bgcolor="transparent"; nodesep=0.35; ranksep=0.5;
  node [shape=box, style="rounded,filled", fillcolor="#f2f5fa", color="#5b7083",
        fontname="Helvetica", fontsize=11];
  edge [fontname="Helvetica", fontsize=9, color="#5b7083", fontcolor="#333333"];
"""


def name_of(path):
    """The name of a page: its path, as an identifier."""
    relative = os.path.relpath(path, ROOT)
    if relative == FIRST:
        return "index"
    return "page_" + re.sub(r"\W", "_", relative.removesuffix(".md"))


def target_of(path, link):
    """The page a link leads to, or None when it leads somewhere else."""
    target = Path(os.path.normpath(path.parent / link))
    if target.is_dir():
        target = target / "README.md"
    inside = os.path.relpath(target, ROOT).startswith(SITE)
    return target if inside and target.suffix == ".md" and target.exists() else None


def title_of(path):
    """The first heading of a page."""
    match = re.search(r"^# (.*)$", path.read_text(), re.MULTILINE)
    return match.group(1) if match else path.stem


def with_links(path, text, index):
    """Links to pages by their names; those of an index page make a tree."""
    below = set()

    def replace(match):
        label, link = match.group(1), match.group(2)
        target = None if "://" in link else target_of(path, link)
        if target is None:
            return match.group(0)
        command = "ref"
        if index and target not in below and name_of(target) != name_of(path):
            command = "subpage"
            below.add(target)
        return f'@{command} {name_of(target)} "{label}"'

    # In code nothing is a link.
    parts = re.split(r"(^```.*?^```$|`[^`\n]*`)", text, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [LINK.sub(replace, part) for part in parts[::2]]
    return "".join(parts), below


def node(name, scope, start):
    """A state, named inside its group; [*] is where it begins."""
    if name == "[*]":
        return f'"{scope}{"start" if start else "end"}"'
    return f'"{scope}{name}"'


def drawn(match):
    """A state diagram as graphviz has it."""
    lines, scope, depth = [GRAPH], "", 0
    for line in map(str.strip, match.group(1).splitlines()):
        group, arrow = GROUP.match(line), ARROW.match(line)
        if group:
            scope = f"{group.group(1)}/"
            depth += 1
            lines.append(f'  subgraph "cluster_{scope}" {{ label="{group.group(1)}"; '
                         'fontname="Helvetica"; fontsize=11; color="#b8c4d0";')
        elif line == "}":
            scope = ""
            depth -= 1
            lines.append("  }")
        elif arrow:
            source, target, label = arrow.groups()
            for name in {source, target}:
                if name == "[*]":
                    lines.append(f'  {node(name, scope, name == source)} '
                                 '[shape=point, width=0.12, label=""];')
                else:
                    lines.append(f'  {node(name, scope, False)} [label="{name}"];')
            folded = "\\n".join(textwrap.wrap(label or "", LABEL_COLUMNS))
            lines.append(f'  {node(source, scope, True)} -> {node(target, scope, False)} '
                         f'[label="{folded}"];')
        elif line:
            raise ValueError(f"a state diagram has a line of no known form: {line}")
    if depth:
        raise ValueError("a state diagram has a group that does not end")
    return "@dot\n" + "\n".join(lines) + "\n}\n@enddot"


def page(path):
    """The text of a page for the site."""
    text = SPDX.sub("", path.read_text())
    relative = os.path.relpath(path, ROOT)
    index = relative in INDEXES
    text, below = with_links(path, text, index)
    if relative in LOOSE:
        rest = [other for other in sorted(path.parent.glob("*.md"))
                if other not in below and other != path]
        text += "\n" + "".join(f'- @subpage {name_of(other)} "{title_of(other)}"\n'
                               for other in rest)
    name = "mainpage" if relative == FIRST else name_of(path)
    title = TITLES.get(relative, title_of(path))
    text = re.sub(r"^# .*$", lambda _: f"# {title} {{#{name}}}", text, count=1, flags=re.MULTILINE)
    if shutil.which("dot"):
        text = DIAGRAM.sub(drawn, text)
    return text


def main():
    sys.stdout.write(page(Path(sys.argv[1]).resolve()))


if __name__ == "__main__":
    main()
