"""A year of bike sharing drifts through all seasons, and nothing in it was renamed, swapped or recoded."""

from __future__ import annotations

import csv
import gzip
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.missing import diagnose_missing
from service.diagnosis.structure import diagnose_structure
from service.diagnosis.texts import diagnose_text
from service.diagnosis.types import diagnose_type
from service.diagnosis.view import SliceView
from service.messages import Cause
from service.sketches.grids import Grid
from tests.diagnosis.slices import grid_of, slice_of

YEAR = 8_645
NUMBERS = ("hr", "temp", "atemp", "hum", "windspeed", "casual", "registered")
TEXTS = ("season", "workingday", "weathersit")
CLAIMS = {
    Cause.RENAME,
    Cause.SWAP,
    Cause.CATEGORY_ENCODING,
    Cause.TYPE_CHANGE,
    Cause.MISSING,
    Cause.SCHEMA_CHANGE,
}


@cache
def hours() -> list[dict[str, str]]:
    packed = files("service.demo").joinpath("data/bikeshare_hour.csv.gz").read_bytes()
    return list(csv.DictReader(gzip.decompress(packed).decode().splitlines()))


def between(start: int, end: int) -> dict[str, list[Any]]:
    rows = hours()[start:end]
    numbers = {name: [float(row[name]) for row in rows] for name in NUMBERS}
    return numbers | {name: [f"{name} {row[name]}" for row in rows] for name in TEXTS}


@cache
def reference() -> tuple[SliceView, Grid]:
    grid = grid_of(between(0, YEAR))
    return slice_of(between(0, YEAR), grid), grid


def everything_said(before: SliceView, now: SliceView) -> list[Diagnosis]:
    usual, _ = reference()
    found = list(diagnose_structure(usual, before, now, list(usual.columns)))
    for name, view in now.columns.items():
        three = usual.columns[name], before.columns[name], view
        found += [*diagnose_missing(*three), *diagnose_type(*three)]
        found += diagnose_text(*three) if view.n_texts else ()
    return found


@pytest.mark.parametrize("rows", [168, 720])
def test_no_week_or_month_of_the_next_year_is_called_broken(rows: int):
    _, grid = reference()
    for start in range(YEAR, len(hours()) - rows, 900):
        before, now = (
            slice_of(between(*at), grid) for at in ((start - 4 * rows, start), (start, start + rows))
        )
        claimed = [
            one.sentence
            for one in everything_said(before, now)
            if one.cause in CLAIMS and one.confidence >= 0.6
        ]
        assert not claimed


def test_a_rename_in_the_middle_of_summer_is_found():
    usual, grid = reference()
    start = YEAR + 4_000
    before, rows = slice_of(between(start - 672, start), grid), between(start, start + 168)
    rows["feels_like"] = rows.pop("atemp")
    found = diagnose_structure(usual, before, slice_of(rows, grid), list(usual.columns))
    assert [(one.cause, one.columns[1].name) for one in found if one.cause is Cause.RENAME] == [
        (Cause.RENAME, "feels_like")
    ]


def test_a_swap_in_the_middle_of_summer_is_found():
    usual, grid = reference()
    start = YEAR + 4_000
    before, rows = slice_of(between(start - 672, start), grid), between(start, start + 168)
    rows["hum"], rows["windspeed"] = rows["windspeed"], rows["hum"]
    found = diagnose_structure(usual, before, slice_of(rows, grid), list(usual.columns))
    assert [{c.name for c in one.columns} for one in found if one.cause is Cause.SWAP] == [
        {"hum", "windspeed"}
    ]
