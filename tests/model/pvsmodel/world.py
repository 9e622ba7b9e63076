# SPDX-License-Identifier: BSD-2-Clause
"""vectors.md sections 3 and 4: the world of a case, and what each op does to it."""

from . import config
from .draws import generate
from .engines import Engines
from .guest_ops import GuestOps
from .language import (CLASS, FLAGS, LIFE_WORD, MALFORMED, REASON, SAYS, THROTTLE, CannotRun,
                       NotInTheLanguage, life_word, parse, result_line)
from .negotiation import Vm, offer
from .numbers import NEVER, U64
from .policy import Facts, Vcpu, goes_first
from .saved import empty_record, restore, save
from .status import Slot, boost_left
from .wire import (ABI_MAJOR, ABI_MINOR, CMD_ACCEPT, DONT_BOTHER, GRANTED, KICK_DEBOOST,
                   KICK_RAISE, OK, YIELD_SPIN)
from .words import IDLE, ONLINE, UTIL_VALID, WAKE_VALID, validate

VCPUS = 16
RECORDS = 4
_LASTING = (("now", "now_ns"), ("caps", "caps"), ("granularity", "timer_granularity_ns"),
            ("entitlement", "entitlement_q16"))
_SAYS = GRANTED | KICK_DEBOOST | KICK_RAISE | YIELD_SPIN | DONT_BOTHER


class World(Engines, GuestOps):
    """V-3.1."""

    def __init__(self):
        self.cfg = config.profile(0)
        self.vm = Vm(offer(0), 1, 1)
        self.slots = [Slot() for _ in range(VCPUS)]
        self.vcpus = [Vcpu(self.cfg) for _ in range(VCPUS)]
        self.run_ns = [0] * VCPUS
        self.wait_ns = [0] * VCPUS
        self.records = [empty_record() for _ in range(RECORDS)]
        self.facts = Facts()
        self.steps = 0
        self.make_engines()
        self.make_guest()
        self.drawn = lambda result: None  # sees each result line of a generate op

    # ---- lines ---------------------------------------------------------------------------------

    def run(self, line):
        """One op line in, one result line out."""
        try:
            op, indices, given = parse(line)
            return self.run_op(op, indices, given)
        except NotInTheLanguage:
            return "syntax"
        except CannotRun:
            return "error"

    def run_op(self, op, indices, given):
        """The same for a line that is parsed."""
        if op != "generate":
            self.steps += 1
        return getattr(self, "op_" + op)(*indices, given)

    # ---- V-4.1 to V-4.3 ------------------------------------------------------------------------

    def op_config(self, given):
        number = given.pop("profile", 0)
        if number >= len(config.PROFILES):
            return result_line("config", (config.E_INVALID, 0, 0, 0))
        cfg = config.profile(number).copy()
        cfg.boost_resume_ns = 0
        for name, value in given.items():
            setattr(cfg, name, value)
        cfg.resolve()
        rc, field, _, low, high = cfg.check()
        if rc == OK:
            self.cfg = cfg
            # What was made before keeps what it has counted, and goes on with the new numbers.
            for one in (*self.vcpus, *self.entities):
                one.cfg = cfg
        return result_line("config", (rc, field, low, high))

    def op_vm(self, given):
        if "caps" in given:
            self.facts.caps = given["caps"]
        offered = given.get("offered", offer(self.facts.caps))
        self.vm = vm = Vm(offered, given.get("generation", 1), given.get("slots", 1))
        changed = 0
        if "accept" in given:
            changed = vm.take(ABI_MAJOR, ABI_MINOR, vm.generation, given["accept"] & offered,
                              CMD_ACCEPT)
        self.header.offer(vm)
        return self._terms(changed, "vm")

    def op_choice(self, given):
        vm = self.vm
        if given.get("header"):
            given = {**self.written_choice(), **given}
        changed = vm.take(given.get("major", ABI_MAJOR), given.get("minor", ABI_MINOR),
                          given.get("generation", vm.generation),
                          given.get("features", vm.offered), given.get("command", CMD_ACCEPT))
        self.header.answer(vm)
        return self._terms(changed, "choice")

    def _terms(self, changed, op):
        vm = self.vm
        return result_line(op, (changed, vm.status, vm.status_reason, vm.offered, vm.features))

    def op_terms(self, given):
        vm = self.vm
        if "features" in given:
            vm.accept(given["features"])
        vm.generation = given.get("generation", vm.generation)
        vm.slot_count = given.get("slots", vm.slot_count)
        vm.active = given.get("active", vm.active)
        return "ok"

    def op_facts(self, given):
        self._take_facts(given)
        return "ok"

    def _take_facts(self, given):
        facts = self.facts
        for name, fact in _LASTING:
            if name in given:
                setattr(facts, fact, given[name])

    # ---- V-4.4 to V-4.7 ------------------------------------------------------------------------

    def _store(self, n, given):
        words = self.slots[n].words
        for key, value in given.items():
            if key.__class__ is int:
                words[key] = value & U64
        if "online" in given:
            words[LIFE_WORD] = life_word(given["online"], self.vm.generation)

    def op_slot(self, n, given):
        self._store(n, given)
        return "ok"

    def op_vcpu(self, n, given):
        self.slots[n] = Slot()
        self.run_ns[n] = self.wait_ns[n] = 0
        self.vcpus[n] = Vcpu(self.cfg)
        self._store(n, given)
        return result_line("vcpu", (boost_left(self.vcpus[n]),))

    def op_validate(self, n, given):
        self._store(n, given)
        hint = validate(self.slots[n].words, self.vm, self.vcpus[n].hint)
        flags = hint.flags
        return result_line("validate", (
            flags & ONLINE, hint.malformed, hint.urgency, hint.level, int(flags & IDLE != 0),
            int(flags & WAKE_VALID != 0), hint.wake_urgency, hint.wake_level,
            int(flags & UTIL_VALID != 0), hint.util, hint.util_floor, hint.util_ceil,
            hint.window_us, hint.seq, hint.crit, hint.irq, hint.irq_ack, hint.wait_kind,
            hint.wait_target, hint.wait_epoch, hint.wait_mask, hint.pending))

    def op_step(self, n, event, given):
        self._store(n, given)
        facts = self.facts
        self._take_facts(given)
        if "dt" in given:
            facts.now_ns = facts.now_ns + given["dt"] & U64
        run = given.get("run", self.run_ns[n])
        facts.run_ns = self.run_ns[n] = run + given.get("ran", 0) & U64
        facts.wait_known = int("waits" in given or "waited" in given)
        waits = given.get("waits", self.wait_ns[n])
        facts.wait_ns = self.wait_ns[n] = waits + given.get("waited", 0) & U64
        told = given.get
        facts.nested = told("nested", 0)
        facts.contended = told("contended", 0)
        facts.dedicated = told("dedicated", 0)
        facts.capacity = told("capacity", 0)
        facts.perf = told("current", 0)
        facts.contention = told("contention", 0)

        slot = self.slots[n]
        hint, decision = self.vcpus[n].step(self.vm, facts, event, given.get("arg", 0),
                                            slot.words, slot)
        return self._step_line(hint, decision, slot)

    def _step_line(self, hint, decision, slot):
        now = self.facts.now_ns
        recheck = decision.recheck_at_ns
        recheck = "never" if recheck == NEVER else recheck - now & U64
        ring = decision.ring_at_ns
        ring = "never" if ring == NEVER else ring - now & U64
        applied = slot.applied
        left = slot.window_left
        return (f"class={CLASS.names[decision.klass]} rank={decision.rank}"
                f" reason={REASON.names[decision.reason]}"
                f" throttle={THROTTLE.format(decision.throttle)}"
                f" flags={FLAGS.format(decision.flags)} weight={decision.weight_q10}"
                f" defer={REASON.names[decision.defer]} perf={decision.perf_q10}"
                f" recheck={recheck} ring={ring} malformed={MALFORMED.format(hint.malformed)}"
                f" says={SAYS.format(applied & _SAYS)} applied={applied:#x}"
                f" ticket={slot.irq_ticket} run={slot.run} perf_word={slot.perf:#x}"
                f" window_left={left & 0xFFFFFFFF} boost_left={left >> 32}")

    # ---- V-4.8 to V-4.12 -----------------------------------------------------------------------

    def op_post(self, n, event, given):
        self.vcpus[n].post(event)
        return "ok"

    def op_save(self, n, k, given):
        self.records[k] = save(self.vcpus[n])
        return result_line("save", self.records[k].values())

    def op_saved(self, k, given):
        self.records[k].update(given)
        return "ok"

    def op_restore(self, n, k, given):
        rc, self.vcpus[n] = restore(self.records[k], self.vcpus[n].cfg)
        return result_line("restore", (rc,))

    def op_preempts(self, a, b, given):
        return result_line("preempts", (goes_first(self.vcpus[a], self.vcpus[b]),))

    def op_counters(self, n, given):
        slot = self.slots[n]
        return result_line("counters", (slot.count_seq, slot.boosts, slot.denials, slot.overruns,
                                        slot.malformed, slot.boosted_ns))

    def op_tally(self, n, given):
        vcpu = self.vcpus[n]
        return result_line("tally", (vcpu.tickets, vcpu.storms, vcpu.deferrals, *vcpu.reasons))

    # ---- section 9 -----------------------------------------------------------------------------

    def op_generate(self, given):
        return generate(self, given)
