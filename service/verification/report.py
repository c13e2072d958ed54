"""What a verification has to say, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from service.verification.discrepancies import Discrepancies, Discrepancy, Kind
    from service.verification.verdict import PartitionVerdict
    from service.verification.windows import ModelVerdict

IDENTICAL, DIFFERENT, NOT_VERIFIED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Report:
    """All partitions, and the models whose windows were asked for."""

    partitions: tuple[PartitionVerdict, ...]
    models: tuple[ModelVerdict, ...] = ()

    @property
    def counted(self) -> Counter[Kind]:
        """How many discrepancies of each kind."""
        return sum((found.counted for found in self._found()), Counter())

    @property
    def exit_code(self) -> int:
        """0: all that can be verified is identical; 1: something is not; 2: something that was asked for was not."""
        if self.counted:
            return DIFFERENT
        return NOT_VERIFIED if any(model.blocked for model in self.models) else IDENTICAL

    @property
    def wrong(self) -> tuple[Discrepancy, ...]:
        """The discrepancies, at most a thousand for each partition and model."""
        return tuple(one for found in self._found() for one in found.kept)

    def _found(self) -> Iterator[Discrepancies]:
        yield from (p.wrong for p in self.partitions)
        yield from (m.wrong for m in self.models)

    def document(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {
            "identical": self.exit_code == IDENTICAL,
            "partitions": [_partition(one) for one in self.partitions],
            "models": [_model(one) for one in self.models],
            "counted": {kind.value: count for kind, count in sorted(self.counted.items())},
            "discrepancies": [one.document() for one in self.wrong],
        }


def _partition(one: PartitionVerdict) -> dict[str, Any]:
    return {
        "topic": one.partition.topic, "partition": one.partition.number, "first_offset": one.first_offset,
        "next_offset": one.next_offset, "read_from": one.read_from, "stored": asdict(one.stored),
        "expected": asdict(one.expected), "lost": one.panes.lost, "duplicated": one.panes.duplicated,
        "skipped": one.skipped, "panes": one.panes.compared, "panes_not_verifiable": one.panes.unverifiable,
        "dead_letters": one.letters, "notes": list(one.notes), "discrepancies": len(one.wrong),
    }  # fmt: skip


def _model(one: ModelVerdict) -> dict[str, Any]:
    return {
        "model": one.model, "windows": one.windows, "findings": one.findings,
        "windows_not_verifiable": one.unverifiable, "notes": list(one.notes), "not_verified_because": one.blocked,
        "discrepancies": len(one.wrong),
    }  # fmt: skip
