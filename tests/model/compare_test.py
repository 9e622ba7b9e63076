#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The comparison can fail: each fault put into the model is found, and found again when asked.

usage: compare_test.py REPLAY
"""
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

COMPARE = Path(__file__).resolve().parent / "compare.py"
LIMIT_S = 300
# A constant of each part of the model with another value, and pieces in which that must be seen.
FAULTS = {
    "policy.PAYBACK_SLOWNESS=7": "drawn:4",
    "policy.STEP_HASH=2654435763": "boundary:events:40000",
    "policy.UNUSED_LOOK=2000001": "boundary:accounts:0",
    "policy.SHARE_MIN=255": "drawn:3",
    "policy.DEFERS=15": "boundary:deferrals:3000",
    "policy.R_BELOW=1": "boundary:hosts:0",
    "status.TASK=4": "boundary:events:0",
    "saved.SHARE_ONE=65535": "drawn:1",
    "words.UTIL_MAX=1025": "boundary:words:0",
    "words.REALTIME=6": "boundary:words:0",
    "negotiation.SLOT_COUNT_MAX=1023": "boundary:words:4000",
    "yielding.REMEMBERED=5": "drawn:30",
    "transfer.GRANULARITY_MAX=499999999": "boundary:transfers:4000",
    "perf.FIT_MARGIN=1279": "boundary:fits:0",
    "queue.RETRIES=3": "drawn:15",
    "queue.CAP_PERIOD=9999999": "boundary:places:0",
    "guest.LEVEL_MAX=14": "drawn:17",
}
GOOD = sorted(set(FAULTS.values()))


def compare(replay, pieces, *flips):
    """Exit status and what was said."""
    done = subprocess.run([sys.executable, COMPARE, "--replay", replay, "--jobs", "1", "--only",
                           *pieces, *flips], capture_output=True, text=True, timeout=LIMIT_S,
                          check=False)
    return done.returncode, done.stdout + done.stderr


def problem(replay, fault, piece):
    """What is wrong with how this fault is found; None if nothing is."""
    status, said = compare(replay, [piece], "--flip", fault)
    if status != 1:
        return f"{fault}: not found in {piece}, status {status}\n{said[-2000:]}"
    if f"--only {piece} --flip {fault}" not in said:
        return f"{fault}: the mismatch does not say how to see it again\n{said[-2000:]}"
    return None


def main():
    """All faults, and the pieces without any."""
    replay = sys.argv[1]
    status, said = compare(replay, GOOD)
    problems = [f"without a fault: status {status}\n{said[-2000:]}"] if status else []
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(problem, replay, *item) for item in FAULTS.items()]
        problems += [job.result() for job in jobs if job.result()]
    for text in problems:
        print(text)
    print(f"{len(FAULTS)} faults in the model, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
