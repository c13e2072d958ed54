"""A partition as the database tells it; only what a test names differs from one that is read."""

from __future__ import annotations

from typing import Any

from service.doctor.flow import PartitionStanding

NOW_MS = 1_795_305_600_000


def standing(number: int = 3, **changes: Any) -> PartitionStanding:
    """A partition that is read, with nothing to say about it."""
    usual: dict[str, Any] = {
        "topic": "events", "first_offset": 0, "next_offset": 100, "lag": 0, "highest_ms": NOW_MS, "owner": "host-1",
        "silent_ms": 1_000, "idle_ms": None, "deaths": 0, "halted": None, "accepted": 100, "duplicate": 0, "late": 0,
        "dead": 0, "tombstone": 0, "lost": 0, "truncated": 0, "holes": 0,
    }  # fmt: skip
    return PartitionStanding(partition=number, **usual | changes)
