"""Small logs for faults, and what a fault makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from service.injection.fault import Fault
from service.injection.injector import Injector, Scope
from service.injection.log import Log, Record, read_records
from service.injection.survey import Survey, survey
from service.intake.source import Records
from service.messages import Partition

MINUTE = 60_000
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
FOREVER_MS = 2**62

Event = dict[str, Any]


def row(number: int, **features: Any) -> Event:
    """An inference, one a minute."""
    return {
        "type": "prediction", "model": "churn", "id": f"p-{number}", "ts": START_MS + number * MINUTE,
        "features": {"amount": float(number), "country": "DE" if number % 3 else "FR", **features},
        "prediction": {"label": "yes" if number % 4 else "no", "score": 0.75}, "tags": {"channel": "app"},
    }  # fmt: skip


def rows(count: int, **features: Any) -> list[Event]:
    """So many of them."""
    return [row(number, **features) for number in range(count)]


def label(number: int, truth: Any, minute: float | None = None) -> Event:
    """The label of an inference, ten minutes after it unless said otherwise."""
    at = number + 10 if minute is None else minute
    ts_ms = START_MS + int(at * MINUTE)
    return {"type": "label", "model": "churn", "id": f"p-{number}", "ts": ts_ms, "label": truth}


def lines(events: Iterable[Event | bytes]) -> list[bytes]:
    """As they stand in a file; bytes are lines already. Spaces are kept, so that rewriting would show."""
    return [one if isinstance(one, bytes) else json.dumps(one).encode() for one in events]


def in_time(events: Iterable[Event]) -> list[Event]:
    """In the order of their event times."""
    return sorted(events, key=lambda e: e["ts"])


def log_of(events: Iterable[Event | bytes]) -> Log:
    """A log in memory."""
    values = lines(events)
    count = len(values)
    records = Records(
        Partition("log", 0), np.arange(count), np.full(count, -1, np.int64), values, [None] * count
    )

    def read() -> Iterator[Record]:
        return read_records(records, "auto")

    return read


def surveyed(events: Sequence[Event | bytes]) -> Survey:
    """The survey of a small log."""
    return survey(log_of(events), "churn")


def faulted(  # every test says what matters to it
    fault: Fault,
    events: Sequence[Event | bytes],
    *,
    minute: float = 0.0,
    until: float | None = None,
    share: float = 1.0,
    where: tuple[str, str] | None = None,
    seed: int = 0,
) -> list[bytes]:
    """The log with the fault from this minute on."""
    log = log_of(events)
    to_ms = FOREVER_MS if until is None else START_MS + int(until * MINUTE)
    scope = Scope(START_MS + int(minute * MINUTE), to_ms, share, where)
    return [made.value for made in Injector(fault, scope, survey(log, "churn"), seed).run(log())]


def parsed(made: Iterable[bytes]) -> list[Event]:
    """The events again; Python reads NaN."""
    return [json.loads(line) for line in made]


def feature(made: Iterable[bytes], name: str) -> list[Any]:
    """One feature of each inference, `absent` where there is none."""
    return [e["features"].get(name, "absent") for e in parsed(made) if e["type"] != "label"]


def of_all(made: Iterable[bytes], name: str) -> list[Any]:
    """One field of each event that has it."""
    return [e[name] for e in parsed(made) if name in e]
