"""What was found in a topic, as a person reads it on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from service.cli.tables import line, numbers, table_of, texts, whole
from service.dead_letters.readable import visible
from service.messages import iso
from service.monitor import format_duration
from service.plurals import counted
from service.reports.phrases import share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from service.sniffing.found import FieldFound, ModelFound, TopicFound

_REJECTED = (*whole("no events"), *numbers("records"), *texts("why"), line("begins with"))
_MOST_FIELDS = 40
_MOST_NAMES = 8


def tables_of(found: TopicFound) -> Iterator[str | Table]:
    """Lines and tables, in their order."""
    partitions = counted(found.partitions, "partition")
    if found.looked_at < found.partitions:
        partitions = f"{found.looked_at} of {partitions}"
    yield f"{found.topic}: {found.format} ({found.records:,} records of {partitions} read)"
    for model in found.models:
        yield ""
        yield from _model(model)
    if found.more_models:
        yield f"and {found.more_models} further models, not looked at"
    if found.rejected:
        yield ""
        yield _rejected(found)
    for model in found.models[:1]:
        yield ""
        more = f" --model {visible(model.model)}" if len(found.models) > 1 else ""
        yield f"a monitor for it: driftbell sniff {found.topic} --draft{more} > monitors.yaml"


def _model(model: ModelFound) -> Iterator[str | Table]:
    types = ", ".join(f"{count:,} {kind}" for kind, count in model.types.items())
    yield f"model {visible(model.model)}: {types}"
    if model.versions:
        yield f"  versions     {_listed(model.versions)}"
    if model.first_ms is not None and model.last_ms is not None:
        yield f"  events from  {iso(model.first_ms)} to {iso(model.last_ms)}"
    yield f"  task         {model.task.value}: {model.task_why}"
    yield f"  labels       {_labels(model)}"
    windows = ", ".join(spec.name for spec in model.rhythm.windows)
    yield f"  panes        {format_duration(model.rhythm.pane_ms)}, windows {windows}: {model.rhythm.why}"
    if model.features:
        yield from _fields("feature", model.features)
    if model.tags:
        yield from _fields("tag", model.tags)


def _labels(model: ModelFound) -> str:
    labels = model.labels
    if not labels.labels:
        return "none among these records"
    late = labels.median_delay_ms
    joined = f"{labels.joined:,} of predictions read here"
    said = f"{labels.labels:,}, {joined}" + (f", {format_duration(late)} later" if late is not None else "")
    return f"{said}; classes {_listed(labels.classes)}" if labels.classes else said


def _fields(title: str, fields: Sequence[FieldFound]) -> Iterator[str | Table]:
    columns = (
        *texts(title), *whole("kind"), *numbers("missing", "distinct", "from", "to"), *whole("segment"),
        line("examples"),
    )  # fmt: skip
    yield table_of(columns, map(_cells, fields[:_MOST_FIELDS]))
    if len(fields) > _MOST_FIELDS:
        yield f"and {len(fields) - _MOST_FIELDS:,} more; --json has them"


def _cells(one: FieldFound) -> tuple[str, ...]:
    return (
        one.name, one.kind.value, share(one.missing_ratio),
        "many" if one.distinct is None else f"{one.distinct:,}", _number(one.low), _number(one.high),
        "likely" if one.is_segment else "", _listed(one.examples),
    )  # fmt: skip


def _rejected(found: TopicFound) -> Table:
    rows = ((one.reason, f"{one.records:,}", one.detail, one.example) for one in found.rejected)
    return table_of(_REJECTED, rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _listed(texts: Sequence[str]) -> str:
    some = ", ".join(visible(text) for text in texts[:_MOST_NAMES])
    return some if len(texts) <= _MOST_NAMES else f"{some} and {len(texts) - _MOST_NAMES} more"
