# SPDX-License-Identifier: BSD-2-Clause
"""One check against one implementation: a verdict, and why."""
from dataclasses import dataclass, field

from . import language
from .peer import OUT_OF_STEP

SUCCESS, SKIP, FAILURE, ERROR = "Success", "Skip", "Failure", "Error"
# The worst of several is the last one of these.
ORDER = (SKIP, SUCCESS, FAILURE, ERROR)


@dataclass
class Outcome:
    """What became of a check."""
    check: object
    verdict: str
    why: str = ""
    op: str = ""
    expected: str = ""
    got: str = ""
    transcript: list = field(default_factory=list)


def worst(verdicts):
    """Of the checks of a clause; Skip if there is none."""
    return max(verdicts, key=ORDER.index, default=SKIP)


def declined(op, answer):
    """Why the implementation does not take part in this op; "" if it does."""
    name = op.split()[0]
    if answer.startswith(("unsupported", "?")):
        return f"it does not know '{name}'"
    return language.DOOR_OPS.get(name, "") if answer == "syntax" else ""


def judge_line(line, answer, before):
    """(verdict, why) of one answer; `before` are the fields of the one before it."""
    name = line.op.split()[0]
    reason = declined(line.op, answer)
    if reason:
        return SKIP, reason
    if answer in ("syntax", "error"):
        return ERROR, f"'{answer}' to a line of the language"
    if answer == "ok" and line.expected in ([], ["ok"]):
        return SUCCESS, ""
    if line.expected == ["ok"]:
        return FAILURE, "not as expected"
    try:
        fields = language.fields_of(answer) if answer != "ok" else {}
        wrong = [one for one in line.expected if not language.holds(name, fields, one, before)]
    except KeyError as error:
        return ERROR, f"the answer has no field {error}"
    except language.BadLine as error:
        return ERROR, f"the answer is no result line: {error}"
    return (FAILURE, " ".join(wrong)) if wrong else (SUCCESS, "")


def judge(check, peer, timeout_s):
    """Runs a check."""
    answers, broken = peer.ask(check.op_lines(), timeout_s + check.seconds())
    outcome = Outcome(check, SUCCESS)
    before = {}
    if broken.startswith(OUT_OF_STEP):
        # which answer belongs to which op nobody knows
        outcome.verdict, outcome.why, outcome.op = ERROR, broken, check.lines[-1].op
        return outcome
    for line, answer in zip(check.lines, answers):
        outcome.transcript.append((line.op, answer))
        verdict, why = judge_line(line, answer, before)
        if verdict != SUCCESS:
            outcome.verdict, outcome.why, outcome.op, outcome.got = verdict, why, line.op, answer
            outcome.expected = " ".join(line.expected)
            return outcome
        before = language.fields_of(answer) if "=" in answer else before
    if broken:
        at = min(len(answers), len(check.lines) - 1)
        outcome.verdict, outcome.why, outcome.op = ERROR, broken, check.lines[at].op
        outcome.expected = " ".join(check.lines[at].expected) or "a result line"
    return outcome
