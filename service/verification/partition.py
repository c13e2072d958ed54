"""One partition, counted again by one worker in one pass, and held against what is stored of it.

Panes that no row can reach any more are compared and dropped, so memory holds what a collector's would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from service.messages import Counts, DeadLetter, FilterKey, Loss, LossKind, PaneKey, PaneRow
from service.panes.admission import NEVER_MS
from service.verification.counting import Counted, check_equation, compare_counts
from service.verification.discrepancies import Discrepancies, Discrepancy
from service.verification.letters import compare_ids, compare_letters
from service.verification.panes import ALWAYS_MS, PanesCompared, compare_panes
from service.verification.route import Route, Way
from service.verification.verdict import PartitionVerdict, Terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.intake.source import Records
    from service.pipeline import PartitionPipeline
    from service.store.snapshot import StoredLetter
    from service.verification.stored import Stored

SETTLE_RECORDS = 20_000
"""So many records are counted before panes are compared: a sketch is written out each time that it has changed."""


@dataclass
class PartitionCheck:
    """Takes a partition's records along its route, and compares as it goes. `keep` is given each verified pane."""

    stored: Stored
    route: Route
    pipeline: PartitionPipeline
    terms: Terms
    keep: Callable[[PaneRow], None] = lambda _: None
    wrong: Discrepancies = field(default_factory=Discrepancies)
    _refused: dict[int, str] = field(default_factory=dict)
    _early: int = 0
    _reached: int = 0
    _lost: int = 0
    _losses: dict[int, Loss] = field(default_factory=dict)
    _letters: int = 0
    _first_letter: int | None = None
    _counts: Counts = field(default_factory=Counts)
    _panes: PanesCompared = field(default_factory=PanesCompared)
    _open: dict[PaneKey, PaneRow] = field(default_factory=dict)
    _ids: dict[FilterKey, list[NDArray[np.uint64]]] = field(default_factory=dict)

    def refuse(self, letters: Iterable[StoredLetter]) -> None:
        """These records were dead letters for a reason that the present configuration does not show any more."""
        self._refused |= {letter.offset: letter.reason for letter in letters}

    def take(self, records: Records) -> None:
        """Count the next records."""
        self._reached = int(records.offsets[-1]) + 1
        if self._refused:
            known = [int(o) not in self._refused for o in records.offsets]
            self._early += len(known) - sum(known)
            records = _only(records, known)
        if len(records):
            self.pipeline.take(records)
        if self.pipeline.pending_records >= SETTLE_RECORDS or self.pipeline.is_heavy:
            self.settle()

    def pass_over(self, way: Way, end: int) -> None:
        """Go on after a stretch that the run did not read."""
        if way is Way.LOST:
            self.pipeline.skip_lost(end)
        else:
            self.pipeline.skip_killer()
        self._reached = end

    def settle(self, until_ms: int | None = None) -> None:
        """Compare the panes that no row can reach any more, and the dead letters so far."""
        made = self.pipeline.checkpoint()
        self._counts += made.counts
        self._lost += made.lost
        self._losses |= {loss.offset: loss for loss in made.losses}
        self._open |= {row.key: row for row in made.panes}
        for ids in made.ids:
            self._ids.setdefault(ids.key, []).append(ids.hashes)
        self.pipeline.committed()
        self._compare_letters(made.dead)
        self._compare_panes(
            self.pipeline.panes.highest_ms - self.terms.patience_ms if until_ms is None else until_ms
        )
        oldest = self._oldest_open()
        self._ids = {key: hashes for key, hashes in self._ids.items() if key.start_ms >= oldest}

    def _compare_panes(self, until_ms: int) -> None:
        ended = {key: row for key, row in self._open.items() if row.end_ms <= until_ms}
        stored = {row.key: row for row in self.stored.panes.take_until(until_ms)}
        compared, wrong = compare_panes(self.stored.row.partition, ended, stored, self.terms.doubt)
        self._panes += compared
        self.wrong.add(*wrong)
        for key, row in ended.items():
            if not self.terms.doubt.covers(row):
                self.keep(row)
            del self._open[key]

    def _compare_letters(self, dead: Sequence[DeadLetter]) -> None:
        """Those before a cut in the log: behind it other records stand at the same offsets."""
        last = min([self._reached, *self._cuts()]) - 1
        stored = {
            x.offset: x.reason for x in self.stored.letters.take_until(last) if x.offset >= self.route.start
        }
        self._first_letter = min([o for o in (self._first_letter, *stored) if o is not None], default=None)
        expected = {
            x.offset: x.reason.value
            for x in dead
            if x.offset <= last and (x.offset in stored or self._is_kept(x))
        }
        expected |= {o: r for o, r in stored.items() if self._refused.get(o) == r}
        self._letters += len(expected)
        self.wrong.add(*compare_letters(self.stored.row.partition, expected, stored))

    def _is_kept(self, letter: DeadLetter) -> bool:
        """Whether this dead letter must still be there: retention takes the oldest first."""
        follows = self._first_letter is not None and self._first_letter < letter.offset
        return follows or letter.timestamp_ms >= self.terms.letters_kept_from_ms

    def _cuts(self) -> list[int]:
        return [loss.offset for loss in self.stored.row.losses if loss.kind is LossKind.TRUNCATED]

    def _oldest_open(self) -> int:
        oldest = self.pipeline.panes.oldest_open_ms()
        return ALWAYS_MS if oldest is None else oldest

    def finish(self) -> PartitionVerdict:
        """Compare what is left; the whole of the partition in one value."""
        row = self.stored.row
        self.settle(ALWAYS_MS)
        self._counts += Counts(dead=self._early)
        self.wrong.add(*check_equation(row))
        exact = self.route.is_whole and not row.truncated
        if exact:
            self.wrong.add(*compare_counts(self._counted(), row), *self._compare_ids())
        return PartitionVerdict(
            row.partition, row.first_offset, row.next_offset, self.route.start, row.counts, self._counts, self._panes,
            self._letters, max(0, self._counts.total - row.counts.total) if exact else 0, self._notes(), self.wrong,
        )  # fmt: skip

    def _counted(self) -> Counted:
        panes, reached = self.pipeline.panes, self._reached or self.route.start
        holes = reached - self.route.start - self._counts.total - self._lost
        highest = None if panes.highest_ms == NEVER_MS else panes.highest_ms
        losses = tuple(loss for _, loss in sorted(self._losses.items()))
        return Counted(self._counts, reached, self._lost, holes, highest, panes.jumps, losses)

    def _compare_ids(self) -> Sequence[Discrepancy]:
        oldest = self._oldest_open()
        ours = {key: np.sort(np.concatenate(h)) for key, h in self._ids.items() if key.start_ms >= oldest}
        return compare_ids(self.stored.row.partition, ours, self.stored.ids(oldest))

    def _notes(self) -> tuple[str, ...]:
        row, notes = self.stored.row, []
        if not self.route.is_whole:
            gone = (
                f"retention took offsets {row.first_offset} to {self.route.start - 1} after they were counted"
            )
            notes.append(f"{gone}: counts and older panes cannot be verified")
        if row.truncated:
            notes.append(
                f"the log took {row.truncated} counted records back: counts and panes of then cannot be verified"
            )
        if row.lost:
            notes.append(
                f"{row.lost} records were lost to retention before they were read, and counted as lost"
            )
        if self._early:
            notes.append(
                f"{self._early} records were refused before their model had a monitor: taken as stored"
            )
        return tuple(notes)


def _only(records: Records, wanted: Sequence[bool]) -> Records:
    if all(wanted):
        return records
    at = [place for place, is_wanted in enumerate(wanted) if is_wanted]
    return type(records)(
        records.partition, records.offsets[at], records.timestamps_ms[at], [records.values[i] for i in at],
        [records.keys[i] for i in at],
    )  # fmt: skip
