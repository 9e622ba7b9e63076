# SPDX-License-Identifier: BSD-2-Clause
"""The clauses of the specification, and the checks of them: what stands in the files."""
import re
from dataclasses import dataclass, field

from . import language

CLAUSE = re.compile(r"^\*\*(PVS-([GH])-\d\d)\*\* \(([^)]*)\) (.*?)(?=\n\n|\Z)", re.M | re.S)
POLICY_LIMIT_PER_STEP_S = 0.02


class BadFile(Exception):
    """A file of the kit itself is wrong."""


@dataclass
class Clause:
    """A clause, or a page of vectors that is checked as a whole."""
    name: str
    group: str
    state: str
    text: str
    role: str
    checks: list = field(default_factory=list)


@dataclass
class Line:
    """One op, what it stands for in its file, and what is expected of it."""
    op: str
    expected: list
    where: str


@dataclass
class Check:
    """A named script of op lines."""
    name: str
    clauses: list
    why: str
    lines: list
    path: str

    def op_lines(self):
        """As the implementation reads them."""
        return [f"vector {self.name}"] + [line.op for line in self.lines]

    def seconds(self):
        """What it may take beyond the limit of each check: generated steps are many."""
        steps = sum(int(n) for line in self.lines for n in re.findall(r"\bsteps=(\d+)", line.op))
        return steps * POLICY_LIMIT_PER_STEP_S


def read_clauses(directory):
    """{name: Clause} of the pages of a specification."""
    clauses = {}
    for page in sorted(directory.glob("*.md")):
        if page.name == "README.md":
            continue
        for name, side, state, text in CLAUSE.findall(page.read_text()):
            role = "guest" if side == "G" else "host"
            clauses[name] = Clause(name, f"{role}: {page.stem}", state, " ".join(text.split()),
                                   role)
    if not clauses:
        raise BadFile(f"{directory}: no clause")
    return clauses


class Reader:
    """Reads one file of checks."""

    def __init__(self, path, default):
        self.path, self.default = path, default
        self.checks = []

    def comment(self, text):
        """`# clause: ...` names clauses; what else is said right below `vector` is why."""
        check = self.checks[-1] if self.checks else None
        if check is None or check.lines:
            return
        if text.startswith("clause:"):
            check.clauses = text.removeprefix("clause:").replace(",", " ").split()
        else:
            check.why = f"{check.why} {text}".strip()

    def op(self, text, where):
        """An op line, or the macro that stands for some."""
        if not self.checks:
            raise BadFile(f"{where}: outside of a check")
        for one in language.expanded(text):
            op, _, expected = one.partition("->")
            self.checks[-1].lines.append(Line(op.strip(), expected.split(), where))

    def line(self, text, where):
        """Any line."""
        code, hash_sign, comment = text.partition("#")
        code = code.strip()
        if code.startswith("vector "):
            self.checks.append(Check(code.split()[1], list(self.default), "", [], self.path.name))
        elif code.startswith("= "):
            self.checks[-1].lines[-1].expected += code.split()[1:]
        elif code:
            self.op(code, where)
        elif hash_sign:
            self.comment(comment.strip())

    def read(self):
        """All checks of the file."""
        for count, text in enumerate(self.path.read_text().splitlines(), 1):
            where = f"{self.path.name}:{count}"
            try:
                self.line(text, where)
            except (language.BadLine, ValueError, IndexError) as error:
                raise BadFile(f"{where}: {error}") from None
        return self.checks


def read_checks(directory, clauses):
    """Puts the checks of a directory to their clauses."""
    for path in sorted(directory.glob("*.vec")):
        for check in Reader(path, []).read():
            if not check.clauses:
                raise BadFile(f"{path.name}: {check.name} names no clause")
            for name in check.clauses:
                if name not in clauses:
                    raise BadFile(f"{path.name}: {check.name}: {name} is no clause")
                clauses[name].checks.append(check)


def read_policy(directory, clauses):
    """The vectors, page by page, as if each page were a clause."""
    for path in sorted(directory.glob("*.vec")):
        name = f"policy/{path.stem}"
        role = "both" if path.stem in ("guest", "generated") else "host"
        clauses[name] = Clause(
            name, "policy", "implemented",
            f"The same policy gives the same results, bit for bit (abi/vectors/{path.name}).",
            role, Reader(path, [name]).read())


def load(data):
    """{name: Clause}, with their checks, of the directories of a kit."""
    clauses = read_clauses(data["spec"])
    read_checks(data["checks"], clauses)
    read_policy(data["vectors"], clauses)
    names = set()
    for clause in clauses.values():
        for check in clause.checks:
            if check.name in names and len(check.clauses) == 1:
                raise BadFile(f"{check.path}: {check.name} is there twice")
            names.add(check.name)
    return clauses
