# SPDX-License-Identifier: BSD-2-Clause
"""policy-yield.md section 6: what a yielder gives."""

from .numbers import U32

OFF, PENALISE = 1, 2
REASONS = ("none", "nobody", "alone", "limited", "penalty", "base", "ping_pong", "credited",
           "enough")
NONE, NOBODY, ALONE, LIMITED, PENALTY, BASE, PING_PONG, CREDITED, ENOUGH = range(9)
QUEUED_MAX = 13
GRANULARITY_MAX = 500_000_000
_PAIR_TIME = (1 << 48) - 1
# PY-6.3: up to this queue, the most and the base in sixteenths of a granularity.
_BY_QUEUE = ((2, 96, 16), (3, 64, 15), (6, 40, 10), (8, 32, 8), (12, 24, 6), (13, 16, 4))


def transfer(vm, yielder, target, now, facts):
    """PY-6.1: (penalty_ns, credit_ns, reason, resched); `facts` by their names in the op."""
    penalty = credit = resched = 0
    if yielder >= vm.slot_count or target >= vm.slot_count or yielder == target:
        reason = NOBODY
    elif vm.cfg.transfer == OFF:
        reason = NONE
    else:
        penalty, credit, reason, resched = _give(vm, yielder, target, now, facts)
    vm.transfers[reason] = vm.transfers[reason] + 1 & U32
    return penalty, credit, reason, resched


def _give(vm, yielder, target, now, facts):
    back = _remember(vm, yielder, target, now)
    queued = min(facts.get("queued", 0), QUEUED_MAX)
    if queued < 2:
        return 0, 0, ALONE, 0
    g = min(facts.get("granularity", 0), GRANULARITY_MAX)
    most, base = next((g * m >> 4, g * b >> 4) for up_to, m, b in _BY_QUEUE if queued <= up_to)
    passed = _limit_passed(vm, vm.slots[yielder], now)

    # OFF was sorted out before; what is not PENALISE is CREDIT.
    if vm.cfg.transfer == PENALISE:
        if not passed:
            return 0, 0, LIMITED, 0
        gap = facts.get("gap", 0)
        if gap <= 0:
            return base, 0, BASE, 0
        gap = min(gap, most)
        if back:
            return min(max(gap, g), most), 0, PING_PONG, 0
        return min(g + gap + gap // 10, most), 0, PENALTY, 0

    lag_max = facts.get("lag_max", 0)
    margin = min(base, lag_max)
    lag = max(facts.get("lag", 0), -lag_max)
    if lag >= margin:
        return 0, 0, ENOUGH, int(passed)
    return 0, margin - lag, CREDITED, int(passed)


def _remember(vm, yielder, target, now):
    """PY-6.2: is it going back and forth?"""
    t = now >> 10 & _PAIR_TIME
    pair = vm.slots[target].pair
    back = pair is not None and pair[0] == yielder and (t - pair[1] & _PAIR_TIME) <= vm.debounce
    vm.slots[yielder].pair = (target, t)
    return back


def _limit_passed(vm, slot, now):
    """PY-6.4."""
    if slot.limit is None or now > slot.limit + vm.cfg.transfer_min_ns:
        slot.limit = now
        return True
    if now < slot.limit:
        slot.limit = now
    return False
