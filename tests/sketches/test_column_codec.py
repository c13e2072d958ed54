"""One column out of a sketch's bytes is what the whole sketch has of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from service.errors import FormatError
from service.messages import LABEL, PREDICTION, SCORE, Column, Role
from service.reference.regrid import parts_of
from service.sketches.codec import pane_from_bytes, pane_to_bytes
from service.sketches.column_codec import ColumnReader
from service.sketches.grids import Grid
from tests.sketches.rows import AMOUNT, COUNTRY, GRID, LABELLED, batch_of, labels_of, sketch_of

ROWS = [
    {"ts": 1_000 + i, "offset": i, "id": f"p-{i}", "amount": i / 7 if i % 5 else None, "score": i / 40,
     "country": ["US", "DE", "", None][i % 4], "answer": "yes", "truth": "no", "x1": "odd", "x2": i}
    for i in range(40)
]  # fmt: skip
SKETCH = sketch_of(batch_of(ROWS), labels_of(ROWS), grid=LABELLED)
DATA = pane_to_bytes(SKETCH)
UNKNOWN = [Column(Role.FEATURE, "x1"), Column(Role.FEATURE, "x2")]
FIRST = Path(__file__).with_name("pane-of-version-1.bin")


@pytest.mark.parametrize("column", [AMOUNT, SCORE, COUNTRY, PREDICTION, LABEL, *UNKNOWN])
def test_a_column_is_the_one_of_the_whole_sketch(column: Column) -> None:
    mine, whole = ColumnReader(LABELLED, column).read(DATA), pane_from_bytes(DATA, LABELLED)
    assert (mine.inferences, mine.labels, mine.first_ms, mine.last_ms) == (40, 40, 1_000, 1_039)
    found, expected = parts_of(mine)[column], parts_of(whole)[column]
    assert set(parts_of(mine)) == {column}
    assert found.missing.tolist() == expected.missing.tolist()
    assert (found.texts.counts, found.texts.other) == (expected.texts.counts, expected.texts.other)
    assert found.numbers_total == expected.numbers_total
    if expected.numbers is not None:
        assert found.numbers is not None
        (ours, at), (theirs, place) = found.numbers, expected.numbers
        assert ours.column_counts(at).tolist() == theirs.column_counts(place).tolist()
        assert (ours.low[at], ours.high[at]) == (theirs.low[place], theirs.high[place])
        assert ours.mean_std(at) == theirs.mean_std(place)


def test_a_column_that_nobody_knows_is_not_there() -> None:
    assert parts_of(ColumnReader(LABELLED, Column(Role.FEATURE, "none")).read(DATA)) == {}


def test_columns_of_many_panes_merge() -> None:
    reader = ColumnReader(LABELLED, AMOUNT)
    both = reader.read(DATA)
    both.merge(reader.read(DATA))
    assert both.numbers.counts.sum() == 2 * np.sum([row["amount"] is not None for row in ROWS])


def test_panes_of_the_first_version_are_read() -> None:
    with pytest.raises(FormatError, match="counted on grid"):
        ColumnReader(Grid(), AMOUNT).read(FIRST.read_bytes())
    assert (
        ColumnReader(GRID, AMOUNT).read(FIRST.read_bytes()).inferences
        == pane_from_bytes(FIRST.read_bytes(), GRID).inferences
    )


@pytest.mark.parametrize("cut", [0, 10, len(DATA) // 2, len(DATA) - 1])
def test_broken_bytes_are_a_format_error(cut: int) -> None:
    with pytest.raises(FormatError):
        ColumnReader(LABELLED, AMOUNT).read(DATA[:cut])
