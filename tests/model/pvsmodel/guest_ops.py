# SPDX-License-Identifier: BSD-2-Clause
"""vectors.md section 8, and `header` of section 4: ops of the guest and of the region's header."""

from .guest import Guest
from .header import COMMAND, ECHO, FEATURES_ACCEPTED, GUEST_MAJOR, GUEST_MINOR, Header
from .language import CannotRun, result_line
from .numbers import U64
from .wire import F_ALL, HEADER_SIZE, OK

_MAPPED = 4096
_AT_MOST = 8


class GuestOps:
    """The part of a world that these ops work on."""

    def make_guest(self):
        """V-3.1."""
        self.header = Header()
        self.guest = Guest(self.header, self.slots)

    def written_choice(self):
        """V-4.2: the choice as the guest has written it."""
        header = self.header
        return {"major": header.get(GUEST_MAJOR), "minor": header.get(GUEST_MINOR),
                "generation": header.get(ECHO), "features": header.get(FEATURES_ACCEPTED),
                "command": header.get(COMMAND)}

    def op_header(self, given):
        at, size = given.get("at", 0), given.get("size", 0)
        if not 1 <= size <= _AT_MOST or at > HEADER_SIZE - _AT_MOST:
            raise CannotRun
        self.header.put((at, size), given.get("value", 0))
        return "ok"

    # ---- bindings ------------------------------------------------------------------------------

    def _binding(self, op, rc):
        header = self.header
        return result_line(op, (rc, header.get(FEATURES_ACCEPTED), header.get(GUEST_MINOR),
                                header.get(ECHO), header.get(COMMAND), self.guest.reason))

    def op_guest_bind(self, given):
        rc = self.guest.bind(given.get("wanted", F_ALL), given.get("bytes", _MAPPED))
        return self._binding("guest_bind", rc)

    def op_guest_ready(self, given):
        return self._binding("guest_ready", self.guest.ready())

    def op_guest_unbind(self, given):
        return self._binding("guest_unbind", self.guest.unbind())

    # ---- words ---------------------------------------------------------------------------------

    def _words(self, n, rc):
        return result_line("guest_online", (rc, *self.slots[n].words))

    def op_guest_online(self, n, given):
        return self._words(n, self.guest.online(n))

    def op_guest_offline(self, n, given):
        return self._words(n, self.guest.offline(n))

    def op_guest_retract(self, n, given):
        return self._words(n, self.guest.publish(n, {}))

    def op_guest_publish(self, n, given):
        return self._words(n, self.guest.publish(n, given))

    def op_guest_crit(self, n, given):
        return self._words(n, self.guest.crit(n, given.get("set", 0), given.get("clear", 0)))

    def op_guest_irq_enter(self, n, given):
        self.guest.irq_enter(n, given.get("bit", 0))
        return self._words(n, OK)

    def op_guest_irq_leave(self, n, given):
        return self._words(n, self.guest.irq_leave(n))

    def op_guest_irq_ack(self, n, given):
        self.guest.irq_ack(n)
        return self._words(n, OK)

    def op_guest_wait(self, n, given):
        # Epoch and mask are one argument under two names.
        value = given.get("epoch", 0) | given.get("mask", 0)
        self.guest.wait(n, given.get("kind", 0), given.get("target", 0), value)
        return self._words(n, OK)

    def op_guest_pend(self, n, given):
        return self._words(n, self.guest.pend(n, given.get("urgency", 0), given.get("level", 0)))

    def op_guest_pend_clear(self, n, given):
        return self._words(n, self.guest.pend_clear(n))

    def op_guest_bounds(self, n, given):
        self.guest.bounds(n, given.get("floor", 0), given.get("ceil", 0))
        return self._words(n, OK)

    # ---- host words ----------------------------------------------------------------------------

    def op_guest_applied(self, n, given):
        return result_line("guest_applied", (self.guest.applied(n),))

    def op_guest_epoch(self, n, given):
        return result_line("guest_epoch", (self.guest.epoch(n),))

    def op_guest_counters(self, n, given):
        return result_line("guest_counters", self.guest.counters(n))

    def op_guest_says(self, n, given):
        slot = self.slots[n]
        for name, word in (("applied", "applied"), ("ticket", "irq_ticket"), ("run", "run"),
                           ("seq", "count_seq"), ("boosts", "boosts")):
            if name in given:
                setattr(slot, word, given[name] & U64)
        return "ok"
