# SPDX-License-Identifier: BSD-2-Clause
"""vectors.md sections 5 to 7: ops of the yield, of performance domains and of the queue's rank."""

from . import perf, queue, transfer, yielding
from .language import WAIT_WORD, CannotRun, result_line
from .numbers import NEVER, U16, U64, signed64
from .wire import BASELINE, OK

DOMAINS, QUEUES, EACH = 4, 2, 16
_ONE_LEVEL = ((1024, 1024),)
_WEIGHT = 256
_YIELD_SLOTS = 16


class _Wait:
    """The guest's `wait` as a hint has it; vectors.md section 5."""

    __slots__ = ("wait_kind", "wait_target", "wait_epoch", "wait_mask")

    def __init__(self, word):
        self.wait_kind = word & 0xF
        self.wait_target = word >> 4 & U16
        self.wait_epoch = word >> 32 & U16
        self.wait_mask = word >> 32


class Engines:
    """The part of a world that these ops work on."""

    def make_engines(self):
        """V-3.1."""
        self.yields = yielding.make({}, _YIELD_SLOTS)[1]
        self.perf_cfg = perf.PerfConfig()
        self.domains = [perf.Domain(_ONE_LEVEL) for _ in range(DOMAINS)]
        self.members = [perf.Member() for _ in range(EACH)]
        self.queues = [queue.Queue() for _ in range(QUEUES)]
        self.entities = [queue.Entity(self.cfg, _WEIGHT) for _ in range(EACH)]

    def _clock(self, given):
        """V-5: `now` replaces, `dt` is added; the time it is now."""
        facts = self.facts
        facts.now_ns = given.get("now", facts.now_ns) + given.get("dt", 0) & U64
        return facts.now_ns

    # ---- section 5 -----------------------------------------------------------------------------

    def op_yield_vm(self, given):
        names = {"ipi_window": "ipi_window_ns", "transfer_min": "transfer_min_ns",
                 "debounce": "debounce_ns"}
        slots = given.pop("slots", 0)
        rc, made = yielding.make({names.get(name, name): value for name, value in given.items()},
                                 slots)
        if rc == OK:
            self.yields = made
        return result_line("yield_vm", (rc,))

    def op_yield_waits(self, n, given):
        self._clock(given)
        self.yields.waits(n, given.get("flags", 0))
        return "ok"

    def op_yield_runs(self, n, given):
        self._clock(given)
        self.yields.runs(n)
        return "ok"

    op_yield_blocks = op_yield_runs

    def op_yield_removed(self, n, given):
        self._clock(given)
        self.yields.removed(n)
        return "ok"

    def op_yield_interrupt(self, n, given):
        self._clock(given)
        self.yields.interrupt(n)
        return "ok"

    def op_yield_ipi(self, n, m, given):
        now = self._clock(given)
        self.yields.ipi(n, m, given.get("vector", 0), now)
        return "ok"

    def op_yield_eoi(self, n, given):
        self._clock(given)
        self.yields.eoi(n, given.get("vector", 0))
        return "ok"

    def op_yield_choose(self, n, given):
        now = self._clock(given)
        return result_line("yield_choose", self.yields.choose(
            n, _Wait(given.get(WAIT_WORD, 0)), now, given.get("run_epoch", 0)))

    def op_yield_transfer(self, n, m, given):
        now = self._clock(given)
        return result_line("yield_transfer", transfer.transfer(self.yields, n, m, now, given))

    def op_yield_counts(self, given):
        self._clock(given)
        yields = self.yields
        return result_line("yield_counts", (*yields.choices, *yields.transfers, yields.stale))

    # ---- section 6 -----------------------------------------------------------------------------

    def op_perf_config(self, given):
        cfg = perf.PerfConfig(headroom_q10=given.get("headroom", 0), max_q10=given.get("max", 0),
                              up_min_ns=given.get("up_min", 0),
                              down_min_ns=given.get("down_min", 0))
        rc, field, low, high = cfg.check()
        if rc == OK:
            self.perf_cfg = cfg
        return result_line("perf_config", (rc, field, low, high))

    def op_perf_domain(self, d, given):
        domain = perf.Domain(given.get("levels", ()))
        rc = domain.check()
        if rc == OK:
            self.domains[d] = domain
        return result_line("perf_domain", (rc,))

    def _members(self, op, rc, domain):
        return result_line(op, (rc, domain.sum, domain.members))

    def op_perf_put(self, d, m, given):
        self._clock(given)
        domain = self.domains[d]
        rc = domain.put(self.members[m], given.get("util", 0), given.get("floor", 0),
                        given.get("ceiling", 0), given.get("flags", 0) & perf.MARGIN)
        return self._members("perf_put", rc, domain)

    def op_perf_remove(self, d, m, given):
        # A member knows its domain; the one in the line is only looked at.
        self._clock(given)
        perf.remove(self.members[m])
        return self._members("perf_remove", OK, self.domains[d])

    def op_perf_move(self, d, m, given):
        self._clock(given)
        to = self.domains[given.get("to", 0)]
        return self._members("perf_move", to.take_over(self.members[m]), to)

    def op_perf_wish(self, d, given):
        self._clock(given)
        return result_line("perf_wish", (self.domains[d].wish(self.perf_cfg),))

    def op_perf_update(self, d, given):
        now = self._clock(given)
        domain = self.domains[d]
        wish = given.get("wish")
        if wish is None:
            wish = domain.wish(self.perf_cfg)
        *values, recheck = domain.update(self.perf_cfg, wish, now)
        if recheck != NEVER:
            recheck = recheck - now & U64
        return result_line("perf_update", (*values, recheck))

    def op_perf_level(self, d, given):
        self._clock(given)
        return result_line("perf_level", (self.domains[d].level_for(given.get("capacity", 0)),))

    def op_perf_capacity(self, d, given):
        self._clock(given)
        return result_line("perf_capacity",
                           (self.domains[d].capacity_of(given.get("value", 0)),))

    def op_perf_word(self, given):
        self._clock(given)
        word = perf.perf_word(given.get("capacity", 0), given.get("current", 0),
                              given.get("contention", 0), given.get("generation", 0))
        return result_line("perf_word", (word,))

    def op_perf_contention(self, given):
        self._clock(given)
        return result_line("perf_contention",
                           (perf.contention_of(given.get("run", 0), given.get("wait", 0)),))

    def op_perf_fit(self, util, given):
        self._clock(given)
        return result_line("perf_fit", (perf.fit(util, given.get("cpus", ())),))

    # ---- section 7 -----------------------------------------------------------------------------

    def _place(self, op, rc, e, q, now):
        entity, at = self.entities[e], self.queues[q]
        park = entity.park_ns - now & U64 if entity.parked else NEVER
        return result_line(op, (
            rc, entity.key - at.base & U64, entity.bucket, entity.boosted, entity.empty, park,
            signed64(entity.vtime - at.base & U64), signed64(entity.boost - at.base & U64),
            at.base, entity.boosted_ns, at.waiting, at.running))

    def op_queue(self, q, given):
        self._clock(given)
        self.queues[q] = queue.Queue()
        return "ok"

    def op_entity(self, e, q, given):
        now = self._clock(given)
        self.entities[e] = entity = queue.Entity(self.cfg, given.get("weight", 0))
        if "cap" in given:
            entity.set_cap(given["cap"])
        return self._place("entity", OK, e, q, now)

    def op_entity_weight(self, e, q, given):
        now = self._clock(given)
        self.entities[e].set_weight(self.queues[q], given.get("weight", 0))
        return self._place("entity_weight", OK, e, q, now)

    def op_entity_cap(self, e, q, given):
        now = self._clock(given)
        self.entities[e].set_cap(given.get("cap", 0))
        return self._place("entity_cap", OK, e, q, now)

    def op_enqueue(self, e, q, given):
        now = self._clock(given)
        rc = self.entities[e].enqueue(self.queues[q], now, given.get("class", BASELINE),
                                      given.get("rank", 0), given.get("weight", 0))
        return self._place("enqueue", rc, e, q, now)

    def op_pick(self, e, q, given):
        now = self._clock(given)
        rc = self.entities[e].pick(self.queues[q], now, given.get("class", BASELINE),
                                   given.get("rank", 0))
        return self._place("pick", rc, e, q, now)

    def op_charge(self, e, q, given):
        now = self._clock(given)
        self.entities[e].charge(self.queues[q], now, given.get("ran", 0))
        return self._place("charge", OK, e, q, now)

    def op_dequeue(self, e, q, given):
        now = self._clock(given)
        self.entities[e].dequeue(self.queues[q])
        return self._place("dequeue", OK, e, q, now)

    def op_queue_migrate(self, e, q, given):
        now = self._clock(given)
        rc = self.entities[e].migrate(self.queues[q], self.queues[given.get("to", 0)])
        return self._place("queue_migrate", rc, e, q, now)

    def op_queue_limit(self, e, q, given):
        now = self._clock(given)
        return result_line("queue_limit", (self.entities[e].limit(self.queues[q], now),))

    def op_queue_preempts(self, e, f, given):
        self._clock(given)
        order = queue.before(self.entities[e].key, self.entities[f].key)
        return result_line("queue_preempts", (int(order),))

    def op_queue_before(self, e, f, given):
        self._clock(given)
        order = queue.before(self.entities[e].key, self.entities[f].key)
        return result_line("queue_before", (int(order),))

    def op_queue_share(self, e, q, given):
        self._clock(given)
        share = self.entities[e].share(self.queues[q])
        if share is None:
            raise CannotRun
        return result_line("queue_share", (share,))
