# SPDX-License-Identifier: BSD-2-Clause
"""vectors.md sections 1, 2 and 4 to 8: lines, values, fields of ops and of results."""

from . import config, saved, transfer, wire, yielding
from .numbers import NEVER
from .wire import LIFE_ONLINE, WORDS

_UNITS = (("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000))
_DIGITS = {"": frozenset("0123456789"), "0x": frozenset("0123456789abcdef")}


class NotInTheLanguage(Exception):
    """V-1.5: the result line is `syntax`."""


class CannotRun(Exception):
    """V-1.5: the result line is `error`."""


class Kind:
    """What a field's values are: how they are read and written (V-1.4, V-2.1)."""

    def __init__(self, letter, bits=64, names=(), extra=()):
        self.letter = letter
        self.bits = bits
        self.limit = 1 << bits
        self.order = ()
        if letter == "F":
            self.order = tuple((1 << n, name) for n, name in enumerate(names) if name)
            self.known = {name: bit for bit, name in self.order}
            self.known["none"] = 0
        else:
            names = dict(enumerate(names)) if not isinstance(names, dict) else names
            self.known = {name: value for value, name in names.items()}
        self.known.update(extra)
        self.names = {} if letter == "F" else {value: name for name, value in self.known.items()}
        self.written = {}

    def parse(self, text):
        """The value of a text; ValueError if it has none."""
        value = self.known.get(text)
        if value is not None:
            return value
        if self.letter == "F":
            value = 0
            for part in text.split("|"):
                bit = self.known.get(part)
                value |= number(part) if bit is None else bit
        elif self.letter == "S" and text[:1] == "-":
            value = -number(text[1:])
        else:
            value = number(text)
        if self.letter == "S":
            if not -1 << 63 <= value < 1 << 64:
                raise ValueError(text)
            return value - (1 << 64) if value >> 63 == 1 else value
        if value >= self.limit:
            raise ValueError(text)
        return value

    def format(self, value):
        """V-2.1."""
        if self.letter == "F":
            text = self.written.get(value)
            if text is None:
                text = self.written[value] = self._flags(value)
            return text
        text = self.names.get(value)
        if text is not None:
            return text
        return f"{value:#x}" if self.letter == "X" else str(value)

    def _flags(self, value):
        parts = []
        for bit, name in self.order:
            if value & bit:
                parts.append(name)
                value &= ~bit
        if value:
            parts.append(f"{value:#x}")
        return "|".join(parts) or "none"


def number(text):
    """V-1.4: a number with or without a unit."""
    if text.isdigit() and text.isascii():
        return int(text)
    if text.startswith("0x"):
        if len(text) > 2 and _DIGITS["0x"].issuperset(text[2:]):
            return int(text[2:], 16)
        raise ValueError(text)
    for unit, factor in _UNITS:
        digits = text.removesuffix(unit)
        if digits != text and digits and _DIGITS[""].issuperset(digits):
            return int(digits) * factor
    raise ValueError(text)


def _unsigned(bits, names=(), extra=()):
    return Kind("U", bits, names, extra)


U64, U32, U16, U8, BIT = (_unsigned(bits) for bits in (64, 32, 16, 8, 1))
S64 = Kind("S")
X64 = Kind("X")
URGENCY = _unsigned(4, wire.URGENCIES)
NIBBLE = _unsigned(4)
WAIT_KIND = _unsigned(4, wire.WAITS)
CRIT = Kind("F", 64, wire.CRIT_NAMES)
IRQ = Kind("F", 64, wire.IRQ_NAMES)
FEATURES = Kind("F", 64, wire.FEATURES,
                {"all": wire.F_ALL, "whole": wire.F_ALL & ~wire.F_SPLIT_WORDS})
CAPS = Kind("F", 32, wire.CAPS, {"all": (1 << len(wire.CAPS)) - 1})
EVENT = _unsigned(8, wire.EVENTS)
CLASS = _unsigned(8, wire.CLASSES)
REASON = _unsigned(8, wire.REASONS)
MALFORMED = Kind("F", 8, wire.WORDS)
THROTTLE = Kind("F", 8, wire.THROTTLES)
FLAGS = Kind("F", 8, wire.FLAGS)
SAYS = Kind("F", 64, ("",) * 16 + ("granted",) + ("",) * 7
            + ("kick_deboost", "kick_raise", "yield_spin", "dont_bother"))
RC = Kind("S", 64, {0: "ok", 1: "kick", 2: "yield", -1: "invalid", -2: "range", -3: "state",
                    -100: "magic", -101: "version", -102: "layout", -103: "refused",
                    -104: "not_ready", -105: "generation", -106: "saved"})
TIME = Kind("U", 64, {NEVER: "never"})
STATUS = _unsigned(32, wire.STATUSES)
REFUSAL = _unsigned(32, wire.REFUSALS)
COMMAND = _unsigned(32, wire.COMMANDS)
PROFILE = _unsigned(32, [name for name, _ in config.PROFILES])

# Fields of an op: name -> (key, shift, also at this shift or None, kind). Keys that are numbers are
# words of the slot.
INTENT_WORD, CRIT_WORD, IRQ_WORD, WAIT_WORD, BOUNDS_WORD, LIFE_WORD, PENDING_WORD = range(7)


def _part(key, shift, kind, again=None):
    return key, shift, again, kind


def _plain(**kinds):
    return {name: _part(name, 0, kind) for name, kind in kinds.items()}


_WAIT_FIELDS = {
    "kind": _part(WAIT_WORD, 0, WAIT_KIND), "target": _part(WAIT_WORD, 4, U16),
    "epoch": _part(WAIT_WORD, 32, U16), "mask": _part(WAIT_WORD, 32, U32),
}
WORD_FIELDS = {
    **{name: _part(number_, 0, X64) for number_, name in enumerate(WORDS)},
    "crit": _part(CRIT_WORD, 0, CRIT), "irq": _part(IRQ_WORD, 0, IRQ),
    "util": _part(INTENT_WORD, 0, _unsigned(11)), "urgency": _part(INTENT_WORD, 11, URGENCY),
    "level": _part(INTENT_WORD, 15, NIBBLE), "wake": _part(INTENT_WORD, 19, URGENCY),
    "wake_level": _part(INTENT_WORD, 23, NIBBLE), "idle": _part(INTENT_WORD, 27, BIT),
    "window": _part(INTENT_WORD, 32, U16), "util_valid": _part(INTENT_WORD, 48, BIT),
    "wake_valid": _part(INTENT_WORD, 49, BIT), "seq": _part(INTENT_WORD, 52, U8),
    "tag": _part(INTENT_WORD, 28, NIBBLE, 60),
    "ack": _part(IRQ_WORD, 8, U16),
    **_WAIT_FIELDS, "wait_tag": _part(WAIT_WORD, 28, NIBBLE, 60),
    "floor": _part(BOUNDS_WORD, 0, _unsigned(11)), "ceil": _part(BOUNDS_WORD, 11, _unsigned(11)),
    "pend": _part(PENDING_WORD, 4, URGENCY), "pend_level": _part(PENDING_WORD, 0, NIBBLE),
    **_plain(online=BIT),
}
FACT_FIELDS = _plain(now=U64, caps=CAPS, granularity=U32, entitlement=U32)

CLOCK_FIELDS = _plain(now=U64, dt=S64)


class _Index(Kind):
    """A number below a limit."""

    def __init__(self, limit):
        super().__init__("U", 64)
        self.limit = limit


class _Pairs(Kind):
    """V-1.4: a list of pairs."""

    def __init__(self):
        super().__init__("L")

    def parse(self, text):
        pairs = [tuple(map(number, pair.split(":"))) for pair in text.split(",")]
        if any(len(pair) != 2 or max(pair) >> 32 for pair in pairs):
            raise ValueError(text)
        return pairs


VCPU, RECORD, SLOT, DOMAIN, QUEUE, ANY_NUMBER = map(_Index, (16, 4, 1024, 4, 2, 1 << 32))
PAIRS = _Pairs()
PERF_FLAGS = Kind("F", 8, ("margin",))
UPDATE_FLAGS = Kind("F", 32, ("changed", "limited", "overload"))
CPU = _unsigned(32, {(1 << 32) - 1: "none"})
PLACE_RC = Kind("S", 64, {0: "go", 1: "again", 2: "park", -3: "state"})
PLACE = {"rc": PLACE_RC, "key": X64, "bucket": U32, "boosted": BIT, "empty": BIT, "park": TIME,
         "age": S64, "used": S64, "base": X64, "boosted_ns": U64, "waiting": U32, "running": U32}
GIVEN_URGENCY = _unsigned(8, wire.URGENCIES)
BINDING = {"rc": RC, "accepted": FEATURES, "minor": U16, "echo": U32, "command": COMMAND,
           "reason": REFUSAL}
STORED = {"rc": RC, **{name: X64 for name in WORDS}}
ASK = _plain(**{"class": CLASS}, rank=U8, weight=U32)

# Ops: name -> (kinds of its indices, fields, kinds of its results).
OPS = {
    "config": ((), {**_plain(profile=PROFILE, **{name: U32 for name in config.NAMES})},
               {"rc": RC, "field": U32, "min": U64, "max": U64}),
    "vm": ((), _plain(caps=CAPS, slots=U32, generation=U32, offered=FEATURES, accept=FEATURES),
           {"changed": BIT, "status": STATUS, "reason": REFUSAL, "offered": FEATURES,
            "features": FEATURES}),
    "choice": ((), _plain(major=U16, minor=U16, generation=U32, features=FEATURES,
                          command=COMMAND, header=BIT),
               {"changed": BIT, "status": STATUS, "reason": REFUSAL, "offered": FEATURES,
                "features": FEATURES}),
    "terms": ((), _plain(features=FEATURES, generation=U32, slots=U32, active=BIT), {}),
    "facts": ((), FACT_FIELDS, {}),
    "slot": ((VCPU,), WORD_FIELDS, {}),
    "vcpu": ((VCPU,), WORD_FIELDS, {"boost_left": U64}),
    "validate": ((VCPU,), WORD_FIELDS,
                 {"online": BIT, "malformed": MALFORMED, "urgency": URGENCY, "level": U8,
                  "idle": BIT, "wake_valid": BIT, "wake": URGENCY, "wake_level": U8,
                  "util_valid": BIT, "util": U16, "floor": U16, "ceil": U16, "window": U16,
                  "seq": U8, "crit": CRIT, "irq": IRQ, "ack": U16, "kind": WAIT_KIND,
                  "target": U16, "epoch": U16, "mask": X64, "pending": X64}),
    "step": ((VCPU, EVENT),
             {**WORD_FIELDS, **FACT_FIELDS,
              **_plain(dt=S64, run=U64, ran=S64, waits=U64, waited=S64, nested=BIT, contended=BIT,
                       dedicated=BIT, capacity=U16, current=U16, contention=U16, arg=U32)},
             {"class": CLASS, "rank": U8, "reason": REASON, "throttle": THROTTLE, "flags": FLAGS,
              "weight": U32, "defer": REASON, "perf": U16, "recheck": TIME, "ring": TIME,
              "malformed": MALFORMED, "says": SAYS, "applied": X64, "ticket": U64, "run": U64,
              "perf_word": X64, "window_left": U64, "boost_left": U64}),
    "post": ((VCPU, EVENT), {}, {}),
    "save": ((VCPU, RECORD), {}, {name: X64 if name == "latches" else
                                  S64 if name == "normal_left" else U64
                                  for name in saved.FIELDS}),
    "saved": ((RECORD,), _plain(**{
        name: S64 if name == "normal_left" else
        U64 if name in ("boost_used", "irq_used", "high", "high_before", "boosted_ns") else U32
        for name in saved.FIELDS}), {}),
    "restore": ((VCPU, RECORD), {}, {"rc": RC}),
    "preempts": ((VCPU, VCPU), {}, {"order": S64}),
    "counters": ((VCPU,), {}, {name: U64 for name in ("seq", "boosts", "denials", "overruns",
                                                      "malformed", "boosted_ns")}),
    "tally": ((VCPU,), {}, {name: U32 for name in (
        "tickets", "storms", "deferrals", "no_reason", *wire.REASONS[1:])}),
    "header": ((), _plain(at=X64, size=U64, value=X64), {}),
    # Section 5.
    "yield_vm": ((), _plain(slots=U32, flags=Kind("F", 32, ("strict",)), ipi_window=U32,
                            transfer=_unsigned(32, {1: "off", 2: "penalise", 3: "credit"}),
                            transfer_min=U32, debounce=U32), {"rc": RC}),
    "yield_waits": ((SLOT,), {**CLOCK_FIELDS, **_plain(flags=Kind("F", 32, (
        "preempted", "crit", "kernel", "interrupt", "spinning")))}, {}),
    "yield_runs": ((SLOT,), CLOCK_FIELDS, {}),
    "yield_blocks": ((SLOT,), CLOCK_FIELDS, {}),
    "yield_removed": ((SLOT,), CLOCK_FIELDS, {}),
    "yield_interrupt": ((SLOT,), CLOCK_FIELDS, {}),
    "yield_ipi": ((SLOT, SLOT), {**CLOCK_FIELDS, **_plain(vector=U32)}, {}),
    "yield_eoi": ((SLOT,), {**CLOCK_FIELDS, **_plain(vector=U32)}, {}),
    "yield_choose": ((SLOT,), {**CLOCK_FIELDS, **_WAIT_FIELDS, **_plain(run_epoch=U32)},
                     {"target": _unsigned(32, {yielding.NO_TARGET: "none"}),
                      "reason": _unsigned(32, yielding.CHOICES), "relaxed": BIT, "stale": BIT}),
    "yield_transfer": ((SLOT, ANY_NUMBER),
                       {**CLOCK_FIELDS, **_plain(gap=S64, lag=S64, lag_max=U32, granularity=U32,
                                                 queued=U32)},
                       {"penalty": U64, "credit": U64,
                        "reason": _unsigned(32, transfer.REASONS), "resched": BIT}),
    "yield_counts": ((), CLOCK_FIELDS, {name: U32 for name in (
        *yielding.CHOICES, "gave_none", "gave_nobody", *transfer.REASONS[2:], "stale")}),
    # Section 6.
    "perf_config": ((), _plain(headroom=U32, max=U32, up_min=U32, down_min=U32),
                    {"rc": RC, "field": U32, "min": U64, "max": U64}),
    "perf_domain": ((DOMAIN,), _plain(levels=PAIRS), {"rc": RC}),
    "perf_put": ((DOMAIN, VCPU), {**CLOCK_FIELDS, **_plain(util=U16, floor=U16, ceiling=U16,
                                                           flags=PERF_FLAGS)},
                 {"rc": RC, "sum": U32, "members": U32}),
    "perf_remove": ((DOMAIN, VCPU), CLOCK_FIELDS, {"rc": RC, "sum": U32, "members": U32}),
    "perf_move": ((DOMAIN, VCPU), {**CLOCK_FIELDS, **_plain(to=DOMAIN)},
                  {"rc": RC, "sum": U32, "members": U32}),
    "perf_wish": ((DOMAIN,), CLOCK_FIELDS, {"wish": U32}),
    "perf_update": ((DOMAIN,), {**CLOCK_FIELDS, **_plain(wish=U32)},
                    {"flags": UPDATE_FLAGS, "wish": U32, "target": U32, "level": U32,
                     "value": U32, "recheck": TIME}),
    "perf_level": ((DOMAIN,), {**CLOCK_FIELDS, **_plain(capacity=U32)}, {"level": U32}),
    "perf_capacity": ((DOMAIN,), {**CLOCK_FIELDS, **_plain(value=U32)}, {"capacity": U32}),
    "perf_word": ((), {**CLOCK_FIELDS, **_plain(capacity=U32, current=U32, contention=U32,
                                                generation=U32)}, {"word": X64}),
    "perf_contention": ((), {**CLOCK_FIELDS, **_plain(run=U64, wait=U64)}, {"share": U32}),
    "perf_fit": ((ANY_NUMBER,), {**CLOCK_FIELDS, **_plain(cpus=PAIRS)}, {"cpu": CPU}),
    # Section 7.
    "queue": ((QUEUE,), CLOCK_FIELDS, {}),
    "entity": ((VCPU, QUEUE), {**CLOCK_FIELDS, **_plain(weight=U32, cap=U32)}, PLACE),
    "entity_weight": ((VCPU, QUEUE), {**CLOCK_FIELDS, **_plain(weight=U32)}, PLACE),
    "entity_cap": ((VCPU, QUEUE), {**CLOCK_FIELDS, **_plain(cap=U32)}, PLACE),
    "enqueue": ((VCPU, QUEUE), {**CLOCK_FIELDS, **ASK}, PLACE),
    "pick": ((VCPU, QUEUE), {**CLOCK_FIELDS, **ASK}, PLACE),
    "charge": ((VCPU, QUEUE), {**CLOCK_FIELDS, **_plain(ran=U32)}, PLACE),
    "dequeue": ((VCPU, QUEUE), CLOCK_FIELDS, PLACE),
    "queue_migrate": ((VCPU, QUEUE), {**CLOCK_FIELDS, **_plain(to=QUEUE)}, PLACE),
    "queue_limit": ((VCPU, QUEUE), CLOCK_FIELDS, {"limit": TIME}),
    "queue_preempts": ((VCPU, VCPU), CLOCK_FIELDS, {"order": S64}),
    "queue_before": ((VCPU, VCPU), CLOCK_FIELDS, {"order": S64}),
    "queue_share": ((VCPU, QUEUE), CLOCK_FIELDS, {"share": U32}),
    # Section 8.
    "guest_bind": ((), _plain(wanted=FEATURES, bytes=U32), BINDING),
    "guest_ready": ((), {}, BINDING),
    "guest_unbind": ((), {}, BINDING),
    **{name: ((VCPU,), {}, STORED) for name in (
        "guest_online", "guest_offline", "guest_retract", "guest_irq_leave", "guest_irq_ack",
        "guest_pend_clear")},
    "guest_publish": ((VCPU,), _plain(util=U16, util_valid=U8, urgency=GIVEN_URGENCY, level=U8,
                                      wake=GIVEN_URGENCY, wake_level=U8, wake_valid=U8, idle=U8,
                                      window=U16), STORED),
    "guest_crit": ((VCPU,), _plain(set=CRIT, clear=CRIT), STORED),
    "guest_irq_enter": ((VCPU,), _plain(bit=IRQ), STORED),
    "guest_wait": ((VCPU,), _plain(kind=_unsigned(32, wire.WAITS), target=U32, epoch=U32,
                                   mask=U32), STORED),
    "guest_pend": ((VCPU,), _plain(urgency=GIVEN_URGENCY, level=U8), STORED),
    "guest_bounds": ((VCPU,), _plain(floor=U32, ceil=U32), STORED),
    "guest_applied": ((VCPU,), {}, {"value": X64}),
    "guest_epoch": ((VCPU,), {}, {"value": X64}),
    "guest_counters": ((VCPU,), {}, {"rc": RC, **{name: U64 for name in (
        "boosts", "denials", "overruns", "malformed", "boosted_ns")}}),
    "guest_says": ((VCPU,), _plain(applied=X64, ticket=U64, run=U64, seq=U64, boosts=U64), {}),
    # Section 9.
    "generate": ((), _plain(seed=X64, steps=U32, vcpus=U32, profile=_unsigned(
        32, ("whole", "split", "yield", "perf", "queue", "guest"))), {"steps": U64, "digest": X64}),
}


# The same fields with the same values come again and again: what was read before, for each op.
_FIELDS_READ = {name: {} for name in OPS}
_REMEMBERED = 4096


def _read_field(known, fields, word):
    """The key and the value of FIELD=VALUE."""
    name, equals, text = word.partition("=")
    key, shift, again, kind = fields[name]
    if not equals:
        raise ValueError(word)
    value = kind.parse(text)
    if shift:
        value <<= shift
        if again:
            value |= value << again - shift
    if len(known) < _REMEMBERED:
        known[word] = key, value
    return key, value


def parse(line):
    """V-1.2, V-1.3: an op line without expectations: (name, indices, {key: value})."""
    words = line.split()
    op = OPS.get(words[0])
    if op is None:
        raise NotInTheLanguage(line)
    kinds, fields, _ = op
    count = len(kinds) + 1
    if len(words) < count:
        raise NotInTheLanguage(line)
    try:
        indices = [kind.parse(word) for kind, word in zip(kinds, words[1:])]
        given = {}
        known = _FIELDS_READ[words[0]]
        for word in words[count:]:
            key, value = known.get(word) or _read_field(known, fields, word)
            given[key] = given[key] | value if key in given else value
    except (KeyError, ValueError) as error:
        raise NotInTheLanguage(line) from error
    return words[0], indices, given


def result_line(op, values):
    """V-2.1: the result line of these values, in the order of the op's table."""
    kinds = OPS[op][2]
    if not kinds:
        return "ok"
    return " ".join([f"{name}={kind.format(value)}"
                     for (name, kind), value in zip(kinds.items(), values, strict=True)])


def life_word(online, generation):
    """V-4.4: what `online` stores."""
    return LIFE_ONLINE | generation << 8 if online else 0
