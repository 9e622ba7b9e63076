#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/performance.md, from build/report/bench.json.

usage: page.py --check

The page carries the result it was made of. --check makes it anew from that: a page of another
format, with a figure missing, or changed by hand, is an error.
"""
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/performance.md"
FORMAT = 2  # of the result; one more when a figure is added, goes or means something else
SIZES = (2, 8, 64, 256, 1024)
# What the design promises (section "Budgets" of the page): at most so much.
BUDGETS = {
    "publish_instr": 15,
    "decide_instr_p99": 200,
    "yield_1024_instr": 150,
    "yield_trace_ratio_8": 1.0,
    "yield_trace_ratio_1024": 0.1,
    "core_text_bytes": 16384,
    "core_stack_bytes": 512,
    "core_data_bytes": 0,
    "vcpu_state_bytes": 512,
}
DEEPEST = 12  # functions listed by stack
NAMED = 4  # figures that are named when many differ
RESULT = re.compile(r"^```json\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def budgets(figures):
    return [{"figure": name, "value": figures[name], "budget": most, "met": figures[name] <= most}
            for name, most in BUDGETS.items()]


def table(head, rows):
    """A Markdown table; all columns but the first are numbers when the first row's are."""
    def cell(value):
        return f"`{value}`" if isinstance(value, str) and "_" in value else str(value)

    numbers = [isinstance(value, (int, float)) for value in rows[0]]
    return "\n".join(["| " + " | ".join(head) + " |",
                      "|" + "|".join("---:" if number else "---" for number in numbers) + "|",
                      *("| " + " | ".join(map(cell, row)) + " |" for row in rows)])


def budget_part(result):
    rows = [(one["figure"], one["value"], one["budget"], "yes" if one["met"] else "**no**")
            for one in result["budgets"]]
    return table(("figure", "measured", "at most", "met"), rows)


def publish_part(figures):
    rows = [(what, figures[f"publish{suffix}_instr"], figures[f"publish_full{suffix}_instr"])
            for what, suffix in (
                ("no bell is asked for", ""),
                ("a bell is asked for, not for this change", "_deaf"),
                ("a bell is asked for this change: the guest is told to ring", "_bell"))]
    return table(("what the host has asked for", "prepared word", "from its parts"), rows)


def decide_part(figures, tables):
    def row_of(group):
        return [group[name] for name in ("calls", "mean", "p50", "p99", "max")]

    head = ("calls", "mean", "p50", "p99", "max")
    whole = [["all", figures["decide_calls"],
              *(figures[f"decide_instr_{name}"] for name in head[1:])]]
    paths = [[group["path"], "yes" if group["news"] else "no", "yes" if group["event"] else "no",
              *row_of(group)] for group in tables["paths"]]
    events = [[group["event"], *row_of(group)] for group in tables["events"]]
    files = [[row["file"], row["mean"]] for row in tables["files"]]
    return "\n\n".join((
        table(("decisions", *head), whole),
        "By what became of the class, whether the guest had said something since the last look,\n"
        "and whether an event told more than \"look again\":",
        table(("path", "news", "event", *head), paths),
        "By the file they are written in (one for each stage, `stage.h` is arithmetic that all\n"
        "use), the mean of one decision:",
        table(("file", "instructions"), files),
        "By event:",
        table(("event", *head), events)))


def yield_part(figures):
    rows = []
    for size in SIZES:
        rows.append((size, *(figures[f"yield_{kind}_{size}"] for kind in (
            "trace_ours", "trace_linear", "trace_ratio", "many_ours", "many_linear",
            "many_ratio"))))
    return table(("vCPUs", "sets, one eligible", "scan", "ratio", "sets, many eligible", "scan",
                  "ratio"), rows)


def code_part(tables):
    rows = [(row["for"], row["compiler"], row["code"], row["constants"], row["text"],
             row["relocated"], row["data"]) for row in tables["code"]]
    return table(("for", "compiler", "code", "constants", "both", "relocated constants",
                  "writable data"), rows)


def stack_part(tables):
    parts = []
    for how in tables["stacks"]:
        rows = [(f"{row['function']}()", row["frame"], row["chain"],
                 " → ".join(row["through"]) or "-") for row in how["functions"][:DEEPEST]]
        parts.append(f"**{how['how']}**\n\n" +
                     table(("function", "own frame", "with what it calls", "through"), rows))
    return "\n\n".join(parts)


def state_part(tables):
    return table(("struct", "bytes"), list(tables["states"].items()))


def clock_part(figures):
    rows = [(name.removesuffix("_ns"), value) for name, value in figures.items()
            if name.endswith("_ns")]
    return table(("path", "ns"), rows)


TEXT = """<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Made by `./run bench --page` (tests/bench/page.py); changes by hand are found and lost. -->
# Performance

What the library costs, as measured by `./run bench`. Instructions are counted by valgrind's
callgrind, with everything a function calls: they are the same on a busy machine and on an idle one.
gcc -O2, x86-64, the engine built as one unit (`PVS_UNITY`), unless said otherwise.

## Budgets

{budgets}

What is not met is said, and the sections below show where it goes.

## The guest: saying what it needs

At a context switch a guest scheduler stores one prepared word, `pvs_guest_store_intent()`. Counted
is that, inlined into a function that does nothing else, the return included; and
`pvs_guest_publish()`, which builds the word first. Each is the most expensive of {changes} changes
between an urgent and a normal task. `publish_instr` is the first of these numbers.

{publish}

## The host: one decision

Each call of `pvs_decide()` in the generated vectors, `abi/vectors/generated.vec`: drawn on purpose
so that something happens all the time, with small accounts, malformed words, storms and clocks that
jump. The sum over all calls was counted a second time, in one piece, and is the same.

{decide}

A whole checkpoint, `pvs_step()`, reads the slot, validates the words, decides and writes what the
guest may know: {step} instructions on average for a guest that works 5 % of each audio period
(`step_instr`), {step_p99} at the 99th percentile.

## Directed yield

A contention trace with the upkeep of the sets and all choices in it, per choice; beside it the
linear scan that hosts do today (tests/bench/yield_linear.h says what is and is not in it). One
eligible: a lock's holder has lost its CPU, at a uniform position. Many: half of the vCPUs wait.

{yields}

A single choice among 1024 at its worst takes {worst} instructions (`yield_1024_instr`: the most of
all ranks, one candidate, behind the cursor), and {vain} when everything that comes before it was
looked at for nothing.

## Code

Bytes, freestanding, without tables for debuggers and unwinders. `core_text_bytes` is code and
constants of gcc -Os on x86-64.

{code}

## Stack

Bytes of a function's frame (`-fstack-usage`), return address included, and of the deepest chain of
calls from it (`-fcallgraph-info`). The engine calls nothing that is not in the graph, and nothing
through a pointer. `core_stack_bytes` is the largest of all. The deepest {deepest} of each build:

{stack}

## State

What a host keeps for each vCPU, VM, domain or queue, in bytes on x86-64. `vcpu_state_bytes` is that
of `struct pvs_vcpu`.

{state}

## By the clock

The median of {runs} runs, in nanoseconds, call overhead included. They are of one machine at one
moment, and noisy: nothing asserts them. The yields include the upkeep of one wait and one run.

{clock}

## All figures

As in `build/report/bench.json`, with the tables above.

```json
{result}
```
"""


def text_of(result):
    """The page."""
    figures, tables = result["figures"], result["tables"]
    return TEXT.format(
        budgets=budget_part(result), changes=400, publish=publish_part(figures),
        decide=decide_part(figures, tables), step=figures["step_instr"],
        step_p99=figures["step_instr_p99"], yields=yield_part(figures),
        worst=figures["yield_1024_instr"], vain=figures["yield_1024_instr_in_vain"],
        code=code_part(tables), deepest=DEEPEST, stack=stack_part(tables),
        state=state_part(tables), runs=15, clock=clock_part(figures),
        result=compact(result))


def compact(result):
    """What the page needs of the result, one figure or table row a line; stacks as far as shown."""
    kept = json.loads(json.dumps(result))
    for how in kept["tables"]["stacks"]:
        how["functions"] = how["functions"][:DEEPEST]
    return re.sub(r"\n {3,}", " ", json.dumps(kept, indent=1))


def committed():
    """The result that docs/performance.md was made of, or None."""
    found = RESULT.search(PAGE.read_text()) if PAGE.exists() else None
    return json.loads(found.group(1)) if found else None


def say_age(result):
    """Says which counted figures of the committed page are not those of this run."""
    page = committed() or {"figures": {}}
    changed = [name for name, value in result["figures"].items()
               if not name.endswith("_ns") and page["figures"].get(name) != value]
    if changed:
        more = ", ..." if len(changed) > NAMED else ""
        print(f"docs/performance.md has other values of {', '.join(changed[:NAMED])}{more}: "
              "./run bench --page")


def main():
    if sys.argv[1:] != ["--check"]:
        sys.exit(__doc__)
    result = committed()
    if result is None:
        sys.exit(f"page: {PAGE.name} has no result in it: ./run bench --page")
    if result["format"] != FORMAT:
        sys.exit(f"page: {PAGE.name} is of format {result['format']}, not {FORMAT}: "
                 "./run bench --page")
    if text_of(result) != PAGE.read_text():
        sys.exit(f"page: {PAGE.name} is not what page.py makes of its figures: ./run bench --page")
    print(f"{PAGE.name} is what page.py makes of its {len(result['figures'])} figures")


if __name__ == "__main__":
    main()
