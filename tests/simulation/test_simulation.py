"""Each seed is a whole life of an installation; what must hold at its end holds for every one of them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.happenings import HAPPENINGS
from tests.simulation.run import Outcome, run

SEEDS = 500
PARTS = 10


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Faults are logged, which is no news here."""
    log = logging.getLogger("service")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    yield
    log.setLevel(before)


def failures(outcomes: list[Outcome]) -> str:
    """One line for each seed that failed, which reproduces it."""
    return "\n".join(f"{o.reproduction}  # {o.problems[0]}" for o in outcomes if o.problems)


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_every_record_counts_once_and_the_windows_are_those_of_a_quiet_run(
    part: int,
) -> None:
    outcomes = [run(seed) for seed in range(part * SEEDS // PARTS, (part + 1) * SEEDS // PARTS)]
    assert not failures(outcomes), failures(outcomes)


def test_a_seed_decides_everything() -> None:
    for seed in range(8):
        assert run(seed).digest == run(seed).digest
    assert len({run(seed).digest for seed in range(8)}) == 8


def test_a_seed_is_the_same_in_another_process_with_another_order_of_sets() -> None:
    seed, told = 3, set()
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", str(seed)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed}, cwd=Path(__file__).parents[2],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        told.add(done.stdout)
    assert told == {f"trace {run(seed).digest}\n"}


def test_all_that_can_happen_does_happen_in_some_seed() -> None:
    kinds = {kind for seed in range(40) for kind in run(seed).kinds}
    assert kinds == set(HAPPENINGS)
