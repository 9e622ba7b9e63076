# SPDX-License-Identifier: BSD-2-Clause
"""Boundary values, in all their combinations: families of cases.

A family is a product of axes. Each combination is a case: a fresh vCPU is attached, brought into a
state and asked. Cases are numbered, so that any range of them can be made again.
"""
import math

from pvsmodel import config
from pvsmodel.wire import EVENTS, F_ALL, F_SPLIT_WORDS, FEATURES, NEEDS

DEFAULT = config.profile(0)
CASE_NS = 1_000_000_000_000  # cases lie so far apart that the VM's cap has forgotten the last one

# What a vCPU has said, and done, before it is asked: an event, times, words.
BEFORE = (
    "poll", "poll urgency=5 level=3 seq=1", "poll urgency=2 seq=1",
    "poll idle=1 wake=4 wake_valid=1 seq=1", "poll crit=lock", "poll crit=irqs_off|preempt_off",
    "poll irq=hardirq", "inject arg=33", "poll urgency=3 window=200 seq=1",
    "poll pend=5 urgency=1 seq=1", "yield urgency=4 seq=1", "halt idle=1 seq=1",
    "run_leave urgency=5 seq=1",
)
# What it says when it is asked.
SAYS = (
    "", "urgency=3 seq=9 crit=0 irq=0 pending=0", "urgency=5 seq=9",
    "idle=1 wake=5 wake_valid=1 seq=9", "online=0", "crit=preempt_off",
)
MIDDLE = tuple(EVENTS)
_CAPS_VARIED = ("sees_wake", "sees_preempt", "can_kick", "owns_queue", "irq_window", "sees_wait")


class Family:
    """Axes, what begins a world, and the lines of a case."""

    name = ""
    axes = ()
    decides = True  # its cases are steps, not ops of another engine

    def __len__(self):
        return math.prod(map(len, self.axes))

    def values(self, index):
        """The combination of this number."""
        picked = []
        for axis in reversed(self.axes):
            index, at = divmod(index, len(axis))
            picked.append(axis[at])
        return picked[::-1]

    def setup(self):
        """Lines at the beginning of a world."""
        return ["vm caps=all slots=4 offered=all accept=whole"]

    def lines(self, index):
        """Lines of a case."""
        return self.case((index + 1) * CASE_NS, *self.values(index))


class Accounts(Family):
    """Levels of all accounts, and every latch, around the values at which something happens."""

    name = "accounts"
    look = DEFAULT.look_earned_ns
    axes = (
        (0, DEFAULT.boost_open_ns - look, DEFAULT.boost_open_ns,
         DEFAULT.boost_span_ns - 2 * look - 1, DEFAULT.boost_span_ns - 2 * look,
         2 * DEFAULT.boost_span_ns),
        (0, DEFAULT.irq_open_ns, DEFAULT.irq_span_ns - 1, DEFAULT.irq_span_ns),
        (0, -DEFAULT.debt_start_ns, -DEFAULT.debt_start_ns - 1),
        (0, 1, 2, 4, 7),
        ("poll", "poll urgency=5 seq=1", "poll crit=lock", "poll irq=softirq", "inject",
         "poll urgency=3 window=300 seq=1"),
        ("dt=0 ran=0", "dt=250us ran=250us", "dt=1ms ran=1ms", "dt=1ms ran=0",
         "dt=3ms ran=2999999"),
        ("", "urgency=3 seq=2 crit=0 irq=0"),
    )

    def case(self, now, boost, irq, normal, latches, before, times, says):
        """See Family."""
        return ["vcpu 0 online=1",
                f"saved 0 version=2 boost_used={boost} irq_used={irq} normal_left={normal}"
                f" high={boost} latches={latches}",
                "restore 0 0", f"step 0 attach now={now}", f"step 0 {before}",
                f"step 0 poll {times} {says}"]


class Ranks(Family):
    """What was kept in hand, around each eighth."""

    name = "ranks"
    axes = (
        tuple(DEFAULT.boost_span_ns * eighth // 8 + by for eighth in range(9) for by in (-1, 0, 1)
              if DEFAULT.boost_span_ns * eighth // 8 + by >= 0),
        (0, DEFAULT.boost_span_ns // 2, DEFAULT.boost_span_ns),
        ("poll urgency=5 seq=1", "poll crit=lock", "inject"),
        ("dt=0", "dt=999999999", "dt=1s", "dt=1000000001"),
    )

    def case(self, now, high, before, says, times):
        """See Family."""
        return ["vcpu 0 online=1",
                f"saved 0 version=2 boost_used=0 irq_used=0 normal_left=0 high={high}"
                f" high_before={before} latches=0",
                "restore 0 0", f"step 0 attach now={now}", f"step 0 poll {times}",
                f"step 0 {says}", "preempts 0 1"]


class Events(Family):
    """Each event after each other, in each state, whatever is said."""

    name = "events"
    axes = (
        ("caps=all slots=4 offered=all accept=whole",
         "caps=can_kick|sees_wait|sets_perf slots=2 accept=all",
         "caps=owns_queue|sees_wake|sees_preempt|sees_inject slots=2 accept=all"),
        BEFORE, MIDDLE, EVENTS, SAYS,
    )

    def case(self, now, terms, before, middle, event, says):
        """See Family."""
        return [f"vm {terms}", "vcpu 0 online=1", f"step 0 attach now={now}",
                f"step 0 {before} dt=100us", f"step 0 {middle} dt=200us ran=150us arg=33",
                f"step 0 {event} dt=300us ran=300us arg=33 {says}"]


class Hosts(Family):
    """Hosts that see and can do more or less, and facts that are told."""

    name = "hosts"
    axes = (
        tuple("|".join(name for n, name in enumerate(_CAPS_VARIED) if bits >> n & 1) or "none"
              for bits in range(1 << len(_CAPS_VARIED))),
        BEFORE,
        ("poll", "wake", "kick", "halt", "run_leave", "preempt", "pick", "migrate"),
        ("", "urgency=3 seq=9 crit=0 irq=0", "urgency=5 seq=9"),
        ("", "contended=1", "dedicated=1", "nested=1"),
    )

    def case(self, now, caps, before, event, says, facts):
        """See Family."""
        return [f"vm caps={caps} slots=2 offered=all accept=whole", "vcpu 0 online=1",
                f"step 0 attach now={now}", f"step 0 {before} dt=100us ran=100us",
                f"step 0 {event} dt=200us ran=200us {says} {facts}"]


class Times(Family):
    """Clocks that stand, step back and jump."""

    name = "times"
    axes = (
        ("dt=0", "dt=1", "dt=-1", "dt=999999999", "dt=1s", "dt=1000000001", "dt=9000s",
         "dt=-9000s", "now=0"),
        ("ran=0", "ran=1", "ran=-1", "ran=1ms", "ran=1s", "ran=1000000001", "ran=-3s", "run=0"),
        ("", "waited=0", "waited=63ms", "waited=-1", "waited=2s"),
        ("poll", "poll urgency=5 seq=1", "poll urgency=1 seq=1", "poll irq=nmi",
         "poll crit=preempt_off"),
        (0, 1, 6554, 65536, 65537),
    )

    def case(self, now, dt, ran, waited, before, share):
        """See Family."""
        return ["vcpu 0 online=1", f"step 0 attach now={now} entitlement={share}",
                f"step 0 {before} dt=10us run=5s waits=5s", "step 0 tick dt=10us ran=10us waited=0",
                f"step 0 poll {dt} {ran} {waited}",
                "step 0 tick dt=100ms ran=20ms waited=80ms urgency=5 seq=7"]


class Deferrals(Family):
    """A preemption, and everything that may stand against putting it off."""

    name = "deferrals"
    axes = (
        tuple(range(16)), (0, 1, 2, 3, 4, 5, 0xFFFFFFFF),
        ("caps=all slots=4 offered=all accept=whole",
         "caps=sees_preempt slots=4 offered=all accept=whole",
         "caps=all slots=4 accept=crit|irq|kick"),
        (0, DEFAULT.defer_ns, DEFAULT.defer_ns + 1),
        ("poll", "preempt", "irq_window"),
        ("", "urgency=5 seq=1", "irq=hardirq"),
        ("ran=0", "ran=99999999", "ran=100ms"),
    )

    def case(self, now, crit, arg, terms, granularity, middle, says, ran):
        """See Family."""
        return [f"vm {terms}", "vcpu 0 online=1",
                f"step 0 attach now={now} granularity={granularity}",
                f"step 0 run_enter crit={crit:#x} {says}", f"step 0 {middle} {ran}",
                f"step 0 preempt arg={arg} dt=1us"]


class Storms(Family):
    """Deliveries: how many, how dear, how far apart."""

    name = "storms"
    window, most = DEFAULT.storm_window_ns, DEFAULT.storm_count_max
    axes = (
        (1, most // 2, most // 2 + 1, most, most + 1),
        (0, window - 1, window, window + 1, window + DEFAULT.storm_hold_ns),
        (0, 1, DEFAULT.storm_cost_ns // 2, DEFAULT.storm_cost_ns, DEFAULT.storm_cost_ns + 1),
        (1, most, most + 1),
        (window, window + DEFAULT.storm_hold_ns - 1, DEFAULT.storm_hold_ns,
         2 * window + DEFAULT.storm_hold_ns),
        ("", "ack=1", "ack=2", "urgency=5 seq=1"),
    )

    def case(self, now, first, apart, ran, second, later, says):
        """See Family."""
        return ["vcpu 0 online=1", f"step 0 attach now={now}",
                f"step 0 inject arg={first << 16 | 33}", f"step 0 poll dt=1us ran={ran} {says}",
                f"step 0 inject dt={apart} arg={second << 16 | 34}",
                f"step 0 inject dt={later} arg=35", "tally 0"]


def _words():
    """Values of the seven words at the last right and the first wrong one of each field."""
    words = ["intent=0"]
    words += [f"intent={1 << bit:#x}" for bit in range(64)]
    words += [f"urgency={n} seq=1" for n in (5, 6, 15)] + [f"wake={n}" for n in (5, 6, 15)]
    words += [f"util={n} util_valid=1" for n in (1023, 1024, 1025, 2047)]
    words += [f"urgency=4 window=1 seq=2 tag={n}" for n in (0, 1, 15)]
    words += ["intent=0x10000000", "intent=0x1000000000000000", "level=15 idle=1 seq=255"]
    for word in ("crit", "irq", "pending", "bounds", "life"):
        words += [f"{word}={1 << bit:#x}" for bit in (*range(10), 21, 22, 23, 24, 31, 32, 63)]
    words += [f"pend={n} pend_level=15" for n in (0, 3, 5, 6, 15)]
    words += [f"floor={a} ceil={b}" for a, b in ((0, 0), (1, 0), (0, 1024), (0, 1025),
                                                 (1024, 1024), (1025, 1025), (513, 512))]
    words += [f"kind={kind} target={target} epoch={epoch}" for kind in range(6)
              for target in (0, 1, 2, 3, 4, 1023, 1024) for epoch in (0, 1, 65535)]
    words += [f"kind=3 target={target} mask={mask:#x}" for target in (0, 2, 3, 4)
              for mask in (0, 1, 2, 3, 4, 0x10000000, 0x80000000, 0xFFFFFFFF)]
    words += [f"wait={1 << bit:#x}" for bit in range(64)]
    words += [f"kind={kind} wait_tag={tag}" for kind in (0, 1, 3, 4) for tag in (1, 15)]
    return tuple(words)


def _feature_sets():
    """All, none, one alone with what it needs, and all but one with what needs that."""
    sets = [0, F_ALL & ~F_SPLIT_WORDS, F_ALL]
    for n in range(len(FEATURES)):
        alone, without = 1 << n, F_ALL & ~(1 << n)
        for feature, need in NEEDS:
            if alone & feature:
                alone |= need
            if not without & need:
                without &= ~feature
        sets += [alone, without]
    return tuple(f"{features:#x}" for features in sets)


class Words(Family):
    """Each word at its limits, under terms that leave out one feature or accept none."""

    name = "words"
    axes = (
        _feature_sets(),
        (1, 4, 1024),
        ("", "urgency=5 seq=3 util=7 util_valid=1"),
        _words(),
    )

    def case(self, now, features, slots, before, words):
        """See Family."""
        return [f"vm caps=all slots={slots} offered=all accept={features}",
                f"vcpu 0 online=1 {before}", f"step 0 attach now={now}", f"step 0 poll {words}",
                "validate 0"]


class Transfers(Family):
    """What is given: queues, granularities, gaps and lags, and the time since the last one."""

    name = "transfers"
    decides = False
    axes = (
        ("penalise", "credit"),
        tuple(range(15)),
        (0, 1, 15, 16, 2_800_000, 499_999_999, 500_000_000, 500_000_001),
        (-1, 0, 1, 2_799_999, 2_800_001, 4_000_000_000, 1 << 62),
        ("", "lag=-1000000 lag_max=1000000", "lag=-1000001 lag_max=1000000",
         "lag=2800000 lag_max=100000000", "lag=2799999 lag_max=100000000"),
        ("dt=0", "dt=600us", "dt=601us", "dt=6ms", "dt=6000001", "dt=-1"),
    )

    def case(self, now, mode, queued, granularity, gap, lag, later):
        """See Family."""
        facts = f"gap={gap} {lag} granularity={granularity} queued={queued}"
        return [f"yield_vm slots=3 transfer={mode}", f"yield_transfer 0 1 now={now} {facts}",
                f"yield_transfer 1 0 {facts} {later}", f"yield_transfer 0 1 {facts} {later}"]


class Fits(Family):
    """Placement: what fits to the unit, and who is better of two."""

    name = "fits"
    decides = False
    axes = (
        (1, 5, 446, 871, 1023, 1024, 1025, 65535),
        (0, 1, 400, 1024, 1025),
        (-2, -1, 0, 1, 2),
        ("", ",1024:0", ",446:0", ",446:1,446:1", ",0:0"),
    )

    def case(self, now, capacity, util, by, others):
        """See Family."""
        total = max(capacity * 1024 // 1280 - min(util, 1024) + by, 0)
        cpu = f"{capacity}:{total}"
        return [f"perf_fit {util} cpus={cpu}{others}", f"perf_fit {util} cpus={cpu},{cpu}{others}"]


class Wishes(Family):
    """A domain: what is put in, what is wished, when it may change."""

    name = "wishes"
    decides = False
    axes = (
        ("levels=1024:1024", "levels=446:1000000,871:2000000,1024:3000000", "levels=300:1",
         "levels=1:1,1024:4294967295"),
        (0, 1, 356, 357, 696, 697, 819, 820, 1024, 1025),
        (0, 1, 16, 17, 1024, 65535),
        (0, 1, 16, 17, 1024, 65535),
        ("dt=0", "dt=499999", "dt=500us", "dt=999999", "dt=1ms", "dt=-1"),
    )

    def case(self, now, levels, util, floor, ceiling, later):
        """See Family."""
        return [f"perf_remove 0 0 now={now}", "perf_remove 0 1", f"perf_domain 0 {levels}",
                "perf_put 0 0 util=300", "perf_update 0",
                f"perf_put 0 1 util={util} floor={floor} ceiling={ceiling} flags=margin",
                f"perf_update 0 {later}", f"perf_put 0 1 util={util} floor={floor}",
                f"perf_update 0 {later}", f"perf_level 0 capacity={util}",
                f"perf_capacity 0 value={util * 3000}", f"perf_update 0 wish={util}"]


class Places(Family):
    """The queue: credits, debts, spans and caps around their limits."""

    name = "places"
    decides = False
    axes = (
        (0, 1, 2, 64, 256, 65535, 65536),
        ("", "cap=1", "cap=6553", "cap=65536"),
        ("class=task rank=7", "class=critical rank=0", "class=baseline", "class=below weight=15"),
        (0, 1, 3_999_999, 4_000_000, 9_999_999, 10_000_000, 4_294_967_295),
        ("", "enqueue 1 0"),
        ("queue_migrate 0 0 to=1", "entity_weight 0 0 weight=7", "entity_cap 0 0 cap=3"),
    )

    def case(self, now, weight, cap, ask, ran, other, then):
        """See Family."""
        return ["queue 0", "queue 1", f"entity 0 0 weight={weight} {cap} now={now}",
                "entity 1 0 weight=256", *filter(None, [other]), f"enqueue 0 0 {ask}",
                f"pick 0 0 {ask}", "queue_limit 0 0", f"charge 0 0 ran={ran} dt={ran}",
                f"pick 0 0 {ask}", "queue_preempts 1 0", f"charge 0 0 ran={ran} dt=1",
                f"pick 0 0 {ask}", "queue_share 0 0", f"enqueue 0 0 {ask} dt=10ms", "dequeue 0 0",
                then, f"enqueue 0 0 {ask}"]


class Configs(Family):
    """Each field at its limits, alone and beside others."""

    name = "configs"
    axes = (
        tuple(range(len(config.FIELDS))),
        ("zero", "min-1", "min", "max", "max+1", "top"),
        ("", "profile=server_overcommit", "boost_burst_ns=50000 look_cost_ns=43750",
         "boost_burst_ns=50000 look_cost_ns=43749", "debt_max_ns=1ms debt_start_ns=1ms",
         "debt_max_ns=1ms debt_start_ns=999999", "vm_burst_ns=100us vm_quantum_ns=100001",
         "vm_burst_ns=100us vm_quantum_ns=100us", "boost_resume_ns=4000001",
         "boost_resume_ns=4ms", "profile=5"),
    )

    def case(self, now, number, which, others):
        """See Family."""
        name, low, high, _ = config.FIELDS[number]
        value = {"zero": 0, "min-1": max(low - 1, 0), "min": low, "max": high, "max+1": high + 1,
                 "top": (1 << 32) - 1}[which]
        if name + "=" in others:
            others = ""
        return ["config profile=default", f"config {name}={value} {others}", "vcpu 0",
                f"step 0 attach now={now}", "step 0 poll dt=1ms ran=1ms"]


class Choices(Family):
    """A choice, right or wrong in one thing or two, from each status."""

    name = "choices"
    decides = False
    axes = (
        ("", "choice", "choice major=1", "choice command=reset"),
        ("", "major=0", "major=1", "major=65535"), ("", "minor=0", "minor=2"),
        ("", "generation=6", "generation=0x1000005"),
        ("", "features=none", "features=0x8000", "features=grant", "features=irq_ticket|crit",
         "features=util_bounds|util", "features=perf"),
        ("", "command=none", "command=reset", "command=3"),
    )

    def case(self, now, before, major, minor, generation, features, command):
        """See Family."""
        return ["vm caps=0x6ff generation=5", *filter(None, [before]),
                f"choice {major} {minor} {generation} {features} {command}",
                f"choice {major} {minor} {generation} {features} {command}", "choice command=none"]


class Records(Family):
    """What is saved and restored, possible or not."""

    name = "records"
    axes = (
        (1, 2, 3), (0, 1, 255, 256, 65536, 65537), (0, 7, 8), (0, 1),
        (0, 2 * DEFAULT.boost_span_ns, 2 * DEFAULT.boost_span_ns + 1, (1 << 64) - 1),
        (0, 1, -1, -DEFAULT.debt_max_ns, -DEFAULT.debt_max_ns - 1, -(1 << 63)),
    )

    def case(self, now, version, share, latches, reserved, used, normal):
        """See Family."""
        return [f"saved 0 version={version} share={share} boost_used={used} irq_used={used}"
                f" normal_left={normal} high={used} high_before={used} boosts=4294967295"
                f" malformed=7 boosted_ns={used} latches={latches} reserved={reserved}",
                "vcpu 0 online=1", "restore 0 0", "save 0 1", f"step 0 attach now={now}",
                "step 0 poll dt=70ms ran=70ms urgency=5 seq=1", "save 0 1",
                "step 0 poll dt=1ms ran=9ms", "save 0 1", "restore 1 1", "counters 0"]


class Binds(Family):
    """An offer with one field at a limit, and a guest that wants this or that."""

    name = "binds"
    decides = False
    axes = (
        ("", "0x0 8 1", "0x8 2 1", "0xa 2 0", "0xa 2 2", "0xc 4 4095", "0xc 4 4097", "0x10 4 255",
         "0x10 4 257", "0x14 4 128", "0x14 4 384", "0x14 4 512", "0x14 4 4096", "0x14 4 8192",
         "0x18 4 0", "0x18 4 1", "0x18 4 1025", "0x18 4 0xffffffff", "0x1c 4 0xffffff",
         "0x1c 4 0x1000000", "0x20 8 0", "0x20 8 0xffffffffffffffff", "0x4c 4 0", "0x4c 4 9"),
        (0, 1, 2, 3),
        ("", "wanted=none", "wanted=whole", "wanted=split_words", "wanted=grant|irq_ticket",
         "wanted=0xffffffffffffffff"),
        ("", "bytes=1023", "bytes=1024", "bytes=2048"),
    )

    def case(self, now, field, status, wanted, mapped):
        """See Family."""
        lines = ["vm caps=all slots=4 generation=5", f"header at=0x28 size=4 value={status}"]
        if field:
            at, size, value = field.split()
            lines.append(f"header at={at} size={size} value={value}")
        return lines + [f"guest_bind {wanted} {mapped}", "guest_ready", "choice header=1",
                        "guest_ready", "guest_online 0", "guest_online 3", "guest_online 4",
                        "guest_publish 0 urgency=4 window=9 util=7 util_valid=1",
                        "guest_pend 3 urgency=2", "guest_pend 4", "guest_wait 0 kind=1 target=3",
                        "guest_epoch 3", "guest_applied 0", "guest_counters 0", "guest_unbind",
                        "guest_ready"]


class Bells(Family):
    """When a guest rings: what it said, what is applied, what it says or ends."""

    name = "bells"
    decides = False
    axes = (
        ("urgency=0", "urgency=1", "urgency=2", "urgency=4", "urgency=5", "urgency=5 idle=1",
         "urgency=0 idle=1"),
        ("", "guest_crit 0 set=lock", "guest_irq_enter 0 bit=1", "guest_pend 0 urgency=4"),
        (0, 1, 2, 3, 4),
        (0, 1 << 24, 1 << 25, 3 << 24, 9 << 24, 1 << 24 | 1 << 16, 1 << 26),
        ("whole", "crit|irq|pending|wait", "kick|crit|irq|pending"),
        ("guest_publish 0 urgency=0", "guest_publish 0 urgency=1", "guest_publish 0 urgency=2",
         "guest_publish 0 urgency=3", "guest_publish 0 urgency=4", "guest_publish 0 urgency=5",
         "guest_publish 0 urgency=5 idle=1", "guest_crit 0 clear=15", "guest_irq_leave 0",
         "guest_pend_clear 0", "guest_retract 0", "guest_wait 0 kind=any"),
    )

    def case(self, now, said, more, klass, applied, wanted, then):
        """See Family."""
        return ["vm caps=all slots=2", f"guest_bind wanted={wanted}", "choice header=1",
                "guest_online 0", "guest_says 0 applied=0", f"guest_publish 0 {said}",
                *filter(None, [more]), f"guest_says 0 applied={applied | klass}", then,
                "guest_says 0 applied=0", "guest_unbind", "choice header=1"]


FAMILIES = {one.name: one for one in (Accounts(), Ranks(), Events(), Hosts(), Times(), Deferrals(),
                                      Storms(), Words(), Transfers(), Fits(), Wishes(),
                                      Places(), Configs(), Choices(), Records(), Binds(), Bells())}
