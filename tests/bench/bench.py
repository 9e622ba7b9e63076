#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the library costs: instructions, bytes of code, stack and state, and nanoseconds.

usage: bench.py [--page] BUILD_DIR REPORT_DIR

Instructions are counted by valgrind's callgrind: the same on a busy machine. It writes one file for
each return from a function; the sum in each is the cost of one call with everything beneath it.
Leaves REPORT_DIR/bench.json and REPORT_DIR/performance.md; --page renews docs/performance.md too.
"""
import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True
import page  # noqa: E402
import sizes  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "abi/vectors/generated.vec"
CHANGES = 100  # of what a guest runs
PERIODS = 100  # of an audio guest
NS_CALLS = 200000
TOTAL = re.compile(rb"^totals: (\d+)$", re.MULTILINE)
LOOKS = ("POLL", "ENQUEUE", "SPIN", "KICK", "TICK", "IPI")  # events that say only: look again


def callgrind(function, program, *arguments):
    """Instructions of each call of `function` in order, and what the program said."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "out"
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
             f"--toggle-collect={function}", f"--dump-after={function}", "--dump-line=no",
             program, *map(str, arguments)],
            capture_output=True, text=True, check=False)
        if run.returncode:
            sys.exit(f"bench: {program.name}: {run.stderr or run.stdout}")
        parts = sorted(Path(directory).glob("out*"), key=lambda path: int(path.suffix[1:] or 0))
        counts = [int(TOTAL.search(path.read_bytes()).group(1)) for path in parts]
    # What follows the last call is a part as well, and empty.
    return [count for count in counts if count], run.stdout


def by_file(function, program, *arguments):
    """Instructions of all calls of `function` together, by the file they were written in."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "out"
        subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
                        f"--toggle-collect={function}", program, *map(str, arguments)],
                       check=True, capture_output=True)
        lines = out.read_text().splitlines()
    names, counts, name, inclusive = {}, {}, "", False
    for line in lines:
        place = re.match(r"(c?)f[lie]=\((\d+)\)(?: (.*))?", line)
        if place:  # a number has its name where it is first seen, here or of a function called
            callee, number, path = place.groups()
            known = names.setdefault(number, Path(path or "").name)
            name = name if callee else known
        elif line.startswith("calls="):
            inclusive = True  # the next line says what the function called has cost
        elif re.match(r"[+*\d-]", line):
            if not inclusive:
                counts[name] = counts.get(name, 0) + int(line.split()[-1])
            inclusive = False
    return {name: count for name, count in counts.items() if count}


def quantile(counts, part):
    """The smallest count that this part of all does not exceed; `counts` sorted."""
    return counts[min(len(counts) - 1, int(len(counts) * part))]


def summary(counts):
    counts = sorted(counts)
    return {"calls": len(counts), "mean": round(sum(counts) / len(counts), 1),
            "p50": quantile(counts, 0.5), "p90": quantile(counts, 0.9),
            "p99": quantile(counts, 0.99), "max": counts[-1]}


# ---- the guest --------------------------------------------------------------------------------

def publish(build):
    """The most that one change costs the guest, by what the host has asked for."""
    figures = {}
    for asked in ("quiet", "deaf", "bell"):
        for function, name in (("store_prepared", "publish"),
                               ("pvs_guest_publish", "publish_full")):
            counts, _ = callgrind(function, build / "bench_publish", asked, CHANGES)
            if len(counts) < 2 * CHANGES:
                sys.exit(f"bench: {function} was seen {len(counts)} times only")
            suffix = "" if asked == "quiet" else f"_{asked}"
            figures[f"{name}{suffix}_instr"] = max(counts)
    return figures


# ---- decisions ----------------------------------------------------------------------------------

def numbers(header, prefix):
    """Number of each name with this prefix, from the header itself."""
    return {name: int(value) for name, value
            in re.findall(rf"\b{prefix}(\w+)\s*=?\s*(\d+)", (ROOT / header).read_text())}


def path_of(before, after, throttled, boosted):
    """What a decision did to the class; `boosted` is the lowest class that is a boost."""
    was, is_ = before >= boosted, after >= boosted
    if is_:
        return "the boost goes on" if was else "a boost begins"
    if was:
        return "a boost ends"
    return "a boost is denied" if throttled else "no boost was asked for"


def decisions(build):
    """Each decision of the generated vectors: how many instructions, and on which path."""
    counts, said = callgrind("pvs_decide", build / "bench_decide", VECTORS)
    rows = [tuple(map(int, line.split())) for line in said.splitlines()]
    if len(rows) != len(counts):
        sys.exit(f"bench: {len(counts)} decisions were counted, {len(rows)} were made")
    files = by_file("pvs_decide", build / "bench_decide", VECTORS)
    if sum(files.values()) != sum(counts):
        sys.exit(f"bench: {sum(counts)} instructions one by one, {sum(files.values())} together")

    events = {number: name for name, number
              in numbers("libpvsched/include/pvs/state.h", "PVS_EV_").items() if name != "COUNT"}
    boosted = numbers("abi/include/pvs/abi.h", "PVS_CLASS_")["TASK"]
    by_path, by_event, quiet = {}, {}, []
    for count, (event, before, after, _, throttle, news) in zip(counts, rows):
        told = events[event] not in LOOKS
        path = path_of(before, after, throttle, boosted)
        by_path.setdefault((path, bool(news), told), []).append(count)
        by_event.setdefault(events[event], []).append(count)
        if not news and not told:
            quiet.append(count)
    over = summary(counts)
    figures = {f"decide_instr_{name}": over[name] for name in ("mean", "p50", "p90", "p99", "max")}
    figures["decide_calls"] = over["calls"]
    figures["decide_quiet_instr_p50"] = summary(quiet)["p50"]
    figures["decide_quiet_instr_p99"] = summary(quiet)["p99"]
    paths = [{"path": path, "news": news, "event": told, **summary(group)}
             for (path, news, told), group in sorted(by_path.items())]
    by_event = [{"event": event, **summary(group)} for event, group in sorted(by_event.items())]
    by_stage = [{"file": name, "mean": round(count / over["calls"], 1)}
                for name, count in sorted(files.items(), key=lambda item: -item[1])]
    return figures, {"paths": paths, "events": by_event, "files": by_stage}


def steps(build):
    counts, _ = callgrind("pvs_step", build / "bench_trace", PERIODS)
    over = summary(counts)
    return {"step_instr": over["mean"], "step_instr_p99": over["p99"]}


# ---- the rest -----------------------------------------------------------------------------------

def yields(build):
    """What yield_bench.py finds; it has its own way to count."""
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory) / "yield.json"
        subprocess.run([sys.executable, Path(__file__).parent / "yield_bench.py",
                        build.parent.parent, result], check=True, stdout=subprocess.DEVNULL)
        return json.loads(result.read_text())["figures"]


def space():
    """Code, stack and state."""
    with tempfile.TemporaryDirectory() as directory:
        code = sizes.code(Path(directory))
        stacks = sizes.stacks(Path(directory))
        states = sizes.states(Path(directory))
    here = {row["compiler"]: row for row in code if row["for"] == "x86-64"}
    figures = {
        "core_text_bytes": here["gcc -Os"]["text"],
        "core_text_bytes_O2": here["gcc -O2"]["text"],
        "core_data_bytes": max(row["data"] for row in code),
        "core_stack_bytes": max(row["chain"] for how in stacks for row in how["functions"]),
        "vcpu_state_bytes": states["pvs_vcpu"],
    }
    return figures, {"code": code, "stacks": stacks, "states": states}


def clock(build):
    run = subprocess.run([build / "bench_ns", str(NS_CALLS)], check=True, capture_output=True,
                         text=True)
    return {name: float(value) for name, value in map(str.split, run.stdout.splitlines())}


def measure(build):
    """All figures and tables. The clock runs last, when nothing else of this does."""
    with ThreadPoolExecutor(2) as pool:
        parts = [pool.submit(part, build) for part in (decisions, yields, publish, steps)]
        (figures, tables), yielded, published, stepped = [part.result() for part in parts]
    sized, more = space()
    return ({**published, **figures, **stepped, **yielded, **sized}, {**tables, **more},
            clock(build))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--page", action="store_true", help="renew docs/performance.md")
    parser.add_argument("build", type=Path)
    parser.add_argument("report", type=Path)
    args = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("bench: valgrind is missing")
    figures, tables, clocked = measure(args.build.resolve() / "tests/bench")
    result = {"format": page.FORMAT, "figures": {**figures, **clocked},
              "budgets": page.budgets(figures), "tables": tables}
    (args.report / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    (args.report / "performance.md").write_text(page.text_of(result))
    if args.page:
        page.PAGE.write_text(page.text_of(result))
    for name, value in result["figures"].items():
        print(f"{name} = {value}")
    for budget in result["budgets"]:
        if not budget["met"]:
            print(f"MISSED: {budget['figure']} = {budget['value']}, the budget is "
                  f"{budget['budget']}")
    page.say_age(result)


if __name__ == "__main__":
    main()
