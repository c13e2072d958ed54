"""The log that faults are played on: of every kind of record a known number, so that the truth needs no program.

Drawn per partition, with event time to the right and some records out of place:

    predictions  o o o o o o o o o o o o o o    one of 20 ms each, over all partitions
    repeated         o   o                      sent again a few records later
    out of order   o <-------                   within the allowed lateness
    late         o <-----------------------     beyond it
    and labels, tombstones, broken bytes, and a model that nobody watches
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from random import Random

from service.monitor import Monitor, WindowSpec
from tests.faults.sizes import EVENTS, PARTITIONS

MINUTE_MS = 60_000
STEP_MS = 20
WINDOW_MS = 10 * MINUTE_MS
MONITOR = Monitor(
    "churn", reference="churn-1", pane_ms=MINUTE_MS, segments=("country",),
    windows=(WindowSpec.tumbling(2 * MINUTE_MS), WindowSpec.tumbling(WINDOW_MS)),
    allowed_lateness_ms=2 * MINUTE_MS, disorder_ms=5_000,
)  # fmt: skip
OPEN_MS = 3 * MINUTE_MS
"""Panes take events until the watermark is past their end and the lateness."""
KINDS = {"repeated": 3, "disordered": 4, "late": 2, "label": 8, "tombstone": 1, "broken": 1, "stranger": 1}
"""In a hundred; the rest are predictions."""


@dataclass
class PlayedLog:
    """The records of each partition with their timestamps (ms), and how they must end."""

    start_ms: int
    values: list[list[bytes | None]] = field(default_factory=list)
    times_ms: list[list[int]] = field(default_factory=list)
    expected: dict[str, int] = field(default_factory=dict)

    @property
    def until_ms(self) -> int:
        """The last end of a window that event time passes; when later ones close depends on the clock."""
        end_ms = self.start_ms + EVENTS * STEP_MS - MINUTE_MS // 2
        return end_ms - end_ms % WINDOW_MS

    @property
    def records(self) -> int:
        """How many records there are."""
        return sum(map(len, self.values))


def make_log(seed: int = 7) -> PlayedLog:
    """A log that ended a few minutes ago."""
    now_ms = time.time_ns() // 1_000_000
    start_ms = now_ms - EVENTS * STEP_MS - 5 * MINUTE_MS
    log = PlayedLog(start_ms - start_ms % WINDOW_MS + MINUTE_MS)
    log.expected = dict.fromkeys(("accepted", "duplicate", "late", "dead", "tombstone", "lost"), 0)
    for partition in range(PARTITIONS):
        _fill(log, partition, Random(seed + partition))
    return log


def _fill(log: PlayedLog, partition: int, random: Random) -> None:
    values: list[bytes | None] = []
    sent: list[bytes] = []
    for number in range(partition, EVENTS, PARTITIONS):
        kind = _kind(random) if len(values) >= 20 else "prediction"
        value = random.choice(sent[-20:]) if kind == "repeated" else _value(log, number, kind, random)
        if kind not in {"repeated", "late", "tombstone", "broken", "stranger"} and value is not None:
            sent.append(value)
        values.append(value)
        log.expected[_OUTCOMES.get(kind, "accepted")] += 1
    log.values.append(values)
    log.times_ms.append([log.start_ms + STEP_MS * n for n in range(partition, EVENTS, PARTITIONS)])


_OUTCOMES = {
    "repeated": "duplicate", "late": "late", "tombstone": "tombstone", "broken": "dead", "stranger": "dead",
}  # fmt: skip


def _kind(random: Random) -> str:
    drawn = random.random() * 100
    for kind, share in KINDS.items():
        drawn -= share
        if drawn < 0:
            return kind
    return "prediction"


def _value(log: PlayedLog, number: int, kind: str, random: Random) -> bytes | None:
    if kind == "tombstone":
        return None
    if kind == "broken":
        return random.choice([b"", b"{", b"\xff\xfe", b'{"type":"prediction"}', b"[]"])
    event_ms = log.start_ms + STEP_MS * number
    if kind == "disordered":
        event_ms = max(log.start_ms, event_ms - random.randrange(MINUTE_MS))
    if kind == "late":
        event_ms -= 10 * MINUTE_MS
    about = {"model": "stranger" if kind == "stranger" else "churn", "id": f"p-{number}", "ts": event_ms}
    if kind == "label":
        return json.dumps(about | {"type": "label", "label": random.choice(["yes", "no"])}).encode()
    france = random.random() < 0.3
    drift = 3.0 if number > 0.6 * EVENTS else 0.0
    features = {"amount": random.gauss(3.0 * france + drift, 1), "country": "FR" if france else "DE"}
    said = {"type": "prediction", "version": "1", "prediction": {"score": random.random()}}
    return json.dumps(about | said | {"features": features}).encode()
