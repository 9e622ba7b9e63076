# SPDX-License-Identifier: BSD-2-Clause
"""vectors.md section 9: lines that are drawn."""

from .language import EVENT, CannotRun, result_line
from .numbers import FNV_BASIS, U64, fnv1a

WHOLE, SPLIT, YIELD, PERF, QUEUE, GUEST = range(6)
MIXED, STORM, LIAR, SLEEPY = range(4)
_WEIGHTS = (10, 12, 3, 4, 12, 3, 8, 10, 4, 3, 4, 4, 3, 8, 6, 3, 8, 20, 1, 1, 1)
_EVENT_OF = tuple(event for event, weight in enumerate(_WEIGHTS) for _ in range(weight))
_DT = (0, 1, 1000, 10000, 20000, 50000, 100000, 100000, 250000, 250000, 500000, 1000000, 1000000,
       2000000, 5000000, 300000000)
_URGENCY_OF = (0, 1, 2, 3, 4, 4, 5, 5)


class Random:
    """V-9.2: splitmix64."""

    __slots__ = ("state",)

    def __init__(self, seed):
        self.state = seed

    def next(self):
        """64 bits."""
        self.state = z = self.state + 0x9E3779B97F4A7C15 & U64
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & U64
        z = (z ^ z >> 27) * 0x94D049BB133111EB & U64
        return z ^ z >> 31

    def draw(self, n):
        """0 to n - 1."""
        self.state = z = self.state + 0x9E3779B97F4A7C15 & U64
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & U64
        z = (z ^ z >> 27) * 0x94D049BB133111EB & U64
        return ((z ^ z >> 31) >> 32) * n >> 32

    def any(self, n):
        """V-9.5: a number of at most n bits, small ones as likely as large ones."""
        down = self.draw(n)
        return self.next() >> 64 - n >> down


def event_name(number):
    """V-9.4, EVENT(n)."""
    return EVENT.names.get(number, str(number))


class Steps:
    """V-9.4: profiles `whole` and `split`."""

    def __init__(self, seed, vcpus, profile):
        self.random = Random(seed)
        self.vcpus = vcpus
        self.split = profile == SPLIT
        self.mode = MIXED
        self.agree = 0
        self.v = 0
        self.seq = [0] * vcpus
        self.ticket = [0] * vcpus
        self.run = [0] * vcpus

    def lines(self, run):
        """Draws one step; each line goes through `run` before the next is drawn."""
        line = self.before()
        if line:
            run(line)
        result = run(self.step())
        fields = dict(word.split("=") for word in result.split())
        self.ticket[self.v] = int(fields["ticket"]) & 0xFFFF
        self.run[self.v] = int(fields["run"]) & 0xFFFF
        line = self.after()
        if line:
            run(line)

    def before(self):
        """The line before the step, or nothing."""
        draw = self.random.draw
        line = ""
        x = draw(64)
        if self.agree:
            line = "choice"
            self.agree = 0
        elif x < 8:
            v = draw(self.vcpus)
            line = f"post {v} {event_name(draw(22))}"
        elif x == 8 and draw(8) == 0:
            line = "choice command=reset"
            self.agree = 1
        if draw(128) == 0:
            self.mode = draw(4)
        return line

    def step(self):
        """The step."""
        draw = self.random.draw
        self.v = 0 if self.mode == STORM else draw(self.vcpus)
        if self.mode == STORM and draw(4) != 0:
            event = 7
        elif self.mode == LIAR and draw(2) == 0:
            event = 16
        else:
            event = _EVENT_OF[draw(128)]
        line = [f"step {self.v} {event_name(event)}"]
        if draw(4) == 0:
            line.append(f"arg={draw(256)}")
        time(draw, self.mode, line)
        self._facts(draw, line)
        self._life(draw, line)
        self._intent(draw, line)
        self._crit(draw, line)
        self._irq(draw, line)
        self._wait(draw, line)
        self._bounds(draw, line)
        self._pending(draw, line)
        return " ".join(line)

    def _facts(self, draw, line):
        if draw(16) == 0:
            line.append("contended=1")
        if draw(64) == 0:
            line.append("dedicated=1")
        if draw(8) == 0:
            line.append(f"capacity={draw(1100)} current={draw(1100)} contention={draw(1100)}")
        if draw(256) == 0:
            line.append(f"caps={draw(2048):#x}")
        if draw(256) == 0:
            line.append(f"entitlement={(0, 65536, 32768, 6554)[draw(4)]}")
        if draw(256) == 0:
            line.append(f"granularity={(0, 1000, 50000, 1000000)[draw(4)]}")

    def _life(self, draw, line):
        x = draw(64)
        if x == 0:
            line.append("online=0")
        elif x <= 8:
            line.append("online=1")
        elif x == 9 and draw(4) == 0:
            line.append(f"life={self.random.next() >> 32:#x}")

    def _intent(self, draw, line):
        x = draw(64)
        if self.mode >= LIAR:
            if x < 24:
                self._single(draw, line)
        elif x == 0 and draw(4) == 0:
            line.append(f"intent={self.random.next():#x}")
        elif x < 24:
            self._statement(draw, line)

    def _statement(self, draw, line):
        urgency = _URGENCY_OF[draw(8)]
        line.append(f"urgency={urgency} level={draw(16)}")
        if draw(8) == 0:
            line.append("idle=1")
        if draw(2) == 0:
            line.append(f"util={draw(1025)} util_valid=1")
        if draw(2) == 0:
            wake = draw(6)
            line.append(f"wake={wake} wake_level={draw(16)} wake_valid=1")
        x = draw(8)
        if x >= 5:
            line.append(f"window={(200, 2000, 65535)[x - 5]}")
        if draw(8) != 0:
            self.seq[self.v] = (self.seq[self.v] + 1) % 256
        self._put_seq(line)
        if self.split and draw(16) == 0:
            line.append("intent=0x10000000")

    def _single(self, draw, line):
        sleeps = int(self.mode == SLEEPY and draw(2) == 0)
        line.append(f"urgency={0 if sleeps else 5} idle={sleeps} wake=5 wake_valid=1")
        self.seq[self.v] = (self.seq[self.v] + 1) % 256
        self._put_seq(line)

    def _put_seq(self, line):
        seq = self.seq[self.v]
        line.append(f"seq={seq}")
        if self.split:
            line.append(f"tag={seq % 16}")

    def _crit(self, draw, line):
        x = draw(32)
        if x == 0 and draw(4) == 0:
            line.append(f"crit={draw(256):#x}")
        elif x < 6:
            line.append(f"crit={draw(16):#x}")
        elif x < 14:
            line.append("crit=0")

    def _irq(self, draw, line):
        x = draw(32)
        if x == 0 and draw(4) == 0:
            line.append(f"irq={draw(256):#x}")
        elif x < 6:
            bits = draw(8)
            ack = draw(65536) if draw(4) == 0 else self.ticket[self.v]
            line.append(f"irq={bits:#x} ack={ack}")
        elif x < 16:
            line.append(f"irq=0 ack={self.ticket[self.v]}")

    def _wait(self, draw, line):
        x = draw(32)
        if x == 0 and draw(4) == 0:
            line.append(f"wait={self.random.next():#x}")
            return
        if x >= 10:
            return
        kind = draw(5) if x < 6 else 0
        line.append(f"kind={kind}")
        if kind in (1, 2):
            target = draw(self.vcpus)
            epoch = draw(65536) if draw(4) == 0 else self.run[target]
            line.append(f"target={target} epoch={epoch}")
        elif kind == 3:
            target = draw(self.vcpus)
            line.append(f"target={target} mask={draw(65536):#x}")
        if self.split:
            line.append(f"wait_tag={draw(16)}")

    @staticmethod
    def _bounds(draw, line):
        x = draw(64)
        if x == 0 and draw(4) == 0:
            line.append(f"bounds={draw(8388608):#x}")
        elif x < 4:
            floor = draw(1025)
            line.append(f"floor={floor} ceil={floor + draw(1025 - floor)}")
        elif x < 8:
            line.append("bounds=0")

    @staticmethod
    def _pending(draw, line):
        x = draw(32)
        if x == 0 and draw(4) == 0:
            line.append(f"pending={draw(256):#x}")
        elif x < 4:
            pend = draw(6)
            line.append(f"pend={pend} pend_level={draw(16)}")
        elif x < 14:
            line.append("pending=0")

    def after(self):
        """The line after the step, or nothing."""
        draw = self.random.draw
        x = draw(64)
        if x < 3:
            return f"save {self.v} {draw(4)}"
        if x == 3 and draw(4) == 0:
            return f"restore {self.v} {draw(4)}"
        if x < 8:
            return f"preempts {self.v} {draw(self.vcpus)}"
        if x == 8:
            return f"{'tally' if draw(2) else 'counters'} {self.v}"
        if x == 9:
            return f"validate {self.v}"
        return ""


def time(draw, mode, line):
    """V-9.4, `time`."""
    x = draw(6 if mode == STORM else 16)
    dt = _DT[x] + draw(1000)
    line.append("dt=-1ms" if draw(128) == 0 else f"dt={dt}")
    x = draw(8)
    if mode == LIAR or x > 3:
        ran = dt
    elif x == 3:
        ran = 2 * dt
    else:
        ran = dt // 2 if x else 0
    line.append(f"ran={ran}")
    if draw(4) == 0:
        line.append(f"waited={dt - ran if dt > ran else 0}")
    if draw(64) == 0:
        line.append("nested=1")


def put_dt(draw, line):
    """V-9.5, `dt`."""
    base = (0, 0, 0, 1000, 10000, 100000, 700000, 20000000)[draw(8)]
    line.append(f"dt={base + draw(1000)}")


class Yields:
    """V-9.6: profile `yield`."""

    def __init__(self, seed, vcpus, profile):
        self.random = Random(seed)
        self.vcpus = vcpus

    def lines(self, run):
        """One line."""
        run(" ".join(self._line()))

    def _slot(self):
        draw = self.random.draw
        return draw(self.vcpus) if draw(2) == 0 else draw(min(self.vcpus, 8))

    def _line(self):
        draw = self.random.draw
        a = self._slot()
        x = draw(32)
        if x == 31:
            return ["yield_counts"]
        if x < 10:
            line = [f"yield_waits {a} flags={draw(32):#x}"]
        elif x < 14:
            line = [f"yield_runs {a}"]
        elif x == 14:
            line = [f"yield_blocks {a}"]
        elif x == 15:
            line = [f"yield_removed {a}" if draw(8) == 0 else f"yield_runs {a}"]
        elif x < 18:
            line = [f"yield_interrupt {a}"]
        elif x < 21:
            b = self._slot()
            line = [f"yield_ipi {a} {b} vector={draw(4)}"]
        elif x == 21:
            line = [f"yield_eoi {a} vector={draw(4)}"]
        elif x < 29:
            line = self._choose(draw, a)
        else:
            line = self._transfer(draw, a)
        put_dt(draw, line)
        return line

    def _choose(self, draw, a):
        kind = draw(5)
        line = [f"yield_choose {a} kind={kind}"]
        if kind in (1, 2):
            target = self._slot()
            epoch = draw(4)
            line.append(f"target={target} epoch={epoch} run_epoch={draw(4)}")
        elif kind == 3:
            line.append(f"target={self._slot()} mask={self.random.next() >> 32:#x}")
        return line

    def _transfer(self, draw, a):
        line = [f"yield_transfer {a} {self._slot()}"]
        for name in ("gap", "lag"):
            negative = draw(2)
            size = (0, 1000, 100000, 1000000, 6000000, 50000000)[draw(6)] + draw(1000)
            line.append(f"{name}={'-' if negative else ''}{size}")
        lag_max = (0, 1000000, 3000000, 10000000)[draw(4)]
        granularity = (0, 700000, 2800000, 600000000)[draw(4)]
        line.append(f"lag_max={lag_max} granularity={granularity} queued={draw(4)}")
        return line


class Domains:
    """V-9.7: profile `perf`."""

    def __init__(self, seed, vcpus, profile):
        self.random = Random(seed)
        self.place = [0] * 16

    def lines(self, run):
        """One line."""
        run(" ".join(self._line()))

    def _line(self):
        draw = self.random.draw
        place = self.place
        m = draw(16)
        x = draw(16)
        line = []
        if x < 7 or x < 10 and place[m] == 0:
            d = place[m] - 1 if place[m] else draw(4)
            line.append(f"perf_put {d} {m} util={draw(1100)}")
            if draw(4) == 0:
                line.append(f"floor={draw(1100)}")
            if draw(4) == 0:
                line.append(f"ceiling={draw(1100)}")
            line.append(f"flags={draw(2)}")
            place[m] = d + 1
        elif x == 7:
            line.append(f"perf_remove {place[m] - 1} {m}")
            place[m] = 0
        elif x < 10:
            to = draw(4)
            line.append(f"perf_move {place[m] - 1} {m} to={to}")
            place[m] = to + 1
        elif x < 14:
            line.append(f"perf_update {draw(4)}")
            put_dt(draw, line)
        elif x == 14:
            line.append(self._question(draw))
        else:
            line.append(f"perf_fit {draw(1100)}")
            cpus = []
            for _ in range(1 + draw(8)):
                capacity = (0, 446, 871, 1024)[draw(4)]
                cpus.append(f"{capacity}:{draw(1100)}")
            line.append("cpus=" + ",".join(cpus))
        return line

    def _question(self, draw):
        d = draw(4)
        y = draw(5)
        if y == 0:
            return f"perf_wish {d}"
        if y == 1:
            return f"perf_level {d} capacity={draw(1100)}"
        if y == 2:
            return f"perf_capacity {d} value={draw(4000000)}"
        if y == 3:
            return f"perf_contention run={self.random.any(64)} wait={self.random.any(64)}"
        return (f"perf_word capacity={draw(1100)} current={draw(1100)} contention={draw(1100)}"
                f" generation={draw(70000)}")


class Queues:
    """V-9.8: profile `queue`."""

    def __init__(self, seed, vcpus, profile):
        self.random = Random(seed)
        self.vcpus = vcpus
        self.place = [0] * vcpus

    def lines(self, run):
        """One line."""
        draw = self.random.draw
        e = draw(self.vcpus)
        q = self.place[e] % 2
        x = draw(16)
        line = self._inside(draw, e, q, x) if self.place[e] >= 2 else self._outside(draw, e, q, x)
        result = run(" ".join(line))
        op = line[0].split()[0]
        rc = result.partition(" ")[0]
        if op == "enqueue":
            self.place[e] = q + 2 if rc == "rc=go" else q
        elif op == "dequeue" or op == "pick" and rc == "rc=park":
            self.place[e] = q

    @staticmethod
    def _ask(draw, line):
        klass = (2, 2, 2, 1, 3, 3, 4, 3)[draw(8)]
        rank = draw(8)
        line.append(f"class={klass} rank={rank} weight={(0, 1024, 512, 15)[draw(4)]}")

    def _outside(self, draw, e, q, x):
        line = []
        if x < 10:
            line.append(f"enqueue {e} {q}")
            self._ask(draw, line)
        elif x < 12:
            to = draw(2)
            line.append(f"queue_migrate {e} {q} to={to}")
            self.place[e] = to
        elif x == 12:
            line.append(f"entity_weight {e} {q} weight={self.random.any(17)}")
        elif x == 13:
            line.append(f"entity_cap {e} {q} cap={self.random.any(17)}")
        elif x == 14:
            line.append(f"pick {e} {q}")
        else:
            line.append(f"queue_share {e} {q}")
        return line

    def _inside(self, draw, e, q, x):
        line = []
        if x < 5:
            line.append(f"pick {e} {q}")
            self._ask(draw, line)
        elif x < 10:
            ran = (0, 1000, 50000, 300000, 1000000, 3000000, 10000000, 100000000)[draw(8)]
            ran += draw(1000)
            line.append(f"charge {e} {q} ran={ran} dt={ran}")
        elif x < 12:
            line.append(f"enqueue {e} {q}")
            self._ask(draw, line)
        elif x == 12:
            line.append(f"dequeue {e} {q}")
        elif x == 13:
            line.append(f"queue_limit {e} {q}")
        else:
            name = "queue_preempts" if x == 14 else "queue_before"
            line.append(f"{name} {e} {draw(self.vcpus)}")
        return line


class Guests:
    """V-9.9: profile `guest`."""

    _SIMPLE = ("irq_ack", "irq_ack", "retract", "pend_clear", "pend_clear", "applied", "epoch",
               "counters", "offline", "online", "online", "online")

    def __init__(self, seed, vcpus, profile):
        self.random = Random(seed)
        self.vcpus = vcpus

    def lines(self, run):
        """One line."""
        draw = self.random.draw
        v = draw(self.vcpus)
        x = draw(16)
        if x < 4:
            line = self._publish(draw, v)
        elif x == 4:
            bits = draw(16)
            line = f"guest_crit {v} set={bits} clear={draw(16)}"
        elif x == 5:
            line = f"guest_irq_enter {v} bit={draw(8)}"
        elif x == 6:
            line = f"guest_irq_leave {v}"
        elif x == 7:
            kind = draw(6)
            target = draw(self.vcpus + 2)
            line = f"guest_wait {v} kind={kind} target={target} mask={self.random.any(32):#x}"
        elif x == 8:
            v = draw(self.vcpus)
            urgency = draw(8)
            line = f"guest_pend {v} urgency={urgency} level={draw(20)}"
        elif x < 11:
            line = self._other(draw, v)
        else:
            words = [f"step {v} {event_name(_EVENT_OF[draw(128)])}"]
            time(draw, MIXED, words)
            line = " ".join(words)
        run(line)

    @staticmethod
    def _publish(draw, v):
        line = [f"guest_publish {v}"]
        for name, n in (("urgency", 8), ("level", 20), ("util", 1100), ("util_valid", 3),
                        ("wake", 8), ("wake_level", 20), ("wake_valid", 2)):
            line.append(f"{name}={draw(n)}")
        line.append(f"idle={1 if draw(8) == 0 else 0}")
        line.append(f"window={draw(65536) if draw(4) == 0 else 0}")
        return " ".join(line)

    def _other(self, draw, v):
        y = draw(16)
        if y < 12:
            return f"guest_{self._SIMPLE[y]} {v}"
        if y == 12:
            return "guest_ready"
        floor = draw(1100)
        return f"guest_bounds {v} floor={floor} ceil={draw(1100)}"


_SOURCES = {GUEST: Guests, WHOLE: Steps, SPLIT: Steps, YIELD: Yields, PERF: Domains, QUEUE: Queues}


def source(profile, seed, vcpus):
    """What draws the lines of a profile."""
    limit = 1024 if profile == YIELD else 16
    if profile not in _SOURCES or not 1 <= vcpus <= limit:
        raise CannotRun(profile)
    return _SOURCES[profile](seed, vcpus, profile)


def generate(world, given):
    """V-9.1."""
    steps = given.get("steps", 0)
    lines = source(given.get("profile", WHOLE), given.get("seed", 0), given.get("vcpus", 1)).lines
    digest = FNV_BASIS

    def run(line):
        nonlocal digest
        result = world.run(line)
        world.drawn(result)
        digest = fnv1a(digest, result.encode() + b"\n")
        return result

    for _ in range(steps):
        lines(run)
    return result_line("generate", (steps, digest))
