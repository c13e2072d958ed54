"""What must hold at the end of every run, whatever happened in it."""

from __future__ import annotations

from dataclasses import fields, replace

from service.alerting.rules import VOLUME
from service.messages import LossKind, Partition, SliceResult, WindowKey
from tests.simulation.expected import counted_once, differences
from tests.simulation.ledger import Cut, Read
from tests.simulation.traffic import START_MS
from tests.simulation.windows import at_once, final
from tests.simulation.world import World

HOUR_MS = 3_600_000


def judge(world: World) -> list[str]:
    """All that is wrong; nothing when the run is as it should be."""
    stored = world.store.tables
    wanted = counted_once(world.ledger.histories, stored, world.unknown)
    said = [*dict.fromkeys(world.crashes + world.ledger.objections + world.evaluating.objections)][:5]
    for partition in sorted(stored.rows):
        said += _conservation(world, partition) + _places(world, partition) + _halts(world, partition)
    said += differences(stored, wanted.tables)
    return said + _windows(world)


def _conservation(world: World, partition: Partition) -> list[str]:
    """Every offset has one end."""
    row = world.store.tables.rows[partition]
    ends = row.counts.total + row.lost + row.holes - row.truncated
    passed = row.next_offset - row.first_offset
    return [] if ends == passed else [f"{partition}: {passed} offsets have {ends} ends: {row}"]


def _places(world: World, partition: Partition) -> list[str]:
    """0 lost and 0 duplicated: the history holds each record of the log once, and what is missing is a known gap."""
    if not world.cluster.has(partition):
        return []
    row, log = world.store.tables.rows[partition], world.cluster.log(partition)
    if str(world.cluster.topics[partition.topic].id) != row.topic_id:
        return []
    counted: dict[int, object] = {}
    said = []
    for piece in world.ledger.histories[partition]:
        if isinstance(piece, Cut):
            counted = {at: record for at, record in counted.items() if at < piece.offset}
            continue
        if piece.offset in counted:
            said.append(f"{partition}: offset {piece.offset} was counted twice")
        counted[piece.offset] = piece.record if isinstance(piece, Read) else None
    for offset, record in log.records.items():
        if row.first_offset <= offset < row.next_offset and counted.get(offset, "nothing") not in (
            record,
            None,
        ):
            said.append(f"{partition}: offset {offset} was not counted as the log has it")
    gaps = [one for (place, *_), one in world.store.tables.gaps.items() if place == partition]
    lost = sum(one.records for one in gaps if one.kind is LossKind.LOST)
    if lost != row.lost:
        said.append(f"{partition}: {row.lost} records are lost, and the gaps have {lost}")
    return said[:3]


def _halts(world: World, partition: Partition) -> list[str]:
    """Halted is who belongs to a topic that was made anew, and nobody else."""
    row = world.store.tables.rows[partition]
    anew = str(world.cluster.topics[partition.topic].id) != row.topic_id
    if anew == (row.halted is not None):
        return []
    return [f"{partition} is halted: {row.halted}; its topic was made anew: {anew}"]


def _windows(world: World) -> list[str]:
    """The last word on each window is that of a run which evaluates everything once, at the end.

    Not so for a partition whose very first event is of 1970: windows that long past are never restated, and later
    volumes are held against a history without them.
    """
    highest = max((row.highest_ms or 0 for row in world.store.tables.rows.values()), default=0)
    reached = max(world.now_ms(), highest) + HOUR_MS
    found, wanted = final(world.evaluating.up_to(reached)), final(at_once(world.store, reached))
    long_past = {key for key in found.keys() ^ wanted.keys() if key.end_ms <= START_MS - HOUR_MS}
    if world.store.tables.gaps or long_past:
        found, wanted = _with_rows(found), _with_rows(wanted)
    differing = sorted(key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key))
    return [
        _difference(key, found.get(key), wanted.get(key))
        for key in differing
        if key.end_ms > START_MS - HOUR_MS
    ][:3]


def _with_rows(windows: dict[WindowKey, SliceResult]) -> dict[WindowKey, SliceResult]:
    """Windows without rows are not restated when a gap in them is noted after their end, so volumes may differ."""
    return {
        key: replace(one, findings=tuple(f for f in one.findings if f.method != VOLUME))
        for key, one in windows.items()
        if not one.aggregate and (one.inferences or one.labels)
    }


def _difference(key: WindowKey, found: SliceResult | None, wanted: SliceResult | None) -> str:
    """Only the fields that differ."""
    if found is None or wanted is None:
        return f"{key}: {'is missing' if found is None else 'should not be'}"
    said = [
        f"{one.name} is {getattr(found, one.name)}, should be {getattr(wanted, one.name)}"
        for one in fields(SliceResult)
        if getattr(found, one.name) != getattr(wanted, one.name)
    ]
    return f"{key}: {'; '.join(said)}"
