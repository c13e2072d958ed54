"""What evaluation reads and writes of one model: Postgres for the evaluator, memory for a replay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from service.messages import Evaluated, Loss, PaneRow, SliceResult, WindowTotal

ALWAYS_MS, NEVER_MS = 2**62, -(2**62)
WindowId = tuple[int, str]
"""A window of a model: its end and its kind."""


class Results(Protocol):
    """What evaluation reads and writes of one model. The caller holds the model's lease meanwhile."""

    def position_ms(self) -> int | None:
        """All windows that end at or before this are evaluated; None before the first."""

    def pane_totals(self, since_ms: int) -> Mapping[int, int]:
        """Rows counted in the panes (of all traffic) that start at or after, by start, over all partitions."""

    def panes(self, start_ms: int, end_ms: int, segment: str | None = None) -> Iterable[PaneRow]:
        """The panes of all partitions that start in [start_ms, end_ms), oldest first.

        Of one segment ('' is all traffic), or of every slice (None).
        """

    def window_totals(self, since_ms: int) -> Mapping[tuple[int, str], WindowTotal]:
        """What is known of the evaluated windows with rows that end after, by end and kind."""

    def stored(self, since_ms: int) -> Mapping[tuple[int, str], Sequence[SliceResult]]:
        """The results of the evaluated windows that end at or after, by end and kind."""

    def state_before(self, end_ms: int) -> bytes | None:
        """The fold's state after all windows that end before; None when there are none."""

    def losses(self, since_ms: int) -> Sequence[Loss]:
        """What is missing of the partitions that this model's panes come from, if it may reach beyond `since_ms`."""

    def save(self, evaluated: Evaluated) -> None:
        """Store all of it, or nothing."""
