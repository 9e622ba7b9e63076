# SPDX-License-Identifier: BSD-2-Clause
"""What the kit knows of the language of abi/spec/vectors.md: names of values, fields of words."""
import re

NEVER = 2**64 - 1
NO_TARGET = 2**32 - 1

# Ops an implementation may leave out without a word of its own: the door's (docs/conformance.md).
DOOR_OPS = {
    "peek": "it does not show its memory",
    "poke": "it does not show its memory",
    "peek_header": "it does not show its memory",
    "guest_should_yield": "it does not say whether it would yield",
    **dict.fromkeys(("host_open", "host_attach", "host_detach", "host_event", "host_foreign",
                     "host_reset", "host_close", "host_counters"), "it has no whole host"),
}


def numbered(text, first=0):
    return {name: number for number, name in enumerate(text.split(), first)}


def bits(text):
    return {name: 1 << number for number, name in enumerate(text.split())}


FEATURES = bits("util wake window pending crit grant irq irq_ticket wait run_epoch util_bounds "
                "perf kick counters split_words")
FEATURES |= {"all": 0x7fff, "whole": 0x3fff}
URGENCIES = numbered("unspecified idle background normal interactive realtime")
CLASSES = numbered("no_class below baseline task critical")
CRITS = bits("lock preempt_off irqs_off dont_desched")
IRQS = bits("hardirq softirq nmi")
WAITS = numbered("none lock ipi ipi_many any")
STATUSES = numbered("offered active refused disabled")
REFUSALS = numbered("none major minor generation not_offered dependency command")
COMMANDS = numbered("none accept reset")
REASONS = numbered(
    "none offline below idle urgent wake armed pending window crit irq kick yield boost_empty "
    "irq_empty vm_cap grant_max rate malformed stale too_short payback foreign detached outside "
    "brief dedicated ticket storm deferred defer_spent outranked")
THROTTLES = bits("boost_empty irq_empty vm_cap grant_max storm rate malformed stale")
STEP_FLAGS = bits("changed measure release sample malformed defer arm_irq_window sample_wait")
SAYS = {"granted": 1 << 16, "kick_deboost": 1 << 24, "kick_raise": 1 << 25,
        "yield_spin": 1 << 26, "dont_bother": 1 << 27}
WORDS = bits("intent crit irq wait bounds life pending")
CODES = {"ok": 0, "kick": 1, "yield": 2, "invalid": -1, "range": -2, "state": -3, "no_space": -4,
         "magic": -100, "version": -101, "layout": -102, "refused": -103, "not_ready": -104,
         "generation": -105, "saved": -106}
QUEUE_CODES = {"go": 0, "again": 1, "park": 2, "state": -3}
CHOICES = numbered("nobody named named_many holder receiver interrupt crit kernel user relaxed")
TRANSFERS = numbered("none nobody alone limited penalty base ping_pong credited enough")
PERF_FLAGS = bits("changed limited overload")
TIMES = {"never": NEVER}

# Names of the values of a result field; those of "op.field" come first.
NAMES = {
    "class": CLASSES, "reason": REASONS, "defer": REASONS, "throttle": THROTTLES,
    "flags": STEP_FLAGS, "says": SAYS, "malformed": WORDS, "recheck": TIMES, "ring": TIMES,
    "limit": TIMES, "park": TIMES, "urgency": URGENCIES, "wake": URGENCIES, "kind": WAITS,
    "status": STATUSES, "offered": FEATURES, "features": FEATURES, "accepted": FEATURES,
    "command": COMMANDS, "rc": CODES, "crit": CRITS, "irq": IRQS,
    "target": {"none": NO_TARGET}, "cpu": {"none": NO_TARGET},
    "yield_choose.reason": CHOICES, "yield_transfer.reason": TRANSFERS,
    "perf_update.flags": PERF_FLAGS, "perf_update.target": {}, "validate.target": {},
    **{f"{op}.reason": REFUSALS for op in ("vm", "choice", "guest_bind", "guest_ready",
                                           "guest_unbind")},
    **{f"{op}.rc": QUEUE_CODES for op in ("entity", "entity_weight", "entity_cap", "enqueue",
                                          "pick", "charge", "dequeue", "queue_migrate")},
    **{f"{op}.reason": REFUSALS for op in DOOR_OPS if op.startswith("host_")},
    "counters.malformed": {}, "guest_counters.malformed": {}, "save.malformed": {},
    "host_counters.malformed": {},
}

# Parts of words, first bit and width: abi/spec/layout.md, pvs/abi.h.
PARTS = {
    "intent.util": (0, 11), "intent.urgency": (11, 4), "intent.level": (15, 4),
    "intent.wake": (19, 4), "intent.wake_level": (23, 4), "intent.idle": (27, 1),
    "intent.tag_lo": (28, 4), "intent.window": (32, 16), "intent.util_valid": (48, 1),
    "intent.wake_valid": (49, 1), "intent.rsvd": (50, 2), "intent.seq": (52, 8),
    "intent.tag_hi": (60, 4),
    "irq.context": (0, 3), "irq.ack": (8, 16),
    "wait.kind": (0, 4), "wait.target": (4, 16), "wait.tag_lo": (28, 4), "wait.epoch": (32, 16),
    "wait.mask": (32, 32), "wait.tag_hi": (60, 4),
    "bounds.floor": (0, 11), "bounds.ceil": (11, 11),
    "life.online": (0, 1), "life.generation": (8, 24),
    "pending.urgency": (4, 4), "pending.level": (0, 4),
    "applied.class": (0, 3), "applied.throttle": (8, 8),
}
PART_NAMES = {"intent.urgency": URGENCIES, "intent.wake": URGENCIES, "wait.kind": WAITS,
              "pending.urgency": URGENCIES, "applied.class": CLASSES,
              "applied.throttle": THROTTLES, "irq.context": IRQS}

UNITS = {"": 1, "ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
NUMBER = re.compile(r"(-?)(?:0x([0-9a-f]+)|([0-9]+)(ns|us|ms|s)?)")
EXPECTATION = re.compile(r"([a-z][a-z0-9_.]*)([=~!<>])(\S+)")
RELATIONS = {
    "=": lambda got, wanted: got == wanted,
    "~": lambda got, wanted: got & wanted == wanted,
    "!": lambda got, wanted: not got & wanted,
    "<": lambda got, wanted: got <= wanted,
    ">": lambda got, wanted: got >= wanted,
}


class BadLine(Exception):
    """Not in the language."""


def number(text):
    """A number, or None."""
    found = NUMBER.fullmatch(text)
    if not found:
        return None
    value = int(found[2], 16) if found[2] else int(found[3]) * UNITS[found[4] or ""]
    return -value if found[1] else value


def value_of(text, names):
    """A value: a number, a name, or names with `|` between them."""
    total = 0
    if text == "none" and "none" not in names:
        return 0
    for part in text.split("|"):
        one = names[part] if part in names else number(part)
        if one is None:
            raise BadLine(f"what is '{part}'?")
        total = one if "|" not in text else total | one
    return total


def part_of(word, name):
    """One field of a word."""
    first, width = PARTS[name]
    return word >> first & (1 << width) - 1


def names_of(op, field):
    return NAMES.get(f"{op}.{field}", NAMES.get(field, {}))


def fields_of(line):
    """{name: text} of a result line; BadLine if it is none."""
    fields = {}
    for word in line.split():
        name, equals, text = word.partition("=")
        if not equals or not name or not text:
            raise BadLine(f"'{word[:40]}' is not NAME=VALUE")
        fields[name] = text
    return fields


def tags_of(word):
    """The tags of a word split in two halves."""
    return word >> 28 & 15, word >> 60 & 15


def result_value(op, fields, name, before):
    """The value an expectation speaks of; KeyError if there is no such field.

    Besides the fields of the answer: WORD.FIELD; WORD.torn, 1 if its tags are not equal; and
    WORD.tag_moved, 1 if its tag is not that of the answer before.
    """
    if name.endswith((".torn", ".tag_moved")):
        word, _, what = name.partition(".")
        low, high = tags_of(value_of(fields[word], {}))
        if what == "torn":
            return int(low != high)
        return int(low != tags_of(value_of(before[word], {}))[0])
    if name in PARTS:
        word = name.partition(".")[0]
        return part_of(value_of(fields[word], {}), name)
    return value_of(fields[name], names_of(op, name))


def holds(op, fields, expectation, before):
    """Whether an expectation holds of these fields. KeyError, BadLine as above."""
    found = EXPECTATION.fullmatch(expectation)
    if not found:
        raise BadLine(f"'{expectation}' is no expectation")
    name, relation, text = found.groups()
    wanted = value_of(text, PART_NAMES.get(name) or names_of(op, name))
    return RELATIONS[relation](result_value(op, fields, name, before), wanted)


# ---- lines that stand for several ------------------------------------------------------------

MAGIC = int.from_bytes(b"PVSREGN0", "little")
# Fields of lines 0 and 1 of the header: offset, bytes, what a sound one says.
HEADER = {
    "magic": (0, 8, MAGIC), "major": (8, 2, 0), "minor": (10, 2, 1), "header_size": (12, 4, 4096),
    "slot_size": (16, 4, 256), "stride": (20, 4, 256), "slots": (24, 4, 4),
    "generation": (28, 4, 0xabc), "offered": (32, 8, 0x7fff), "status": (40, 4, 0),
    "reason": (44, 4, 0), "kick": (76, 4, 3), "kick_addr": (80, 8, 1),
}
KICKS = numbered("none pio mmio hypercall")
HEADER_NAMES = {"offered": FEATURES, "status": STATUSES, "reason": REFUSALS, "kick": KICKS}


def region(words):
    """@region FIELD=VALUE...: the header a host has written, 8 bytes a line."""
    page = bytearray(96)
    values = {name: default for name, (_, _, default) in HEADER.items()}
    for word in words:
        name, _, text = word.partition("=")
        values[name] = value_of(text, HEADER_NAMES.get(name, {}))
    for name, value in values.items():
        at, size, _ = HEADER[name]
        page[at:at + size] = value.to_bytes(size, "little")
    for at in range(0, len(page), 8):
        value = int.from_bytes(page[at:at + 8], "little")
        if at <= 0x28 or at in (0x48, 0x50):
            yield f"header at={at:#x} size=8 value={value:#x}"


def status(words):
    """@status NAME [REASON]: the host has answered."""
    yield f"header at=0x28 size=4 value={value_of(words[0], STATUSES):#x}"
    reason = value_of(words[1], REFUSALS) if len(words) > 1 else 0
    yield f"header at=0x2c size=4 value={reason:#x}"


def bound(words):
    """@bound [wanted=F] [FIELD=VALUE...]: a guest of 4 vCPUs is bound, vCPUs 0 and 1 online."""
    wanted = [word for word in words if word.startswith("wanted=")] or ["wanted=whole"]
    yield from region([word for word in words if not word.startswith("wanted=")])
    yield f"guest_bind {wanted[0]} -> rc>0"
    yield from status(["active"])
    yield "guest_ready -> rc=ok"
    yield "guest_online 0 -> rc=ok"
    yield "guest_online 1 -> rc=ok"


def host(words):
    """@host [caps=F] [accept=F] [generation=U]: a host of 4 slots, vCPU 0 attached at 1 s."""
    given = {"caps": "all", "accept": "whole", "generation": "7"}
    given |= dict(word.split("=", 1) for word in words)
    yield (f"vm caps={given['caps']} slots=4 generation={given['generation']} "
           f"accept={given['accept']} -> status=active")
    yield "vcpu 0"
    yield "step 0 attach now=1s entitlement=65536 online=1 -> class=baseline"


def repeat(words):
    """@repeat N OP...: the same op N times."""
    return [" ".join(words[1:])] * int(words[0])


MACROS = {"@region": region, "@status": status, "@bound": bound, "@host": host,
          "@repeat": repeat}


def expanded(line):
    """A line as the implementation reads it: itself, or the lines its macro stands for."""
    words = line.split()
    if not words[0].startswith("@"):
        return [line]
    if words[0] not in MACROS:
        raise BadLine(f"no macro {words[0]}")
    return list(MACROS[words[0]](words[1:]))
