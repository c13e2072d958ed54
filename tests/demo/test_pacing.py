"""A log is sent in its order at the pace of its event times, by a clock that the test moves."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from service.demo.pacing import Due, due_events, send_paced


@dataclass
class HandClock:
    """Time goes on only by sleeping."""

    now: float = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@dataclass
class Kept:
    """A writer that keeps what it is given, and when."""

    clock: HandClock
    sent: list = field(default_factory=list)

    def send(self, topic, value, *, key=None, timestamp_ms=None):  # noqa: ARG002 - the writer's own signature
        self.sent.append((round(self.clock.now, 3), key, value))

    def flush(self):
        pass


def line(**event):
    return json.dumps(event).encode()


def paced(events, speed=1.0):
    clock = HandClock()
    kept = Kept(clock)
    assert send_paced(events, kept, "t", speed, clock=clock, sleep=clock.sleep) == len(kept.sent)
    return kept.sent


def test_events_keep_the_distances_of_their_times():
    sent = paced([Due(1_000, b"{}"), Due(3_000, b"{}"), Due(3_500, b"{}")])
    assert [at for at, _, _ in sent] == [0.0, 2.0, 2.5]


def test_speed_shortens_the_distances():
    assert [at for at, _, _ in paced([Due(1_000, b"{}"), Due(61_000, b"{}")], speed=60)] == [0.0, 1.0]


def test_the_key_is_the_inference_id():
    assert [key for _, key, _ in paced([Due(0, line(id="p-1")), Due(0, b"{}")])] == [b"p-1", None]


def test_a_log_is_read_in_its_order_and_what_has_no_time_goes_at_once(tmp_path):
    lines = [
        line(id="a", ts="2026-11-22T00:00:01Z"),
        line(id="b"),
        line(id="c", ts="2026-11-22T00:00:03Z"),
        b"not JSON",
        line(id="d", ts="2026-11-22T00:00:02Z"),  # late: at once
        line(id="e", ts=1_795_305_604_000),
    ]
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    sent = paced(due_events(path))
    assert [value for _, _, value in sent] == lines
    assert [at for at, _, _ in sent] == [0.0, 0.0, 2.0, 2.0, 2.0, 3.0]


@pytest.mark.parametrize("count", [1, 2_500])
def test_numbered_files_are_merged_by_time(tmp_path, count):
    for number in range(2):
        stamps = [1_795_305_600_000 + 2 * i + number for i in range(count)]
        (tmp_path / f"log-{number}.jsonl").write_bytes(b"".join(line(ts=ts) + b"\n" for ts in stamps))
    stamps = [due.ts_ms for due in due_events(tmp_path)]
    assert stamps == sorted(stamps)
    assert len(stamps) == 2 * count
