# SPDX-License-Identifier: BSD-2-Clause
"""policy.md sections 3 and 6 to 13: one step of one vCPU."""

from .numbers import NEVER, U16, U32, U64
from .perf import perf_word
from .status import write_status
from .wire import (ATTACH, BACKGROUND, BASELINE, BELOW, CAN_ARM_IRQ_WINDOW, CAN_DEFER, CAN_KICK,
                   CRIT_DONT_DESCHED, CRIT_IRQS_OFF, CRIT_LOCK_HELD, CRITICAL, D_ARM_IRQ_WINDOW,
                   D_CHANGED, D_DEFER, D_MALFORMED, D_RELEASE, D_SAMPLE, D_SAMPLE_WAIT, DETACH,
                   EOI, EVENT_COUNT, F_GRANT, F_IRQ_TICKET, F_KICK, F_PERF, FOREIGN, HALT, INJECT,
                   INTERACTIVE, IRQ_WINDOW, KICK, M_INTENT, MIGRATE, NORMAL, OWNS_QUEUE, PICK,
                   POLL, PREEMPT, R_ARMED, R_BELOW, R_BOOST_EMPTY, R_BRIEF, R_CRIT, R_DEDICATED,
                   R_DEFER_SPENT, R_DEFERRED, R_DETACHED, R_FOREIGN, R_GRANT_MAX, R_IDLE, R_IRQ,
                   R_IRQ_EMPTY, R_KICK, R_MALFORMED, R_NONE, R_OFFLINE, R_OUTRANKED, R_OUTSIDE,
                   R_PAYBACK, R_PENDING, R_RATE, R_STALE, R_STORM, R_TICKET, R_TOO_SHORT, R_URGENT,
                   R_VM_CAP, R_WAKE, R_WINDOW, R_YIELD, RESET, RUN_ENTER, RUN_LEAVE, SEES_PREEMPT,
                   SEES_WAIT, SEES_WAKE, T_BOOST_EMPTY, T_GRANT_MAX, T_IRQ_EMPTY, T_MALFORMED,
                   T_RATE, T_STALE, T_STORM, T_VM_CAP, TASK, TELLS_PERF, WAKE, YIELD)
from .words import IDLE, ONLINE, TORN, UTIL_VALID, WAKE_VALID, Hint, validate
from . import wire

# P-1.9.
WEIGHT_ONE = 1024
SHARE_ONE = 65536
SHARE_MIN = 256
LEARN = 64_000_000
EPISODE_MAX = 1 << 47
PAYBACK_SLOWNESS = 8
PAYBACK_LOOK = 2_000_000
CAP_DEBT_MAX = 10_000_000_000
UNUSED_LOOK = 2_000_000
IRQ_LOOK = 50_000
STEP_HASH = 2_654_435_761
VECTOR_UNKNOWN = 65535
INJECTS_MAX = 65535
DEFERS = CRIT_LOCK_HELD | CRIT_IRQS_OFF | CRIT_DONT_DESCHED

CRIT_BELIEVED = 0x0F
CRIT_WITHOUT_IRQS_OFF = 0x0B

# P-12.5.
THROTTLE_OF = {R_BOOST_EMPTY: T_BOOST_EMPTY, R_TOO_SHORT: T_BOOST_EMPTY, R_IRQ_EMPTY: T_IRQ_EMPTY,
               R_VM_CAP: T_VM_CAP, R_GRANT_MAX: T_GRANT_MAX, R_STORM: T_STORM, R_RATE: T_RATE,
               R_MALFORMED: T_MALFORMED, R_STALE: T_STALE, R_NONE: 0}


class Facts:
    """P-3.1. Flags are 0 or 1."""

    __slots__ = ("now_ns", "run_ns", "wait_ns", "caps", "entitlement_q16",
                 "timer_granularity_ns", "nested", "wait_known", "contended", "dedicated",
                 "capacity", "perf", "contention")

    def __init__(self, **facts):
        for name in self.__slots__:
            setattr(self, name, facts.get(name, 0))


class Decision:
    """P-12.9."""

    __slots__ = ("klass", "rank", "reason", "throttle", "flags", "weight_q10", "defer",
                 "perf_q10", "recheck_at_ns", "ring_at_ns")


class Wish:
    """Section 9; `klass` is w.class."""

    __slots__ = ("klass", "reason", "on_irq", "urgent", "denied")

    def __init__(self):
        self.klass = BASELINE
        self.reason = R_NONE
        self.on_irq = self.urgent = self.denied = 0


class Vcpu:
    """P-3.2. A countdown T is kept as its end: left(T) = less(T, its clock)."""

    __slots__ = (
        "started", "seen_now", "seen_run", "seen_wait", "clock", "ran", "boost_used", "irq_used",
        "normal", "unsettled", "unsettled_run", "high", "high_before", "hold", "grant_used",
        "reserved", "share", "share_run", "share_wait", "learning", "window", "stale", "ticket",
        "raise_wait", "urgent_lately", "ticket_no", "ticket_vector", "storm", "storm_age",
        "storm_count", "storm_ns", "calm", "boost_empty", "irq_empty", "grant_full", "paying",
        "suspect", "hint", "window_known", "window_seq", "muted", "still", "unused", "crit_mask",
        "deferred", "granted", "gate", "asleep", "run_epoch", "cpu_gen", "inbox", "injects",
        "klass", "reason", "rank", "throttle", "on_irq", "weight", "contended", "dedicated",
        "entitled", "share_age",
        "perf_word", "boosts", "denials", "overruns", "malformed", "tickets", "storms",
        "deferrals", "boosted_ns", "count_seq", "reasons", "cfg")

    def __init__(self, cfg):
        for name in self.__slots__:
            setattr(self, name, 0)
        self.cfg = cfg
        self.hold = cfg.level_hold_ns
        self.ticket_vector = VECTOR_UNKNOWN
        self.hint = Hint()
        self.crit_mask = CRIT_BELIEVED
        self.gate = R_DETACHED
        self.run_epoch = 1
        self.inbox = set()
        self.klass = BASELINE
        self.reason = R_DETACHED
        self.weight = WEIGHT_ONE
        self.reasons = [0] * 32

    # ---- P-7.1 ---------------------------------------------------------------------------------

    def post(self, event):
        """P-7.1."""
        if event == INJECT:
            self.injects = self.injects + 1 & U32
        else:
            self.inbox.add(event if event < EVENT_COUNT else POLL)

    # ---- P-3.4 ---------------------------------------------------------------------------------

    def step(self, vm, facts, event, arg, words, slot):
        """P-3.4: one step; returns the hint of this step and the decision, and writes the slot."""
        hint = validate(words, vm, self.hint)
        caps = facts.caps
        ecaps = caps
        if not vm.features & F_KICK:
            ecaps &= ~CAN_KICK
        if not vm.features & F_PERF:
            ecaps &= ~TELLS_PERF
        self.entitled = entitlement(facts, self.share)
        self._time_passes(facts)
        self._take_events(vm, facts, event, arg)
        known = self._take_hint(hint, facts.nested)
        wish = self._make_wish(hint, known, facts, event)
        pays = self._limit(wish, vm, facts)
        decision = self._decide(wish, hint, vm, facts, ecaps, event, arg, pays)
        write_status(self, vm.features, slot)
        return hint, decision

    # ---- section 6: time and accounts ----------------------------------------------------------

    def _time_passes(self, facts):
        """P-6.1 to P-6.13."""
        cfg = self.cfg
        boosted = self.klass >= TASK
        now = facts.now_ns
        run = facts.run_ns
        dt = elapsed(self.seen_now, now, cfg.dt_max_ns)
        r = elapsed(self.seen_run, run, cfg.dt_max_ns)
        self.seen_now = now
        self.seen_run = run
        self.unused = int(boosted and dt > 0 and r == 0)
        if not self.started:
            return

        self.clock += dt
        self.ran += r
        self.storm_age += dt
        self.unsettled += dt
        self.unsettled_run += r
        earned = dt * self.entitled >> 16
        boost_used = self.boost_used - earned
        if boost_used < 0:
            boost_used = 0
        irq_used = self.irq_used - earned
        if irq_used < 0:
            irq_used = 0

        b = r if boosted else 0
        boost_cost = cfg.look_earned_ns
        on_irq = self.on_irq
        if boosted:
            self.boosted_ns = self.boosted_ns + b & U64
            self.reserved -= b
            if on_irq:
                irq_used = min(irq_used + (b * cfg.irq_cost_q10 >> 10), 2 * cfg.irq_span_ns)
                if self.reason == R_TICKET:
                    self.storm_ns = min(self.storm_ns + b, U32)
            else:
                boost_cost += b * cfg.boost_cost_q10 >> 10
        boost_used = min(boost_used + boost_cost, 2 * cfg.boost_span_ns)
        self.boost_used = boost_used
        self.irq_used = irq_used

        if self.boost_empty:
            self.boost_empty = int(boost_used > cfg.boost_open_ns)
        elif boost_used >= cfg.boost_span_ns:
            self.boost_empty = 1
            if boosted and not on_irq:
                self.overruns = self.overruns + 1 & U32
        if self.irq_empty:
            self.irq_empty = int(irq_used > cfg.irq_open_ns)
        elif irq_used >= cfg.irq_span_ns:
            self.irq_empty = 1
            if boosted and on_irq:
                self.overruns = self.overruns + 1 & U32

        grant_used = self.grant_used + b - (dt - b if dt > b else 0)
        if grant_used <= 0:
            grant_used = 0
        self.grant_used = grant_used
        if grant_used >= cfg.grant_max_ns:
            self.grant_full = 1
        elif grant_used == 0:
            self.grant_full = 0

        if boost_used > self.high:
            self.high = boost_used
        if self.hold <= self.clock:
            self.high_before = self.high
            self.high = boost_used
            self.hold = self.clock + cfg.level_hold_ns

        if facts.wait_known:
            self._learn(facts, r, boosted)
        else:
            self.learning = 0

    def _learn(self, facts, r, boosted):
        """P-6.13, when the time it waited is known."""
        w = elapsed(self.seen_wait, facts.wait_ns, self.cfg.dt_max_ns)
        self.seen_wait = facts.wait_ns
        if boosted or self.reason == R_BELOW:
            self.learning = 0
        elif not self.learning:
            self.learning = int(r > 0)
        else:
            self.share_run += r
            self.share_wait += w * self.weight >> 10
            total = self.share_run + self.share_wait
            if total >= LEARN:
                self.share = max((self.share_run << 16) // total, SHARE_MIN)
                self.share_age = self.clock + 2 * self.cfg.level_hold_ns
                self.share_run = self.share_wait = 0

    def _settle(self, facts):
        """P-6.14."""
        cfg = self.cfg
        entitled = entitlement(facts, self.share)
        share = self.share
        if share == 0 or share > entitled and self.share_age <= self.clock:
            share = entitled
        normal = (self.normal + (min(self.unsettled, EPISODE_MAX) * share >> 16)
                  - self.unsettled_run)
        normal = max(-cfg.debt_max_ns, min(normal, cfg.credit_max_ns))
        self.normal = normal
        if facts.caps & OWNS_QUEUE:
            self.paying = 0
        elif normal < -cfg.debt_start_ns:
            self.paying = 1
        elif normal >= 0:
            self.paying = 0
        self.unsettled = self.unsettled_run = 0

    # ---- section 7: events ---------------------------------------------------------------------

    def _take_events(self, vm, facts, event, arg):
        """P-7.2."""
        if self.inbox or self.injects:
            posted = sorted(self.inbox | {INJECT} if self.injects else self.inbox)
            injects = min(self.injects, INJECTS_MAX)
            self.inbox = set()
            self.injects = 0
            for one in posted:
                many = injects << 16 if one == INJECT else 0
                self._take_event(vm, facts, one, VECTOR_UNKNOWN + many)
        self._take_event(vm, facts, event, arg)

    def _take_event(self, vm, facts, event, arg):
        if event == INJECT:
            if vm.features & F_IRQ_TICKET and not facts.nested:
                self._deliver(arg & U16, arg >> 16 or 1)
        elif event == PICK:
            self._runs()
            self.asleep = 0
            self.deferred = self.granted = 0
        elif event == RUN_ENTER:
            self._runs()
            self.asleep = 0
            if self.gate == R_OUTSIDE:
                self.gate = 0
        elif event == RUN_LEAVE:
            self._stops()
            if self.gate == 0:
                self.gate = R_OUTSIDE
        elif event == WAKE:
            self.asleep = self.muted = 0
        elif event == HALT:
            self._stops()
            self.asleep = 1
            self.window = 0
        elif event == EOI:
            if arg == self.ticket_vector != VECTOR_UNKNOWN:
                self.ticket = 0
        elif event == YIELD:
            self.muted = 1
        elif event == IRQ_WINDOW:
            self.crit_mask = CRIT_WITHOUT_IRQS_OFF
        elif event == MIGRATE:
            self.cpu_gen = self.cpu_gen + 1 & U16
            self.learning = self.share_run = self.share_wait = 0
        elif event == ATTACH:
            if not self.started:
                self.unsettled = self.unsettled_run = 0
            self.started = 1
            self.gate = self.asleep = self.window_known = self.learning = 0
            self._forget()
        elif event in (DETACH, FOREIGN):
            self._stops()
            self.started = 0
            self.gate = R_DETACHED if event == DETACH else R_FOREIGN
        elif event == RESET:
            self._forget()

    def _runs(self):
        if self.run_epoch & 1:
            self.run_epoch = self.run_epoch + 1 & U16

    def _stops(self):
        if not self.run_epoch & 1:
            self.run_epoch += 1

    def _forget(self):
        """P-7.3."""
        self.hint = Hint()
        self.window = self.stale = self.urgent_lately = self.ticket = 0
        self.muted = self.still = self.granted = 0
        self.crit_mask = CRIT_BELIEVED

    def _deliver(self, vector, count):
        """P-7.5."""
        cfg = self.cfg
        if self.storm_age >= cfg.storm_window_ns:
            self._next_window()
        self.storm_count = self.storm_count + count & U32
        if self.storm_count > cfg.storm_count_max or self.storm_ns > cfg.storm_cost_ns:
            if not self.storm:
                self.storms = self.storms + 1 & U32
            self.storm = 1
            self.calm = 0
        self.ticket_no = 1 if self.ticket_no == U16 else self.ticket_no + 1
        self.ticket_vector = vector
        self.ticket = self.ran + cfg.ticket_max_ns
        self.tickets = self.tickets + 1 & U32

    def _next_window(self):
        """P-7.6."""
        cfg = self.cfg
        x = self.storm_age - cfg.storm_window_ns
        if (self.storm_count <= cfg.storm_count_max // 2
                and self.storm_ns <= cfg.storm_cost_ns // 2):
            x += self.calm + cfg.storm_window_ns
        self.calm = min(x, cfg.storm_hold_ns)
        if self.calm == cfg.storm_hold_ns:
            self.storm = 0
        self.storm_count = self.storm_ns = self.storm_age = 0

    # ---- section 8: hint intake ----------------------------------------------------------------

    def _take_hint(self, hint, nested):
        """P-8.1 to P-8.6; returns `known`."""
        before = self.hint
        if nested:
            return before.flags & ONLINE
        cfg = self.cfg
        if hint.malformed:
            self.malformed = self.malformed + hint.malformed.bit_count() & U32
            self.raise_wait = max(self.raise_wait, self.clock + cfg.malformed_min_ns)
            self.suspect = 1
        if not hint.flags & ONLINE:
            self._forget()
            return 0
        if (before.flags & ONLINE and hint.seq == before.seq and hint.crit == before.crit
                and hint.irq == before.irq and hint.pending == before.pending):
            self.still = 1
        else:
            self.still = 0
            self._take_statement(hint)
        if hint.irq_ack == self.ticket_no:
            self.ticket = 0
        if hint.flags & IDLE:
            self.window = self.urgent_lately = 0
        return 1

    def _take_statement(self, hint):
        """P-8.4, something new."""
        self.muted = 0
        self.crit_mask = CRIT_BELIEVED
        self.stale = self.ran + self.cfg.stale_ns
        if hint.crit == 0:
            self.granted = 0
        if (not hint.malformed & M_INTENT and not hint.flags & TORN
                and not (self.window_known and self.window_seq == hint.seq)):
            self.window_known = 1
            self.window_seq = hint.seq
            self.window = self.ran + hint.window_us * 1000

    # ---- section 9: wish -----------------------------------------------------------------------

    def _make_wish(self, hint, known, facts, event):
        """P-9.1 to P-9.9."""
        wish = Wish()
        if self.gate:
            wish.reason = self.gate
        elif not known:
            wish.reason = R_OFFLINE
        elif facts.dedicated:
            wish.reason = R_DEDICATED
        else:
            said = self.hint if facts.nested else hint
            if said.flags & IDLE:
                self._wish_idle(wish, said, facts.caps)
            else:
                self._wish_running(wish, said, hint, facts, event)
            self._wish_more(wish, said)
        if known and not facts.nested:
            self.hint = hint
        return wish

    def _wish_idle(self, wish, said, caps):
        """P-9.2."""
        wish.reason = R_IDLE
        if not self.asleep and said.flags & WAKE_VALID and said.wake_urgency >= INTERACTIVE:
            wish.klass = TASK
            wish.reason = R_WAKE if caps & SEES_WAKE else R_ARMED

    def _wish_running(self, wish, said, hint, facts, event):
        """P-9.3."""
        if said.urgency >= INTERACTIVE:
            wish.klass = TASK
            wish.reason = R_URGENT
            if self.klass < TASK:
                self.urgent_lately = self.clock + self.cfg.level_hold_ns
                if (not facts.nested and not facts.caps & SEES_WAKE and event != KICK
                        and self.hint.seq != hint.seq):
                    wish.klass = BASELINE
                    wish.reason = R_BRIEF
            elif self.on_irq or self.reason == R_URGENT:
                wish.klass = self.klass
        elif said.urgency in (wire.IDLE, BACKGROUND):
            wish.klass = BELOW
            wish.reason = R_BELOW

    def _wish_more(self, wish, said):
        """P-9.4 to P-9.7."""
        if self.window > self.ran and wish.klass < TASK:
            wish.klass = TASK
            wish.reason = R_WINDOW
        if said.crit & self.crit_mask:
            wish.klass = CRITICAL
            wish.reason = R_CRIT
        else:
            pending = said.pending >> 4
            if pending >= INTERACTIVE and wish.klass < TASK:
                wish.klass = TASK
                wish.reason = R_PENDING
            elif pending == NORMAL and wish.klass < BASELINE:
                wish.klass = BASELINE
                wish.reason = R_PENDING
            if said.irq:
                self._want_irq_boost(wish, R_IRQ)

        if wish.klass >= TASK:
            wish.urgent = 1
            if self.muted:
                wish.klass = BASELINE
                wish.reason = R_YIELD
                wish.on_irq = wish.denied = 0
            elif self.stale <= self.ran:
                wish.klass = BASELINE
                wish.reason = wish.denied = R_STALE
                wish.on_irq = 0

        if self.ticket > self.ran and wish.klass != CRITICAL:
            wish.urgent = 1
            if self.storm:
                wish.denied = R_STORM
                if wish.klass < TASK:
                    wish.klass = BASELINE
                    wish.reason = R_STORM
            else:
                wish.denied = R_NONE
                self._want_irq_boost(wish, R_TICKET)

    def _want_irq_boost(self, wish, reason):
        """P-9.8."""
        if self.irq_empty and wish.klass >= TASK:
            wish.denied = R_IRQ_EMPTY
        else:
            wish.klass = CRITICAL
            wish.reason = reason
            wish.on_irq = 1

    # ---- section 10: limits --------------------------------------------------------------------

    def _limit(self, wish, vm, facts):
        """P-10.1 to P-10.7; returns `pays`."""
        pays = 0
        boosted = self.klass >= TASK
        if wish.klass >= TASK:
            cfg = self.cfg
            if wish.on_irq:
                pays = max(cfg.irq_span_ns - self.irq_used, 0) * cfg.irq_share_q10 >> 10
                empty = R_IRQ_EMPTY if self.irq_empty else 0
            else:
                pays = max(cfg.boost_span_ns - self.boost_used, 0) * cfg.boost_share_q10 >> 10
                empty = R_BOOST_EMPTY if self.boost_empty else 0
            objection = empty or self._objection(boosted, pays, vm, facts)
            if objection:
                wish.klass = BASELINE
                wish.reason = wish.denied = objection
                wish.on_irq = 0

        if wish.klass >= TASK:
            if not boosted:
                if self.paying:
                    self._settle(facts)
                self.unsettled = self.unsettled_run = 0
        elif boosted or self.paying:
            self._settle(facts)
            if self.reserved > 0:
                refund_cap(vm, self.cfg, self.reserved)
            elif self.reserved < 0:
                charge_cap(vm, self.cfg, facts.now_ns, -self.reserved)
            self.reserved = 0
            if self.paying and wish.klass == BASELINE and self.gate == 0:
                wish.klass = BELOW
                wish.reason = R_PAYBACK
        return pays

    def _objection(self, boosted, pays, vm, facts):
        """P-10.2 from row 2."""
        if self.grant_full:
            return R_GRANT_MAX
        if not boosted:
            if pays < facts.timer_granularity_ns:
                return R_TOO_SHORT
            if self.raise_wait > self.clock:
                return R_MALFORMED if self.suspect else R_RATE
        return 0 if self._hold_cap(vm, facts.now_ns) else R_VM_CAP

    def _hold_cap(self, vm, now):
        """P-10.3."""
        if self.reserved > 0:
            return True
        if self.reserved < 0:
            charge_cap(vm, self.cfg, now, -self.reserved)
            self.reserved = 0
        if not take_cap(vm, self.cfg, now):
            return False
        self.reserved = self.cfg.vm_quantum_ns
        return True

    # ---- sections 11 and 12: rank and decision -------------------------------------------------

    def rank_now(self):
        """P-11.1."""
        s = self.cfg.boost_span_ns
        k = s - max(self.high, self.high_before)
        if k < 0:
            k = 0
        s >>= 1
        n = 0
        if k >= s:
            k -= s
            n = 4
        s >>= 1
        if k >= s:
            k -= s
            n += 2
        if k >= s >> 1:
            n += 1
        return n

    def _decide(self, wish, hint, vm, facts, ecaps, event, arg, pays):
        """P-12.1 to P-12.15."""
        cfg = self.cfg
        klass = wish.klass
        boosted_before = self.klass >= TASK
        boosted = klass >= TASK
        if event == KICK and wish.reason == R_NONE and boosted_before:
            wish.reason = R_KICK
        reason = wish.reason
        if boosted:
            d = self._stands_boosted(reason, facts.now_ns, ecaps, pays)
            rank = self.rank_now()
        else:
            d = self._stands(wish, vm, facts, ecaps)
            rank = 0

        weight = WEIGHT_ONE
        if klass == BELOW:
            weight = cfg.pay_weight_q10 if reason == R_PAYBACK else cfg.below_weight_q10
        throttle = THROTTLE_OF[wish.denied]
        flags = self._flags(wish, rank, weight, hint, facts)

        if klass != self.klass or reason != self.reason:
            self.reasons[reason] = self.reasons[reason] + 1 & U32
            if boosted and not boosted_before:
                self.boosts = self.boosts + 1 & U32
                self.suspect = 0
                self.raise_wait = max(self.raise_wait, self.clock + cfg.raise_min_ns)
            elif wish.urgent and not boosted:
                self.denials = self.denials + 1 & U32

        self.klass = klass
        self.reason = reason
        self.on_irq = wish.on_irq
        self.rank = rank
        self.weight = weight
        self.throttle = throttle
        self.contended = facts.contended
        self.dedicated = facts.dedicated

        decision = Decision()
        decision.klass = klass
        decision.rank = rank
        decision.reason = reason
        decision.throttle = throttle
        decision.weight_q10 = weight
        decision.defer = 0
        decision.perf_q10 = self._performance()
        now = facts.now_ns
        valid = d if d > cfg.recheck_min_ns else cfg.recheck_min_ns
        if wish.on_irq and not self.run_epoch & 1:
            valid = min(valid, IRQ_LOOK)
        recheck = now + valid & U64
        decision.ring_at_ns = recheck if throttle & ~T_STALE else now
        if self.gate in (R_DETACHED, R_FOREIGN):
            recheck = NEVER
        decision.recheck_at_ns = recheck
        decision.flags = flags
        if ecaps & TELLS_PERF:
            self.perf_word = perf_word(facts.capacity, facts.perf, facts.contention, self.cpu_gen)
        if event == PREEMPT:
            self._answer_preempt(decision, vm.features, facts, arg)
        return decision

    def _stands_boosted(self, reason, now, ecaps, pays):
        """P-12.3."""
        cfg = self.cfg
        ran = self.ran
        d = min(cfg.poll_ns, pays, cfg.grant_max_ns - self.grant_used)
        if reason == R_TICKET:
            d = min(d, max(self.ticket - ran, 0))
        else:
            d = min(d, max(self.stale - ran, 0))
            if reason == R_WINDOW:
                d = min(d, max(self.window - ran, 0))
        if reason == R_URGENT and not ecaps & CAN_KICK:
            d = 0
        runs = ecaps & SEES_PREEMPT and not self.run_epoch & 1
        if self.unused and not runs and d < UNUSED_LOOK:
            d = UNUSED_LOOK
        if reason == R_ARMED:
            k = (now & U32) * STEP_HASH & U32
            d -= (d >> 9) * (k >> 26)
        return d

    def _stands(self, wish, vm, facts, ecaps):
        """P-12.4."""
        cfg = self.cfg
        if wish.reason == R_PAYBACK:
            return min(cfg.poll_ns, max(-self.normal * PAYBACK_SLOWNESS, PAYBACK_LOOK))
        if wish.denied == R_BOOST_EMPTY:
            opens = max(self.boost_used - cfg.boost_open_ns, 0) * 65536 // self.entitled
            return min(max(opens, cfg.poll_ns), cfg.quiet_poll_ns)
        if wish.denied in (R_RATE, R_MALFORMED):
            return min(cfg.poll_ns, max(self.raise_wait - self.clock, 0))
        if wish.urgent:
            return cfg.poll_ns
        if self.urgent_lately > self.clock and self.gate == 0:
            if not facts.caps & SEES_WAKE and self.rank_now() >= 4:
                return min(cfg.poll_ns, cfg.urgent_poll_ns)
            return cfg.poll_ns
        if ecaps & CAN_KICK and wish.klass == BASELINE:
            spins = (self.still and not self.hint.flags & IDLE and self.gate == 0
                     and vm.slot_count > 1 and not facts.caps & SEES_PREEMPT)
            if not spins:
                return cfg.quiet_poll_ns
        return cfg.poll_ns

    def _flags(self, wish, rank, weight, hint, facts):
        """P-12.6, before the new decision is remembered; DEFER comes with P-12.15."""
        klass = wish.klass
        flags = self.cfg.decision_flags
        if klass != self.klass or rank != self.rank or weight != self.weight:
            flags |= D_CHANGED
        if self.gate in (R_DETACHED, R_FOREIGN):
            flags |= D_RELEASE
        if (klass != BASELINE or wish.urgent or self.paying
                or self.urgent_lately > self.clock):
            flags |= D_SAMPLE
            if klass < TASK and facts.caps & SEES_WAIT:
                flags |= D_SAMPLE_WAIT
        if hint.malformed and not facts.nested:
            flags |= D_MALFORMED
        if (klass >= TASK and facts.caps & CAN_ARM_IRQ_WINDOW
                and self.hint.crit & self.crit_mask & CRIT_IRQS_OFF):
            flags |= D_ARM_IRQ_WINDOW
        return flags

    def _performance(self):
        """P-12.10."""
        hint = self.hint
        if (not hint.flags & UTIL_VALID or hint.flags & IDLE or self.gate or self.asleep
                or self.stale <= self.ran):
            return 0
        if hint.util < hint.util_floor:
            return hint.util_floor
        return min(hint.util, hint.util_ceil)

    def _answer_preempt(self, decision, features, facts, arg):
        """P-12.15."""
        cfg = self.cfg
        answer = self._may_wait(features, facts, arg)
        decision.defer = answer
        if answer:
            self.reasons[answer] = self.reasons[answer] + 1 & U32
        if answer == R_DEFERRED:
            self.granted = self.deferred = 1
            self.deferrals = self.deferrals + 1 & U32
            decision.flags |= D_DEFER
            decision.recheck_at_ns = min(decision.recheck_at_ns,
                                         facts.now_ns + cfg.defer_ns & U64)
        else:
            self.granted = 0
            self._stops()

    def _may_wait(self, features, facts, arg):
        if (not features & F_GRANT or not facts.caps & CAN_DEFER or self.gate or self.asleep
                or not self.hint.crit & self.crit_mask & DEFERS):
            return 0
        if self.stale <= self.ran:
            return R_STALE
        if self.deferred:
            return R_DEFER_SPENT
        if arg > self.klass:
            return R_OUTRANKED
        if self.boost_empty:
            return R_BOOST_EMPTY
        if self.cfg.defer_ns < facts.timer_granularity_ns:
            return R_TOO_SHORT
        return R_DEFERRED


def elapsed(before, now, dt_max):
    """P-6.1."""
    x = now - before & U64
    if x <= dt_max:
        return x
    return dt_max if now > before else 0


def entitlement(facts, learned):
    """P-6.4: what is configured; else what was learned; else a whole CPU."""
    share = facts.entitlement_q16 or learned
    return share if 0 < share <= SHARE_ONE else SHARE_ONE


def goes_first(a, b):
    """P-15.1."""
    if a.klass != b.klass:
        return 1 if a.klass > b.klass else -1
    if a.rank != b.rank:
        return 1 if a.rank > b.rank else -1
    return 0


# ---- the VM's cap: P-10.8 to P-10.10 ------------------------------------------------------------

def _cap_base(vm, cfg, now):
    return min(max(vm.cap, now), now + cfg.vm_burst_wall_ns + CAP_DEBT_MAX & U64)


def take_cap(vm, cfg, now):
    """P-10.8."""
    base = _cap_base(vm, cfg, now)
    after = base + cfg.vm_quantum_wall_ns & U64
    if after > (now + cfg.vm_burst_wall_ns & U64):
        vm.cap = min(vm.cap, base)
        return False
    vm.cap = after
    return True


def charge_cap(vm, cfg, now, run_ns):
    """P-10.9."""
    vm.cap = _cap_base(vm, cfg, now) + (run_ns * cfg.vm_cost_q10 >> 10) & U64


def refund_cap(vm, cfg, run_ns):
    """P-10.10."""
    cost = run_ns * cfg.vm_cost_q10 >> 10
    vm.cap = vm.cap - cost if vm.cap > cost else 0
