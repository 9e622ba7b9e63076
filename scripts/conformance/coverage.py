#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the vectors reach. Red when a name of the headers is never seen: an event that is never
stepped, a reason that is never given; or an arrow of the boost's machine that is never taken.

usage: coverage.py REPLAY [--report FILE] [VECTORS...]
"""
import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
from environments import ROOT, vector_files  # noqa: E402

HEADERS = [*ROOT.glob("libpvsched/include/pvs/*.h"), ROOT / "abi/include/pvs/abi.h"]
POLICY = ROOT / "abi" / "spec" / "policy.md"
TABLES = ROOT / "tests" / "conformance" / "replay" / "tables.c"
CLASSES = ("below", "baseline", "task", "critical")
BOOSTED = ("task", "critical")
# Every way in which a boost can end, whichever of the two it is.
ENDS = ("none", "below", "idle", "offline", "outside", "detached", "foreign", "dedicated", "kick",
        "yield", "boost_empty", "vm_cap", "grant_max", "stale", "payback")
# Names without a value to be seen: counts, widths, what is derived, what only adapters do.
NO_NAMES = re.compile(r"(COUNT|SHIFT|BITS|MAX|MIN|ALL|NONE|KINDS)$")
NOT_BY_CORE = {"PVS_STATUS_DISABLED"}
PREFIXES = {
    "PVS_EV_": "event", "PVS_REASON_": "reason", "PVS_THROTTLE_": "throttle",
    "PVS_DECISION_": "flag", "PVS_WORD_": "malformed", "PVS_REFUSE_": "refusal",
    "PVS_STATUS_": "status", "PVS_CAP_": "capability", "PVS_F_": "feature",
    "PVS_PROFILE_": "profile", "PVS_URGENCY_": "urgency", "PVS_CRIT_": "critical",
    "PVS_IRQ_": "irq", "PVS_WAIT_": "wait", "PVS_CMD_": "command", "PVS_CLASS_": "class",
    "PVS_YIELD_": "yield", "PVS_TRANSFER_": "transfer", "PVS_PERF_": "perf",
    "PVS_QUEUE_": "queue", "PVS_WAITS_": "waits", "PVS_APPLIED_": "says",
}


def constants():
    """Every enumerator, flag and number of the headers, with the prefixes above."""
    names = set()
    for path in HEADERS:
        text = path.read_text()
        names |= set(re.findall(r"^#define (PVS_\w+) ", text, re.MULTILINE))
        names |= set(re.findall(r"^\t(PVS_\w+) = \d", text, re.MULTILINE))
    return {name for name in names if name.startswith(tuple(PREFIXES))
            and not NO_NAMES.search(name) and name not in NOT_BY_CORE}


def table_names():
    """Constant -> its name in the language."""
    return {constant: name for name, constant in
            re.findall(r'\{ "(\w+)", (PVS_\w+) \}', TABLES.read_text())}


def boost_states():
    """(class, reason) -> state, and the arrows, of the machine that policy.md draws."""
    text = POLICY.read_text()
    text = text[text.index("### The boost"):text.index("### The ticket")]
    states = {}
    for state, klass, reasons in re.findall(r"^\| ([A-Z]+) \| ([A-Z]+) \| (.+) \|$", text, re.M):
        for reason in re.match(r"[A-Z_, ]+", reasons)[0].split(","):
            states[klass.lower(), reason.strip().lower()] = state
    return states, sorted(set(re.findall(r"^    ([A-Z]+) --> ([A-Z]+):", text, re.M)))


def drift():
    """Constants of kinds that have a table, and are not in it."""
    named = table_names()
    enums = ("PVS_EV_", "PVS_REASON_", "PVS_THROTTLE_", "PVS_DECISION_", "PVS_WORD_", "PVS_REFUSE_",
             "PVS_CAP_", "PVS_PROFILE_", "PVS_CMD_")
    return [f"{name} has no name in tables.c" for name in sorted(constants())
            if name.startswith(enums) and name not in named]


def trace(program, files):
    """(is it a named case, op, words of the line, result as a dictionary) of each op."""
    output = subprocess.run([program, "-t", "-q", *files], capture_output=True, text=True,
                            check=False).stdout
    drawn = False
    for line in output.splitlines():
        if line.startswith("vector "):
            drawn = line.split()[1].startswith("drawn_")
            yield drawn, "vector", line.split()[1:2], {}
            continue
        left, arrow, right = line.partition(" -> ")
        if arrow:
            words = left.split()
            yield drawn, words[0], words[1:], dict(w.split("=", 1) for w in right.split()
                                                   if "=" in w)


class Seen:
    """What has been reached, by kind: (kind, name) -> how often."""

    def __init__(self):
        self.states, _ = boost_states()
        self.count = Counter()
        self.named = Counter()
        self.before = {}
        self.vectors = 0

    def add(self, kind, name, drawn):
        self.count[kind, name] += 1
        self.named[kind, name] += not drawn

    def flags(self, kind, value, drawn):
        for name in value.split("|"):
            self.add(kind, name, drawn)

    def step(self, words, result, drawn):
        vcpu, event = words[0], words[1]
        self.add("event", event, drawn)
        self.add("reason", result["reason"], drawn)
        if result["defer"] != "none":
            self.add("reason", result["defer"], drawn)
        self.add("class", result["class"], drawn)
        self.flags("throttle", result["throttle"], drawn)
        self.flags("flag", result["flags"], drawn)
        self.flags("malformed", result["malformed"], drawn)
        self.flags("says", result["says"], drawn)
        if result["class"] in BOOSTED:
            self.add("rank", result["rank"], drawn)
        before, state_before = self.before.get(vcpu, (None, None))
        state = self.states[result["class"], result["reason"]]
        if state_before and state_before != state:
            self.add("arrow", f"{state_before}-{state}", drawn)
        if before and before != result["class"]:
            self.add("transition", f"{before}-{result['class']}", drawn)
        if before in BOOSTED and result["class"] not in BOOSTED:
            self.add("end", f"{before}-{result['reason']}", drawn)
        self.before[vcpu] = result["class"], state

    def op(self, drawn, op, words, result):
        if op == "vector":
            self.vectors += 1
            self.before = {}
            return
        self.add("op", op, drawn)
        if op == "step":
            self.step(words, result, drawn)
        elif op == "post":
            self.add("posted", words[1], drawn)
        elif op in ("vm", "choice"):
            self.add("refusal", result["reason"], drawn)
            self.add("status", result["status"], drawn)
        elif op == "yield_choose":
            self.add("yield", result["reason"], drawn)
        elif op == "yield_transfer":
            self.add("transfer", result["reason"], drawn)
        elif op == "perf_update":
            self.flags("perf", result["flags"], drawn)
        elif op in ("enqueue", "pick"):
            self.add("queue", result["rc"], drawn)
            self.add("bucket", result["bucket"], drawn)


def of_table(prefix, start=None):
    """Names in the language of all constants with this prefix."""
    names = table_names()
    wanted = [name for name in constants() if name.startswith(prefix)]
    if start:
        wanted = [name for name in wanted if name in start]
    return sorted(names[name] for name in wanted if name in names)


def enumerators(enum):
    """Constants of one enum of the headers."""
    for path in HEADERS:
        found = re.search(r"^enum %s \{(.*?)^\};" % enum, path.read_text(), re.M | re.S)
        if found:
            return {name for name in re.findall(r"^\t(PVS_\w+) = ", found[1], re.M)
                    if not name.endswith("_COUNT")}
    raise SystemExit(f"enum {enum} is not in the headers")


def ops_of_table():
    """Every op of the language."""
    text = TABLES.read_text()
    text = text[text.index("const struct replay_kind_info replay_kinds[]"):]
    return re.findall(r'^\t(?:\w+\()?\{? ?"(\w+)"', text, re.MULTILINE)


def required():
    """(kind, name) that must be seen in named cases."""
    names = table_names()

    def by_enum(kind, enum):
        return [(kind, names.get(one, one)) for one in sorted(enumerators(enum))]

    want = by_enum("event", "pvs_event_type") + by_enum("posted", "pvs_event_type")
    want += by_enum("reason", "pvs_reason")
    want += by_enum("yield", "pvs_yield_reason") + by_enum("transfer", "pvs_transfer_reason")
    for prefix in ("PVS_THROTTLE_", "PVS_DECISION_", "PVS_WORD_", "PVS_REFUSE_", "PVS_STATUS_"):
        want += [(PREFIXES[prefix], name) for name in of_table(prefix)]
    want += [("says", name) for name in ("granted", "kick_deboost", "kick_raise", "yield_spin",
                                         "dont_bother")]
    want += [("perf", name) for name in ("changed", "limited", "overload")]
    want += [("queue", name) for name in ("go", "again", "park", "state")]
    want += [("rank", str(rank)) for rank in range(8)]
    want += [("bucket", str(bucket)) for bucket in range(17)]
    want += [("transition", f"{a}-{b}") for a in CLASSES for b in CLASSES if a != b]
    want += [("arrow", f"{a}-{b}") for a, b in boost_states()[1]]
    want += [("op", op) for op in ops_of_table() if op != "generate"]
    return want


def required_anywhere():
    """(kind, name) that must be seen, in named cases or drawn steps."""
    return [("op", "generate")] + [("end", f"{one}-{reason}") for one in BOOSTED
                                   for reason in ENDS]


def unranged_fields(files):
    """Fields of struct pvs_config that no vector puts out of their range."""
    text = (ROOT / "libpvsched/include/pvs/config.h").read_text()
    body = text[text.index("struct pvs_config {"):text.index("Derived by pvs_config_resolve")]
    fields = [name for name in re.findall(r"^\tpvs_u32 (\w+);", body, re.MULTILINE)
              if not name.startswith("reserved")]
    lines = "\n".join(path.read_text() for path in files)
    return [f"config field {name} is never out of its range" for name in fields
            if not re.search(rf"^config [^>]*\b{name}=\S+[^>]*-> rc=range", lines, re.MULTILINE)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("replay", type=Path)
    parser.add_argument("vectors", type=Path, nargs="*")
    parser.add_argument("--report", type=Path)
    chosen = parser.parse_args()
    files = chosen.vectors or vector_files()
    seen = Seen()
    for row in trace(chosen.replay, files):
        seen.op(*row)
    problems = drift() + unranged_fields(files)
    problems += [f"{kind} {name} is in no named case" for kind, name in required()
                 if not seen.named[kind, name]]
    problems += [f"{kind} {name} never happens" for kind, name in required_anywhere()
                 if not seen.count[kind, name]]
    for problem in problems:
        print(f"coverage: {problem}")
    total = len(required()) + len(required_anywhere())
    if chosen.report:
        rows = {}
        for (kind, name), count in sorted(seen.count.items()):
            rows.setdefault(kind, {})[name] = count
        chosen.report.parent.mkdir(parents=True, exist_ok=True)
        chosen.report.write_text(json.dumps({"ok": not problems, "problems": problems,
                                             "required": total, "seen": rows}, indent=1) + "\n")
    print(f"coverage: {total} things to be seen in {seen.vectors} vectors, "
          f"{len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
