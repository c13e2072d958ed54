"""`python -m tests.simulation --seed 12345 [--trace]`, or `--seeds 10000 [--first 0]`."""

from __future__ import annotations

import argparse
import logging
import sys
import time

from tests.simulation.run import Outcome, run


def main() -> int:
    """Run one seed or many; the exit code is 1 when one has failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="run this one and tell all that was wrong")
    parser.add_argument("--trace", action="store_true", help="tell every step too")
    parser.add_argument("--seeds", type=int, default=500, help="run so many")
    parser.add_argument("--first", type=int, default=0, help="beginning with this one")
    chosen = parser.parse_args()
    logging.getLogger("service").setLevel(logging.CRITICAL + 1)
    if chosen.seed is not None:
        return _one(run(chosen.seed, keep_trace=chosen.trace))
    return _many(range(chosen.first, chosen.first + chosen.seeds))


def tell(line: str) -> None:
    """Say it at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _one(outcome: Outcome) -> int:
    for line in (*outcome.lines, *outcome.problems, f"trace {outcome.digest}"):
        tell(line)
    return 1 if outcome.problems else 0


def _many(seeds: range) -> int:
    began, failed = time.perf_counter(), 0
    for done, seed in enumerate(seeds, 1):
        outcome = run(seed)
        if outcome.problems:
            failed += 1
            tell(f"{outcome.reproduction}  # {outcome.problems[0][:300]}")
        if done % 500 == 0 or done == len(seeds):
            tell(f"{done} seeds in {time.perf_counter() - began:.0f} s, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
