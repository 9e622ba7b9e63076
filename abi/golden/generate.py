#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-or-later
"""Writes the golden images of this directory, or with --check compares them.

Offsets come from the tables of ../spec/layout.md, bits from the specification as well: nothing here
reads the C headers, so that a test which replays an image compares two descriptions.
"""
import argparse
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROW = re.compile(r"^\| [0-9.]+ \| [a-zA-Z ]+ \| `(\w+)` \| (\d+) \| (\d+) \|", re.M)

MAGIC = int.from_bytes(b"PVSREGN0", "little")
GENERATION = 0x0A0B0C
F = {name: 1 << bit for bit, name in enumerate(
    "util wake window pending crit grant irq irq_ticket wait run_epoch util_bounds perf kick "
    "counters split_words".split())}
F_ALL = sum(F.values())
F_WHOLE = F_ALL & ~F["split_words"]
ONLINE = 1 | GENERATION << 8

# Results of binding, and reasons of a refusal: numbers of pvs/guest.h and of negotiation.md.
KICK, MAGIC_E, VERSION, LAYOUT, REFUSED = 1, -100, -101, -102, -103
NONE, MAJOR, MINOR, GENERATION_R, NOT_OFFERED, DEPENDENCY, COMMAND = range(7)


def tables():
    text = (HERE.parent / "spec/layout.md").read_text()
    header, slot = text.split("## Header")[1].split("## Slot")
    return [{name: (int(offset), int(size)) for name, offset, size in ROW.findall(part)}
            for part in (header, slot)]


HEADER, SLOT = tables()

OFFER = {"magic": MAGIC, "abi_minor": 1, "header_size": 4096, "slot_size": 256,
         "slot_stride": 256, "slot_count": 4, "generation": GENERATION,
         "features_offered": F_ALL, "window_min_us": 50, "grant_max_us": 3000,
         "hint_rate_hz": 10000, "kick_kind": 1, "kick_addr": 0x5057}
CHOICE = {"guest_minor": 1, "guest_generation": GENERATION, "features_accepted": F_WHOLE,
          "guest_command": 1}
ACTIVE = {**OFFER, **CHOICE, "status": 1}


def intent(util=None, klass=0, level=0, wake=None, idle=0, window=0, seq=0, tag=(0, 0)):
    word = klass << 11 | level << 15 | idle << 27 | window << 32 | seq << 52
    if util is not None:
        word |= util | 1 << 48
    if wake is not None:
        word |= wake[0] << 19 | wake[1] << 23 | 1 << 49
    return word | tag[0] << 28 | tag[1] << 60


class Images:
    def __init__(self):
        self.files = {}

    def add(self, name, clause, about, header, slot=None, expect=""):
        lines = [f"# {about}", f"clause {clause}"]
        for field, value in sorted(header.items(), key=lambda item: HEADER[item[0]]):
            offset, size = HEADER[field]
            if value:
                lines.append(f"header {offset:03x} {value:0{2 * size}x}  # {field}")
        for field, value in sorted((slot or {}).items(), key=lambda item: SLOT[item[0]]):
            offset, size = SLOT[field]
            if value:
                lines.append(f"slot1 {offset:03x} {value:0{2 * size}x}  # {field}")
        lines.append(f"expect {expect}")
        self.files[f"{name}.region"] = "\n".join(lines) + "\n"

    def bind(self, name, clause, about, result, accepted=0, wanted=F_WHOLE, **changes):
        self.add(name, clause, about, {**OFFER, **changes},
                 expect=f"bind {wanted:x} {result} {accepted:x}")

    def choice(self, name, clause, about, reason, **changes):
        self.add(name, clause, about, {**OFFER, **CHOICE, **changes},
                 expect=f"choice {reason}")

    def hint(self, name, clause, about, slot, malformed=0, online=1, features=F_WHOLE, **fields):
        expect = f"hint online {online} malformed {malformed}"
        expect += "".join(f" {key} {value}" for key, value in fields.items())
        self.add(name, clause, about, {**ACTIVE, "features_accepted": features},
                 {"life": ONLINE, **slot}, expect)


def regions(i):
    i.bind("good-offer", "PVS-G-02", "an offer, four slots at the smallest stride", KICK, F_WHOLE)
    i.bind("good-largest-stride", "PVS-H-06", "one slot on a page of its own", KICK, F_WHOLE,
           slot_stride=4096, slot_size=4096, slot_count=1)
    i.bind("good-newer-minor", "PVS-G-03", "a host with additions this guest does not know", KICK,
           F_WHOLE, abi_minor=9, features_offered=F_ALL | 1 << 63)
    i.bind("good-needs", "PVS-G-03", "wanted: three features and not what they need", KICK,
           F["grant"] | F["crit"] | F["irq_ticket"] | F["irq"] | F["util_bounds"] | F["util"],
           wanted=F["grant"] | F["irq_ticket"] | F["util_bounds"])
    i.bind("good-split", "PVS-G-11", "a guest that must split words, and a host that can", KICK,
           F_ALL, wanted=F_ALL)
    i.bind("bad-no-split", "PVS-G-11", "a guest that must split words, and a host that cannot",
           REFUSED, wanted=F_ALL, features_offered=F_WHOLE)
    i.bind("bad-need-missing", "PVS-G-03", "GRANT is offered and CRIT is not", KICK,
           F["grant"] & 0, features_offered=F["grant"])
    i.bind("bad-magic", "PVS-G-02", "one bit of the magic is wrong", MAGIC_E, magic=MAGIC ^ 1 << 40)
    i.bind("bad-empty", "PVS-G-02", "nothing is there", MAGIC_E, **{f: 0 for f in OFFER})
    i.bind("bad-major", "PVS-G-02", "another major version", VERSION, abi_major=1)
    for name, about, changes in (
            ("header-size", "a header of less than a page", {"header_size": 4095}),
            ("slot-size-small", "a slot that lacks its last byte", {"slot_size": 255}),
            ("slot-size-large", "a slot longer than the stride", {"slot_size": 257}),
            ("stride-0", "no stride", {"slot_stride": 0}),
            ("stride-255", "a stride smaller than a slot", {"slot_stride": 255}),
            ("stride-768", "a stride that is no power of two", {"slot_stride": 768}),
            ("stride-8192", "a stride of two pages", {"slot_stride": 8192}),
            ("count-0", "no slot", {"slot_count": 0}),
            ("count-lies", "one slot more than there is memory", {"slot_count": 17}),
            ("count-1025", "more slots than the ABI has", {"slot_count": 1025}),
            ("count-wraps", "count times stride is 2^32",
             {"slot_count": 1 << 20, "slot_stride": 4096}),
            ("generation", "a generation of 25 bits", {"generation": 1 << 24})):
        clause = "PVS-H-06" if "stride" in name or "count" in name else "PVS-G-02"
        i.bind(f"bad-{name}", clause, about, LAYOUT, **changes)


def choices(i):
    i.choice("good-choice", "PVS-H-03", "a choice without fault", NONE)
    i.choice("good-choice-nothing", "PVS-H-03", "a guest that wants nothing", NONE,
             features_accepted=0, guest_minor=0)
    i.choice("bad-choice-major", "PVS-H-03", "another major, and everything else wrong too", MAJOR,
             guest_major=1, guest_minor=9, guest_generation=1, features_accepted=1 << 63,
             guest_command=9)
    i.choice("bad-choice-minor", "PVS-H-03", "a minor above the host's, and more", MINOR,
             guest_minor=2, guest_generation=1, features_accepted=1 << 63, guest_command=9)
    i.choice("bad-choice-generation", "PVS-H-03", "an old generation, and more", GENERATION_R,
             guest_generation=GENERATION - 1, features_accepted=1 << 63, guest_command=9)
    i.choice("bad-choice-not-offered", "PVS-H-03", "a feature nobody offered, and more",
             NOT_OFFERED, features_accepted=1 << 63 | F["grant"], guest_command=9)
    for feature in ("grant", "irq_ticket", "util_bounds"):
        i.choice(f"bad-choice-{feature.replace('_', '-')}", "PVS-H-03",
                 f"{feature} without what it needs, and an unknown command", DEPENDENCY,
                 features_accepted=F[feature], guest_command=9)
    i.choice("bad-choice-command", "PVS-H-03", "an unknown command and nothing else", COMMAND,
             guest_command=3)


def slots(i):
    i.hint("good-silent", "PVS-H-07", "online, and nothing to say", {}, urgency=0, util_ceil=1024)
    i.hint("good-offline", "PVS-H-07", "a slot that is not online", {"life": 0, "crit": 15},
           online=0, crit=0)
    i.hint("bad-stale", "PVS-H-07", "a slot of the generation before",
           {"life": ONLINE - (1 << 8), "crit": 15, "intent": intent(klass=5)}, online=0, crit=0,
           urgency=0)
    i.hint("bad-life", "PVS-H-08", "an undefined bit in life", {"life": ONLINE | 2}, 0x20, 0)
    i.hint("good-urgency", "PVS-G-04", "the most urgent statement",
           {"intent": intent(klass=5, level=15, seq=255)}, urgency=5, level=15, seq=255)
    i.hint("bad-urgency", "PVS-H-08", "a class after the last", {"intent": intent(klass=6)}, 1,
           urgency=0)
    i.hint("good-util", "PVS-G-05", "all of the best CPU", {"intent": intent(util=1024)},
           util=1024)
    i.hint("bad-util", "PVS-H-08", "more than all", {"intent": intent(util=1025)}, 1, util=0)
    i.hint("good-wake", "PVS-G-12", "idle, and woken for a deadline",
           {"intent": intent(idle=1, wake=(5, 3))}, wake_urgency=5, wake_level=3)
    i.hint("bad-wake", "PVS-H-34", "a wake urgency that was not accepted",
           {"intent": intent(wake=(5, 3))}, 1, features=F_WHOLE & ~F["wake"], wake_urgency=0)
    i.hint("good-window", "PVS-G-13", "the longest window", {"intent": intent(window=65535)},
           window_us=65535)
    i.hint("bad-reserved", "PVS-H-08", "a bit that means nothing yet", {"intent": 1 << 50}, 1)
    i.hint("good-crit", "PVS-G-06", "all critical bits", {"crit": 15}, crit=15)
    i.hint("bad-crit", "PVS-H-08", "one bit more; the other words stand",
           {"crit": 16, "pending": 0x43}, 2, crit=0, pending=0x43)
    i.hint("good-irq", "PVS-G-07", "nested interrupts, and an acknowledgement",
           {"irq": 7 | 0xBEEF << 8}, irq=7, irq_ack=0xBEEF)
    i.hint("bad-irq", "PVS-H-08", "a fourth context", {"irq": 8}, 4, irq=0)
    i.hint("good-wait-lock", "PVS-G-09", "for the holder of a lock on slot 3",
           {"wait": 1 | 3 << 4 | 0x1234 << 32}, wait_kind=1, wait_target=3, wait_epoch=0x1234)
    i.hint("good-wait-many", "PVS-G-09", "for four receivers",
           {"wait": 3 | 0xF << 32}, wait_kind=3, wait_target=0, wait_mask=15)
    i.hint("bad-wait-target", "PVS-H-08", "a slot that does not exist", {"wait": 1 | 4 << 4}, 8,
           wait_kind=0)
    i.hint("bad-wait-kind", "PVS-H-08", "a kind after the last", {"wait": 5}, 8, wait_kind=0)
    i.hint("bad-wait-any", "PVS-H-08", "somebody it cannot name, named", {"wait": 4 | 1 << 32}, 8,
           wait_kind=0)
    i.hint("good-bounds", "PVS-G-15", "floor and ceiling", {"util_bounds": 100 | 900 << 11},
           util_floor=100, util_ceil=900)
    i.hint("bad-bounds", "PVS-H-08", "a floor above the ceiling", {"util_bounds": 2 | 1 << 11}, 16,
           util_floor=0, util_ceil=1024)
    i.hint("good-pending", "PVS-G-16", "queued by another vCPU", {"pending": 0x5F}, pending=0x5F)
    i.hint("bad-pending", "PVS-H-08", "a class after the last", {"pending": 0x60}, 64, pending=0)
    i.hint("good-split-equal", "PVS-H-20", "both halves have arrived",
           {"intent": intent(klass=5, tag=(9, 9))}, features=F_ALL, urgency=5)
    i.hint("bad-split-torn", "PVS-H-20", "one half has arrived: nothing new was said",
           {"intent": intent(klass=5, tag=(9, 8))}, features=F_ALL, urgency=0)
    i.hint("bad-tags", "PVS-H-20", "tags of a guest that does not split",
           {"intent": intent(tag=(9, 9))}, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    images = Images()
    regions(images)
    choices(images)
    slots(images)

    present = {path.name for path in HERE.glob("*.region")}
    if args.check:
        wrong = sorted(present ^ set(images.files))
        wrong += [name for name in sorted(present & set(images.files))
                  if (HERE / name).read_text() != images.files[name]]
        for name in wrong:
            print(f"golden: {name} is not what generate.py writes", file=sys.stderr)
        return 1 if wrong else 0
    for name in present - set(images.files):
        (HERE / name).unlink()
    for name, text in images.files.items():
        (HERE / name).write_text(text)
    print(f"golden: {len(images.files)} images")
    return 0


if __name__ == "__main__":
    sys.exit(main())
