"""The `driftbell` command with a fault built in: `python -m tests.faults.worker [faults] -- collect`.

--at PLACE --nth K --by KILL|STOP   send this process the signal at the K-th passage of a place
--pace N                            hand over at most N records a second, as a log that is being written would
--tally FILE                        at a clean end, write there how many records were handed over
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import service.cli.roles  # noqa: F401 - all that a role uses is there before its seams are looked for
from service import wiring
from service.cli import main
from service.intake.kafka_settings import KafkaSettings
from tests.faults.crash_points import SOURCES, Point, install, wrap

SLICES_A_SECOND = 20
FETCH_BYTES = 16_384
SETTLE_SECONDS = 0.1
"""A signal takes effect a moment after it was sent; until then nothing may go on."""


def become(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    """Be such a process from now on: what a fork does that was asked for one."""
    os.environ.clear()
    os.environ.update(environment)
    with log.open("wb") as output:
        for number in (1, 2):
            os.dup2(output.fileno(), number)
    run(arguments)


def run(arguments: list[str]) -> None:
    """Build the faults in and become the command."""
    parser = argparse.ArgumentParser(prog="worker")
    parser.add_argument("--at", type=Point)
    parser.add_argument("--nth", type=int, default=1)
    parser.add_argument("--by", default="KILL")
    parser.add_argument("--pace", type=int)
    parser.add_argument("--tally", type=Path)
    parser.add_argument("command", nargs="+")
    chosen = parser.parse_args(arguments)
    if chosen.pace:
        keep_pace(chosen.pace)
    if chosen.at:
        strike(chosen.at, chosen.nth, signal.Signals[f"SIG{chosen.by}"])
    with keeping_tally(chosen.tally):
        main(chosen.command)


def strike(point: Point, nth: int, number: signal.Signals) -> None:
    """Send ourselves a signal at the nth passage; a stopped process goes on there when it is woken."""
    passages = count(1)

    def passed() -> None:
        if next(passages) == nth:
            os.write(2, f"struck at {point}\n".encode())
            os.kill(os.getpid(), number)
            time.sleep(SETTLE_SECONDS)

    install(point, passed)


@contextmanager
def keeping_tally(file: Path | None) -> Iterator[None]:
    """Count what the source hands over; whoever is killed leaves no file."""
    taken = [0]

    def add(polled: Any) -> None:
        taken[0] += sum(map(len, polled.records))

    for source in SOURCES:
        wrap(source, "poll", after=add)
    try:
        yield
    finally:
        if file is not None:
            file.write_text(str(taken[0]))


def keep_pace(records_a_second: int) -> None:
    """Take few records at a time, from each partition in turn, and wait as long as they would have taken to arrive."""
    most = max(1, records_a_second // SLICES_A_SECOND)
    described = wiring.kafka_settings

    def sparing(*arguments: Any) -> KafkaSettings:
        return replace(described(*arguments), max_partition_fetch_bytes=FETCH_BYTES)

    wiring.kafka_settings = sparing
    for source in SOURCES:
        original: Any = source.poll

        def poll(self: Any, timeout: float, wanted: int, original: Any = original) -> Any:
            polled = original(self, timeout, min(wanted, most))
            time.sleep(sum(map(len, polled.records)) / records_a_second)
            return polled

        source.poll = poll  # type: ignore[method-assign]


if __name__ == "__main__":
    run(sys.argv[1:])
