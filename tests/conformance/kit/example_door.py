#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The smallest door: a host that can negotiate and nothing else (docs/conformance.md).

Reads op lines, answers each with one result line, at once. What it does not know it says so.
"""
import sys

FEATURES = ("util wake window pending crit grant irq irq_ticket wait run_epoch util_bounds perf "
            "kick counters split_words").split()
CAPS = ("sees_wake sees_preempt sees_inject owns_queue can_defer can_kick sees_wait sets_perf "
        "tells_perf can_yield irq_window").split()
NEEDS = {"grant": "crit", "irq_ticket": "irq", "util_bounds": "util"}
# What a host can do, and what it may offer for that (negotiation.md, PVS-H-02).
OFFERS = (("", "wake window pending counters split_words"), ("sets_perf", "util util_bounds"),
          ("tells_perf", "perf"), ("can_yield", "wait"), ("sees_preempt", "crit irq run_epoch"),
          ("sees_preempt can_defer", "grant"), ("sees_preempt sees_inject", "irq_ticket"),
          ("can_kick", "kick"))
COMMANDS = {"none": 0, "accept": 1, "reset": 2}


def flags(text, names, **groups):
    """A value of flags: names or numbers with `|` between them."""
    value = 0
    for word in text.split("|"):
        if word in names:
            value |= 1 << names.index(word)
        elif word != "none":
            value |= groups[word] if word in groups else int(word, 0)
    return value


def feature_bits(text):
    return flags(text, FEATURES, all=0x7fff, whole=0x3fff)


def feature_names(value):
    """The same as text."""
    names = [name for bit, name in enumerate(FEATURES) if value >> bit & 1]
    rest = value >> len(FEATURES) << len(FEATURES)
    return "|".join(names + [hex(rest)] * bool(rest)) or "none"


class Host:
    """One VM: what is offered, and what was agreed."""

    def __init__(self, fields):
        caps = flags(fields.get("caps", "none"), CAPS, all=0x7ff)
        self.generation = int(fields.get("generation", "1"), 0)
        self.offered = sum(feature_bits("|".join(offer.split())) for need, offer in OFFERS
                           if all(caps >> CAPS.index(cap) & 1 for cap in need.split()))
        if "offered" in fields:
            self.offered = feature_bits(fields["offered"])
        self.status, self.reason, self.features = "offered", "none", 0

    def judge(self, fields):
        """The first reason that holds (PVS-H-03)."""
        number = {name: int(text, 0) for name, text in fields.items()
                  if name in ("major", "minor", "generation")}
        features = feature_bits(fields["features"]) if "features" in fields else self.offered
        if number.get("major", 0) != 0:
            return "major", features
        if number.get("minor", 1) > 1:
            return "minor", features
        if number.get("generation", self.generation) != self.generation:
            return "generation", features
        if features & ~self.offered:
            return "not_offered", features
        for feature, need in NEEDS.items():
            if features & feature_bits(feature) and not features & feature_bits(need):
                return "dependency", features
        command = fields.get("command", "accept")
        command = COMMANDS[command] if command in COMMANDS else int(command, 0)
        return ("none" if command == 1 else "command"), features

    def choose(self, fields):
        """Takes a choice of the guest."""
        if fields.get("command") in ("none", "reset"):
            self.status, self.reason, self.features = "offered", "none", 0
            return
        self.reason, features = self.judge(fields)
        self.status = "active" if self.reason == "none" else "refused"
        self.features = features if self.status == "active" else 0

    def state(self):
        return self.status, self.reason, self.features


def answer(host, line):
    """(host, result line)"""
    op, *words = line.split()
    fields = dict(word.split("=", 1) for word in words if "=" in word)
    if op == "vm":
        host, changed = Host(fields), 0
        if "accept" in fields:
            host.choose({"features": feature_names(feature_bits(fields["accept"]) & host.offered)})
            changed = 1
    elif op == "choice" and host and "header" not in fields:
        before = host.state()
        host.choose(fields)
        changed = int(host.state() != before)
    else:
        return host, "unsupported"
    return host, (f"changed={changed} status={host.status} reason={host.reason} "
                  f"offered={feature_names(host.offered)} features={feature_names(host.features)}")


def main():
    host = None
    for line in sys.stdin:
        line = line.partition("#")[0].strip()
        if line.startswith("vector "):
            host = None
        elif line:
            host, text = answer(host, line)
            print(text, flush=True)


main()
