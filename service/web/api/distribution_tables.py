"""Distributions and courses as tables: a row for each bar, or for each point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from service.messages import iso
from service.web.api.csv_rows import CsvTable

_BAR_COLUMNS = ("what", "name", "low", "high", "current", "against", "current_share", "against_share")
_COUNTS = ("rows", "of_rows", "panes", "of_panes")


def bars_table(distribution: Mapping[str, Any]) -> CsvTable:
    """The bars of a distribution, as JSON holds it."""
    return CsvTable(_BAR_COLUMNS, ([bar[name] for name in _BAR_COLUMNS] for bar in distribution["bars"]))


def points_table(course: Mapping[str, Any]) -> CsvTable:
    """The points of a course, as JSON holds it; quantiles are q1 to q99, categories follow by their names."""
    columns: dict[str, Sequence[object]] = {
        "start": list(map(iso, course["start_ms"])),
        "end": list(map(iso, course["end_ms"])),
        "incomplete": course["incomplete"],
        **{name: course[name] for name in _COUNTS},
        **{f"missing_{name}": values for name, values in course["missing"].items()},
    }
    if course["kind"] == "number":
        quantiles = {f"q{100 * float(share):g}": values for share, values in course["quantiles"].items()}
        columns |= {"low": course["low"], **quantiles, "high": course["high"], "mean": course["mean"]}
    if course["kind"] == "category":
        shares = zip(course["names"], course["categories"], strict=True)
        columns |= {f"category {name}": values for name, values in shares}
        columns |= {"other": course["other"], "unseen": course["unseen"]}
    return CsvTable(tuple(columns), zip(*columns.values(), strict=True))
