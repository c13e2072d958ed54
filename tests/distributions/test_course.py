"""A column over time: each point is its windows', gaps are gaps, and what was read of how much is said."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from service.distributions.course import Course, Seen, course
from service.distributions.distribution import Origin, Rows
from service.distributions.stretches import Stretch, chosen_panes, stretches_of
from service.messages import Missing
from service.monitor import WindowSpec
from service.sketches.cells import cell
from service.sketches.pane import PaneSketch
from tests.distributions.sides import AMOUNT, COUNTRY, grid_for, numbers, texts

USUAL = np.random.default_rng(20_261_122).normal(50, 10, 5_000)
GRID = grid_for(USUAL)


def seen(place: int, sketch: PaneSketch | None, **changes: object) -> Seen:
    rows = 0 if sketch is None else sketch.inferences
    usual = {"panes": 1, "rows": rows, "of_panes": 1, "of_rows": rows}
    return Seen(Stretch(place * 10, place * 10 + 10, 1), sketch, **usual | changes)  # type: ignore[arg-type]


def followed(*parts: Seen, level: PaneSketch | None = None) -> Course:
    return course(AMOUNT, parts, Rows(level, Origin("churn-ref")))


def test_quantiles_extremes_and_means_are_those_of_each_stretch() -> None:
    random = np.random.default_rng(20_261_122)
    parts = [random.normal(50 + shift, 10, 2_000) for shift in (0, 5, 20)]
    found = followed(
        *(seen(i, numbers(GRID, one)) for i, one in enumerate(parts)), level=numbers(GRID, USUAL)
    )
    for place, values in enumerate(parts):
        for share in ("0.05", "0.5", "0.95"):
            truth = np.quantile(values, float(share))
            assert found.quantiles[share][place] == pytest.approx(truth, abs=1.0)
        assert (found.low[place], found.high[place]) == (values.min(), values.max())
        assert found.mean[place] == pytest.approx(values.mean(), abs=0.05)
    assert found.reference is not None
    assert found.reference.quantiles["0.5"] == pytest.approx(np.median(USUAL), abs=0.2)
    json.dumps(asdict(found), allow_nan=False)


def test_a_stretch_without_rows_is_a_gap() -> None:
    found = followed(seen(0, numbers(GRID, USUAL)), seen(1, None), level=numbers(GRID, USUAL))
    assert (found.quantiles["0.5"][1], found.missing["null"][1], found.mean[1]) == (None, None, None)
    assert found.rows == [5_000, 0]


def test_each_kind_of_missing_is_a_share_of_the_rows() -> None:
    gone = USUAL.copy()
    gone[:500], gone[500:750] = cell(Missing.NULL), cell(Missing.ABSENT)
    found = followed(seen(0, numbers(GRID, gone)), seen(1, numbers(GRID, np.full(9, cell(Missing.NAN)))))
    assert found.missing["null"] == [0.1, 0.0]
    assert found.missing["absent"] == [0.05, 0.0]
    assert found.missing["nan"] == [0.0, 1.0]
    assert found.quantiles["0.5"][1] is None


def test_categories_other_and_unseen_add_up() -> None:
    known = [f"c{number}" for number in range(12)]
    usual = texts(known, [name for place, name in enumerate(known) for _ in range(20 - place)])
    now = texts(known, ["c0"] * 6 + ["c11"] * 2 + ["new"] * 2)
    found = course(COUNTRY, [seen(0, usual), seen(1, now)], Rows(usual, Origin("churn-ref")))
    assert found.names[0] == "c0"
    assert len(found.names) == 7
    assert found.categories[0][1] == 0.6
    assert found.unseen == [0.0, 0.2]
    for place in (0, 1):
        shares = [*(one[place] for one in found.categories), found.other[place], found.unseen[place]]
        assert sum(one or 0 for one in shares) == pytest.approx(1, abs=1e-5)


def test_what_was_read_of_how_much_is_said() -> None:
    found = followed(seen(0, numbers(GRID, USUAL), panes=4, of_panes=60, of_rows=75_000))
    assert (found.rows, found.of_rows) == ([5_000], [75_000])
    assert "Of 60 panes 4 were read, evenly over the time of each point." in found.method


def test_few_windows_are_a_point_each_and_many_share_one() -> None:
    tumbling = WindowSpec.tumbling(10)
    assert [(one.start_ms, one.end_ms) for one in stretches_of(tumbling, 0, 35, 60)] == [
        (0, 10), (10, 20), (20, 30),
    ]  # fmt: skip
    assert stretches_of(tumbling, 5, 9, 60) == ()
    #      |--|--|--|--|--|--|--|   seven windows in three points: the newest ones are whole
    #      |--|--------|--------|
    assert stretches_of(tumbling, 0, 70, 3) == (Stretch(0, 10, 3), Stretch(10, 40, 3), Stretch(40, 70, 3))
    month = stretches_of(WindowSpec.tumbling(3_600_000), 0, 30 * 86_400_000, 60)
    assert (len(month), {one.windows for one in month}) == (60, {12})


def test_windows_that_slide_overlap() -> None:
    assert stretches_of(WindowSpec(30, 10), 20, 40, 60) == (Stretch(0, 30, 1), Stretch(10, 40, 1))


def test_panes_are_chosen_evenly_from_each_stretch() -> None:
    starts = np.arange(0, 1_000, 10)
    stretches = [Stretch(0, 500, 1), Stretch(500, 1_000, 1), Stretch(1_000, 1_500, 1)]
    assert chosen_panes(starts, stretches, 4).tolist() == [120, 370, 620, 870]
    assert chosen_panes(starts, stretches, 1_000).tolist() == starts.tolist()
    assert chosen_panes(np.empty(0, np.int64), stretches, 6).tolist() == []
