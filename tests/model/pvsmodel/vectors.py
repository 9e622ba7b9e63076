# SPDX-License-Identifier: BSD-2-Clause
"""vectors.md sections 1 and 2: files of cases, expectations, the digest."""

from dataclasses import dataclass, field

from .language import OPS
from .numbers import FNV_BASIS, fnv1a
from .world import World

_RELATIONS = {
    "=": lambda got, wanted: got == wanted,
    "~": lambda got, wanted: got & wanted == wanted,
    "!": lambda got, wanted: got & wanted == 0,
    "<": lambda got, wanted: got <= wanted,
    ">": lambda got, wanted: got >= wanted,
}


@dataclass
class Tally:
    """What a replay amounts to."""

    digest: int = FNV_BASIS
    vectors: int = 0
    steps: int = 0
    mismatches: list = field(default_factory=list)

    def count(self, result):
        """A result line."""
        self.digest = fnv1a(self.digest, result.encode() + b"\n")


def meets(op, result, expectation):
    """V-2.2: does this result line hold what is expected?"""
    if expectation == "ok":
        return result == "ok"
    at = min((at for at in map(expectation.find, _RELATIONS) if at > 0), default=0)
    name, relation, wanted = expectation[:at], expectation[at:at + 1], expectation[at + 1:]
    kind = OPS[op][2].get(name) if op in OPS else None
    got = dict(word.partition("=")[::2] for word in result.split()).get(name)
    if kind is None or got is None:
        return False
    try:
        return _RELATIONS[relation](kind.parse(got), kind.parse(wanted))
    except ValueError:
        return False


def replay(path, text, tally):
    """Runs one file."""
    world = World()
    op = result = ""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        if line.startswith("vector "):
            tally.vectors += 1
            tally.steps += world.steps
            world = World()
            world.drawn = tally.count
            continue
        if line.startswith("= "):
            expected = line[2:]
        else:
            said, _, expected = line.partition(" -> ")
            op = said.split()[0]
            result = world.run(said)
            tally.count(result)
            if result in ("syntax", "error"):
                tally.mismatches.append(f"{path}:{number}: {said}\n\t-> {result}")
        for expectation in expected.split():
            if not meets(op, result, expectation):
                tally.mismatches.append(
                    f"{path}:{number}: {line}\n\texpected {expectation}\n\tgot {result}")
    tally.steps += world.steps
