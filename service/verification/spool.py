"""Verified panes on disk until the windows are evaluated: those of all partitions are needed at once."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from tempfile import TemporaryFile
from typing import IO

import msgspec

from service.messages import Loss, PaneKey, PaneRow, Partition
from service.replay import MemoryResults


class _Kept(msgspec.Struct, array_like=True):
    topic: str
    number: int
    key: PaneKey
    end_ms: int
    grid_id: str
    inferences: int
    labels: int
    last_ms: int
    sketch: bytes


class PaneSpool:
    """Panes by model and start in a file that nobody else sees; 16 bytes of memory a pane."""

    def __init__(self) -> None:
        self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115 - `close` ends it
        self._places: dict[str, dict[int, array[int]]] = {}
        self._totals: dict[str, dict[int, int]] = {}
        self._end = 0

    def add(self, partition: Partition, row: PaneRow) -> None:
        """Take a pane; each comes once."""
        key, kept = row.key, _Kept(*partition, row.key, row.end_ms, row.grid_id, row.inferences, row.labels,
                                   row.last_ms, row.sketch)  # fmt: skip
        data = msgspec.msgpack.encode(kept)
        self._file.seek(self._end)
        self._file.write(data)
        self._places.setdefault(key.model, {}).setdefault(key.start_ms, array("q")).extend(
            [self._end, len(data)]
        )
        self._end += len(data)
        if not key.segment:
            totals = self._totals.setdefault(key.model, {})
            totals[key.start_ms] = totals.get(key.start_ms, 0) + row.inferences + row.labels

    def totals(self, model: str, since_ms: int) -> dict[int, int]:
        """Rows in the panes of all traffic that start at or after, by start."""
        return {start: rows for start, rows in self._totals.get(model, {}).items() if start >= since_ms}

    def between(self, model: str, start_ms: int, end_ms: int) -> Iterator[PaneRow]:
        """The panes that start in [start, end), by start, partition and key."""
        places = self._places.get(model, {})
        for start in sorted(s for s in places if start_ms <= s < end_ms):
            at = places[start]
            kept = sorted((self._read(*at[i : i + 2]) for i in range(0, len(at), 2)), key=_order)
            yield from (_row(one) for one in kept)

    def _read(self, at: int, length: int) -> _Kept:
        self._file.seek(at)
        return msgspec.msgpack.decode(self._file.read(length), type=_Kept)

    def close(self) -> None:
        """Delete the file."""
        self._file.close()


def _order(kept: _Kept) -> tuple[str, int, PaneKey]:
    return kept.topic, kept.number, kept.key


def _row(kept: _Kept) -> PaneRow:
    return PaneRow(
        kept.key, kept.end_ms, kept.grid_id, kept.inferences, kept.labels, kept.last_ms, kept.sketch,
        Partition(kept.topic, kept.number),
    )  # fmt: skip


class SpooledResults(MemoryResults):
    """Results of one model in memory, over panes on disk."""

    def __init__(self, model: str, spool: PaneSpool, lost: Sequence[Loss]) -> None:
        super().__init__(lost)
        self._model = model
        self._spool = spool

    def pane_totals(self, since_ms: int) -> Mapping[int, int]:
        return self._spool.totals(self._model, since_ms)

    def panes(self, start_ms: int, end_ms: int, segment: str | None = None) -> Iterable[PaneRow]:
        rows = self._spool.between(self._model, start_ms, end_ms)
        return (row for row in rows if segment is None or row.key.segment == segment)
