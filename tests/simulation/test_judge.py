"""The simulation notices what is broken: each of these breaks the real code in one place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from service.intake.ownership import Ownership
from service.panes import partition as panes
from service.panes.partition import PartitionPanes
from service.pipeline import PartitionPipeline
from tests.fakes.checkpoints import MemoryCheckpoints
from tests.simulation.run import run

MOST_SEEDS = 60


def changed(owner: Any, name: str, make: Callable[[Any], Any]) -> Callable[[pytest.MonkeyPatch], None]:
    """Puts something made of the real thing in its place."""
    return lambda monkeypatch: monkeypatch.setattr(owner, name, make(getattr(owner, name)))


def _lost_twice(really: Any) -> Any:
    def skip_lost(self: PartitionPipeline, until: int) -> None:
        lost = until - self.next_offset
        really(self, until)
        self._pending = replace(self._pending, lost=self._pending.lost + lost)

    return skip_lost


def _always_idle(really: Any) -> Any:
    def note_progress(self: MemoryCheckpoints, claim: Any, **progress: Any) -> None:
        really(self, claim, **progress | {"idle": True, "quiet_ms": 60_000})

    return note_progress


BROKEN = {
    "whoever held a partition may write it": changed(
        MemoryCheckpoints, "_ours", lambda _: lambda self, claim: self.tables.rows.get(claim.partition)
    ),
    "offsets are stored without their panes": changed(
        PartitionPipeline, "checkpoint", lambda really: lambda self: replace(really(self), panes=())
    ),
    "a gap counts twice": changed(PartitionPipeline, "skip_lost", _lost_twice),
    "ids are forgotten at a restart": changed(
        PartitionPanes, "restore", lambda really: lambda self, stored, _: really(self, stored, {})
    ),
    "ids are forgotten too early": changed(
        MemoryCheckpoints, "forget_ids", lambda really: lambda self, held, ms: really(self, held, ms + 20_001)
    ),
    "reading goes on one record too late": changed(
        Ownership, "begin", lambda really: lambda self, place, at: really(self, place, at + (at > 0))
    ),
    "a batch is late by its own end": changed(
        panes, "admit", lambda really: lambda rows, ms: really(rows, really(rows, ms).highest_ms)
    ),
    "who is behind is called idle": changed(MemoryCheckpoints, "note_progress", _always_idle),
}


@pytest.mark.parametrize("what", BROKEN)
def test_some_seed_fails_when(
    what: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL + 1, "service")
    BROKEN[what](monkeypatch)
    assert any(run(seed).problems for seed in range(MOST_SEEDS))
