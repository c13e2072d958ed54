"""What should be stored: the ledger's history counted once more, in one go, by one worker to whom nothing happens."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from service.checkpoints import Claim, Claimant
from service.configuration import Configuration
from service.intake.decoder import Decoder
from service.intake.limits import Limits
from service.intake.source import Records
from service.messages import FilterKey, Loss, LossKind, Partition, UnknownModels
from service.panes.partition import PartitionPanes
from service.pipeline import PartitionPipeline
from tests.fakes.checkpoints import MemoryCheckpoints
from tests.fakes.tables import Tables
from tests.simulation.ledger import Cut, Histories, Killer, Lost, Piece, Read


def counted_once(histories: Histories, stored: Tables, unknown: UnknownModels) -> MemoryCheckpoints:
    """A database in which the same histories were counted under the monitors that are in force at the end."""
    made = MemoryCheckpoints(tables=Tables(models=dict(stored.models), revision=stored.revision))
    for partition, history in sorted(histories.items()):
        row = stored.rows[partition]
        claim = made.claim(partition, Claimant("only", 0), row.topic_id, row.first_offset)
        _Counting(made, claim, unknown).run(history)
    return made


class _Counting:
    def __init__(self, store: MemoryCheckpoints, claim: Claim, unknown: UnknownModels) -> None:
        self._store, self._claim, self._unknown = store, claim, unknown
        self._configuration: Configuration = store.configuration()
        self._pipeline = self._from(PartitionPanes(), claim.next_offset)

    def _from(self, panes: PartitionPanes, offset: int) -> PartitionPipeline:
        decoder = Decoder(self._configuration, unknown_models=self._unknown, limits=Limits())
        return PartitionPipeline(self._claim.partition, decoder, panes, offset)

    def run(self, history: tuple[Piece, ...]) -> None:
        for kind, pieces in groupby(history, type):
            if kind is Read:
                self._pipeline.take(_records(self._claim.partition, list(pieces)))  # type: ignore[arg-type]
            else:
                for piece in pieces:
                    self._pass(piece)
        self._commit()

    def _pass(self, piece: Piece) -> None:
        if isinstance(piece, Lost):
            self._pipeline.skip_lost(piece.offset + piece.records)
        elif isinstance(piece, Killer):
            self._pipeline.skip_killer()
        elif isinstance(piece, Cut):
            self._commit()
            loss = Loss(piece.offset, piece.before - piece.offset, LossKind.TRUNCATED, 0, 0)
            self._store.take_back(self._claim, piece.before, loss)
            self._pipeline = self._from(self._pipeline.panes, piece.offset)

    def _commit(self) -> None:
        if self._pipeline.dirty:
            self._store.commit(self._claim, self._pipeline.checkpoint(), self._configuration.revision)
            self._pipeline.committed()


def _records(partition: Partition, read: list[Read]) -> Records:
    rows = [one.record for one in read]
    return Records(
        partition, np.array([one.offset for one in read], np.int64), np.array([r.ts_ms for r in rows], np.int64),
        [r.value for r in rows], [r.key for r in rows],
    )  # fmt: skip


def differences(found: Tables, wanted: Tables) -> list[str]:
    """How what is stored differs from what should be; nothing when it does not, to the byte."""
    said = []
    for name in ("panes", "letters"):
        one, other = getattr(found, name), getattr(wanted, name)
        said += [
            f"{name}: {key} is {_short(one.get(key))}, should be {_short(other.get(key))}"
            for key in sorted(one.keys() | other.keys(), key=repr)
            if one.get(key) != other.get(key)
        ][:3]
    for partition, row in wanted.rows.items():
        for name in ("next_offset", "highest_ms", "counts", "lost", "holes", "truncated", "jumps"):
            one, other = getattr(found.rows[partition], name), getattr(row, name)
            said += [f"{partition.topic}-{partition.number}: {name} is {one}, should be {other}"] * (
                one != other
            )
    return said + _gap_differences(found, wanted) + _id_differences(found, wanted)


def _gap_differences(found: Tables, wanted: Tables) -> list[str]:
    """Of a log that was cut off only the place is certain: what was in memory then widens the time."""

    def told(tables: Tables) -> set[object]:
        return {
            (p, loss if loss.kind is LossKind.LOST else loss.records) for (p, *_), loss in tables.gaps.items()
        }

    return [f"gaps: {one}" for one in sorted(map(repr, told(found) ^ told(wanted)))]


def _id_differences(found: Tables, wanted: Tables) -> list[str]:
    """Ids of panes that no row can reach any more may be forgotten; all others must be there."""
    one, other = _ids(found), _ids(wanted)
    said = [f"ids: {key} has ids that it should not have" for key in one if one[key] - other.get(key, set())]
    for (partition, key), hashes in other.items():
        monitors = [version.monitor for version in wanted.models[key.model]]
        patience = min(m.pane_ms + m.allowed_lateness_ms + m.disorder_ms for m in monitors)
        reachable = key.start_ms + patience > (wanted.rows[partition].highest_ms or 0)
        if reachable and hashes - one.get((partition, key), set()):
            said.append(f"ids: {partition} {key} lacks ids that a row may still repeat")
    return said


def _ids(tables: Tables) -> dict[tuple[Partition, FilterKey], set[int]]:
    made: dict[tuple[Partition, FilterKey], set[int]] = {}
    for (partition, key, _), hashes in tables.ids.items():
        made.setdefault((partition, key), set()).update(np.frombuffer(hashes, "<u8").tolist())
    return made


def _short(value: object) -> str:
    return repr(value)[:160]
