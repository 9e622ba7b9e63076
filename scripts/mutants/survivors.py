# SPDX-License-Identifier: BSD-2-Clause
"""The reviewed list of mutants that no test can or need notice, and why.

An entry of survivors.txt:

    libpvsched/src/account.c: learn_share: comparison boundary
    - if (balance > max)
    + if (balance >= max)
      the same value is stored over itself

The second word is the function, `-` outside of any. Lines are compared with white space collapsed
and without comments; numbers of lines mean nothing.
"""

SAME_CODE = "the compiler makes the same code of it"


def read(path):
    """{key: reason} of the file."""
    known = {}
    if not path.exists():
        return known
    for block in path.read_text().split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if len(lines) < 4:
            continue
        name, function, operator = lines[0].split(": ", 2)
        key = f"{name}|{function}|{operator}|{lines[1][2:]}|{lines[2][2:]}"
        known[key] = " ".join(line.strip() for line in lines[3:])
    return known


def outdated(known, mutants):
    """Entries for lines that are not there any more."""
    return sorted(set(known) - {mutant.key for mutant in mutants})


def explain(alive, same, known):
    """({key: reason}, mutants without one)"""
    explained, unexplained = {}, []
    for mutant in alive:
        if mutant.key in known:
            explained[mutant.key] = known[mutant.key]
        elif mutant.key in same:
            explained[mutant.key] = SAME_CODE
        else:
            unexplained.append(mutant)
    return explained, unexplained
