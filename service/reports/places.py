"""Where to look in Kafka: partitions and offsets of the events that a report is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.reports.document import Cells, Section, Table
from service.reports.phrases import moment

if TYPE_CHECKING:
    from service.store.report_places import LogPlace
    from service.store.report_seen import Seen

_COLUMNS = ("topic", "partition", "predictions", "offsets", "dead letters", "lost records")
_NUMBERS = frozenset(("partition", "predictions", "dead letters", "lost records"))
MOST_ROWS = 24
_OFFSETS = (
    "Offsets are those of the checkpoints that counted these events, so others may lie between them; they are known "
    "as long as a repeated id of that time could still come. Dead letters are of any model."
)


def where_to_look(seen: Seen) -> Section:
    """By partition, the most events first."""
    if not seen.places:
        return Section("Where to look in Kafka", ("No pane of that time is stored any more.",))
    said = [_OFFSETS]
    if any(one.from_offset is None for one in seen.places):
        said.append(
            f"Where they are not known any more, look from the records of {moment(seen.of.start_ms)} on "
            f"(in milliseconds {seen.of.start_ms})."
        )
    rows = tuple(map(_row, seen.places[:MOST_ROWS]))
    if len(seen.places) > MOST_ROWS:
        said.append(f"{len(seen.places) - MOST_ROWS:,} more partitions are not shown.")
    return Section("Where to look in Kafka", tuple(said), Table(_COLUMNS, rows, _NUMBERS))


def _row(one: LogPlace) -> Cells:
    known = one.from_offset is not None and one.until_offset is not None
    offsets = f"{one.from_offset} to {(one.until_offset or 1) - 1}" if known else "not known any more"
    dead = f"{one.dead:,}" + ("" if one.dead_offset is None else f", first at {one.dead_offset}")
    return one.topic, str(one.partition), f"{one.inferences:,}", offsets, dead, f"{one.lost:,}"
