"""Tries what a stranger may send: python benchmarks/fuzz.py --seconds 120 [--only TARGET] [--out FILE].

Of each target of tests/fuzz/targets.py as many inputs as there is time of the processor for, from the seed on. A line
a target: how many inputs there were, how many ended well and how many with an error of one line, the kinds of crashes,
the longest try in seconds of the processor, and by how much the most memory that the process ever had grew, in MiB.
"""

import argparse
import csv
import resource
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "fuzz"))
from targets import Target, targets

HEADS = ("target", "inputs", "ended well", "UserError", "kinds of crashes", "longest [s]", "memory [MiB]")
BATCH = 20


def fuzzed(target: Target, seconds: float, first: int) -> tuple[list[int | float], Counter[str]]:
    """Inputs, ended well, UserError, kinds of crashes, the longest, the memory; and how often each crash was met."""
    ended, crashes, longest = Counter[bool](), Counter[str](), 0.0
    until, before = time.process_time() + seconds, _memory()
    while time.process_time() < until:

        @seed(first)
        @settings(
            max_examples=BATCH,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(target.inputs)
        def batch(given_input: object) -> None:
            nonlocal longest
            began = time.process_time()
            if began > until:
                return
            try:
                ended[target.attempt(given_input) == "ok"] += 1
            except AssertionError as error:
                kind = str(error).splitlines()[0]
                crashes[kind] += 1
                if crashes[kind] == 1:
                    print(f"  {str(error)[:700]}", flush=True)
            longest = max(longest, time.process_time() - began)

        batch()
        first += 1
    inputs = ended.total() + crashes.total()
    return [inputs, ended[True], ended[False], len(crashes), round(longest, 2), round(_memory() - before)], crashes


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="of the processor, for each target")
    parser.add_argument("--only", nargs="*", help="targets")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the table to this CSV")
    wanted = parser.parse_args()
    warnings.simplefilter("ignore")
    rows: list[list[object]] = []
    for name, target in targets().items():
        if not wanted.only or name in wanted.only:
            print(name, flush=True)
            row, crashes = fuzzed(target, wanted.seconds, wanted.seed)
            rows.append([name, *row])
            print(
                dict(zip(HEADS, rows[-1], strict=True)),
                *(f"\n  {n} x {kind}" for kind, n in crashes.items()),
                flush=True,
            )
    if wanted.out:
        with wanted.out.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([HEADS, *rows])


if __name__ == "__main__":
    main()
