# SPDX-License-Identifier: BSD-2-Clause
"""What a person reads, and what a program reads."""
import json
import shlex
import textwrap

from .judge import ERROR, FAILURE, SKIP, SUCCESS, worst

COLUMNS = (SUCCESS, SKIP, ERROR, FAILURE)
WIDTH = 96
FAULTS_IN_FULL = 20


def verdicts(results):
    """{clause name: verdict}"""
    return {name: worst([one.verdict for one in outcomes]) for name, (_, outcomes)
            in results.items()}


def table(results):
    """Lines: clauses by group and verdict."""
    groups = {}
    for name, verdict in verdicts(results).items():
        row = groups.setdefault(results[name][0].group, dict.fromkeys(COLUMNS, 0))
        row[verdict] += 1
    width = max([len(group) for group in groups] + [5])
    yield f"{'clauses of':<{width}}" + "".join(f"{column:>9}" for column in COLUMNS)
    total = dict.fromkeys(COLUMNS, 0)
    for group, row in sorted(groups.items()):
        yield f"{group:<{width}}" + "".join(f"{row[column] or '.':>9}" for column in COLUMNS)
        for column in COLUMNS:
            total[column] += row[column]
    yield f"{'all':<{width}}" + "".join(f"{total[column]:>9}" for column in COLUMNS)


def wrapped(text, label):
    """A paragraph behind a label."""
    return textwrap.fill(text, WIDTH, initial_indent=label, subsequent_indent=" " * len(label),
                         break_long_words=False, break_on_hyphens=False)


def fault(clause, outcome, again):
    """Lines about one check that was not a success."""
    check = outcome.check
    yield f"{outcome.verdict}  {clause.name}  {check.name}"
    yield wrapped(clause.text, "    clause    ")
    if check.why:
        yield wrapped(check.why, "    check     ")
    yield f"    op        {outcome.op}"
    yield f"    expected  {outcome.expected or 'a result line'}"
    if outcome.got:
        yield f"    got       {outcome.got}"
    if outcome.why and outcome.verdict != FAILURE:
        yield f"    because   {outcome.why}"
    elif outcome.why:
        yield f"    not so    {outcome.why}"
    yield f"    again     {again.format(options=f'--check {check.name} -v')}"


def again_of(program, arguments):
    """The command of this run, with {options} where options can be added."""
    if arguments.library:
        words = ["--library", str(arguments.library)]
    else:
        words = ["--", *arguments.command]
    return f"{program} {{options}} " + shlex.join(words).replace("{", "{{").replace("}", "}}")


def human(results, again, verbose=False):
    """Lines of the whole report."""
    seen, told = set(), 0
    for clause, outcomes in results.values():
        for outcome in outcomes:
            if verbose and outcome.check.name not in seen:
                yield f"{outcome.verdict}  {outcome.check.name}"
                yield from (f"    {op} -> {answer}" for op, answer in outcome.transcript)
            if outcome.verdict in (ERROR, FAILURE) and outcome.check.name not in seen:
                told += 1
                if told <= FAULTS_IN_FULL:
                    yield from fault(clause, outcome, again)
                    yield ""
                else:
                    yield f"{outcome.verdict}  {clause.name}  {outcome.check.name}"
            seen.add(outcome.check.name)
    skipped = {}
    for name, (_, outcomes) in results.items():
        if worst([one.verdict for one in outcomes]) == SKIP:
            why = outcomes[0].why if outcomes else "the kit has no check of it"
            skipped.setdefault(why, []).append(name)
    for why, names in skipped.items():
        yield wrapped(f"{why}: {' '.join(names)}", "Skip  ")
    if skipped:
        yield ""
    yield from table(results)
    checks = {one.check.name for _, outcomes in results.values() for one in outcomes}
    found = set(verdicts(results).values())
    yield ""
    yield (f"{len(checks)} checks of {len(results)} clauses: "
           + ("NOT conforming" if found & {ERROR, FAILURE} else
              "nothing could be checked" if found <= {SKIP} else
              "conforming, as far as it could be checked" if SKIP in found else "conforming"))


def as_json(results, path):
    """Writes the same for programs."""
    state = verdicts(results)
    document = {
        "verdicts": {column: sum(one == column for one in state.values()) for column in COLUMNS},
        "clauses": {name: {
            "group": clause.group, "state": clause.state, "verdict": state[name],
            "checks": [{"name": one.check.name, "verdict": one.verdict, "why": one.why,
                        "op": one.op, "expected": one.expected, "got": one.got}
                       for one in outcomes]} for name, (clause, outcomes) in results.items()},
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
