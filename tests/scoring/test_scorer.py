"""Findings: the detectors' scores on the same counts, with limits, verdicts and what people have overridden."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.catalogue import CATEGORICAL, NUMERIC, score_all
from detectors.pair import CategoricalPair, NumericPair
from detectors.proportion import score_proportion
from service.messages import Column, Finding, Role, Verdict
from service.monitor import FeatureOverride, Monitor
from service.scoring import scorer
from service.scoring.scorer import AllRows, Scorer, scorer_for
from service.scoring.tolerances import RATE_TOLERANCE, TOLERANCES
from service.sketches.grids import Grid, category_grid, number_grid
from service.sketches.pane import PaneSketch
from tests.scoring.sketches import AMOUNT, COUNTRY, GRID, REFERENCE, amounts, countries, sketch_of, usual

if TYPE_CHECKING:
    from collections.abc import Iterable

ALPHA = 1e-6
DIVERGENCES = {"psi", "js_distance", "hellinger", "tv", "chi_square"}
"""Their null laws are interpolated between window sizes."""
MONITOR = Monitor("churn")


def by_name(findings: Iterable[Finding]) -> dict[tuple[str, str], Finding]:
    """Findings by column and method."""
    return {(f.column.name if f.column else "", f.method): f for f in findings}


def score(
    current: PaneSketch, monitor: Monitor = MONITOR, alpha: float = ALPHA
) -> dict[tuple[str, str], Finding]:
    """What is found of all traffic."""
    return by_name(Scorer(monitor, REFERENCE, alpha).findings(current))


def watching(**override: object) -> Monitor:
    """A monitor with this override of the amount."""
    return replace(MONITOR, features={"amount": FeatureOverride(**override)})  # type: ignore[arg-type]


def test_a_number_columns_findings_are_the_detectors_scores_on_the_same_counts() -> None:
    current = usual(500, 9)
    mean, std = REFERENCE.numbers.mean_std(0) or (0.0, 0.0)
    low = float(min(REFERENCE.numbers.low[0], current.numbers.low[0]))
    high = float(max(REFERENCE.numbers.high[0], current.numbers.high[0]))
    counts = REFERENCE.numbers.column_counts(0), current.numbers.column_counts(0)
    pair = NumericPair(GRID.numbers[0].edges, *counts, low, high, std)
    found = score(current)
    for expected in score_all(pair, ALPHA):
        finding = found["amount", expected.method]
        assert (finding.value, finding.n, finding.m) == (expected.value, expected.n, expected.m)
        interpolated = expected.method in DIVERGENCES
        assert finding.p_value == pytest.approx(expected.p_value, rel=0.02 if interpolated else 1e-12)
    assert abs(mean) < 0.1
    assert {m for c, m in found if c == "amount"} >= set(NUMERIC)


def test_a_category_columns_findings_count_unseen_texts_as_one_more_category() -> None:
    current = sketch_of(amounts(500, 3), ["DE"] * 450 + ["XX"] * 30 + ["YY"] * 20)
    counts = REFERENCE.categories.column_counts(0)
    pair = CategoricalPair(np.append(counts, 0), np.array([450, 0, 0, 50]))
    found = score(current)
    for expected in score_all(pair, ALPHA):
        assert found["country", expected.method].value == expected.value
    assert {m for c, m in found if c == "country" and m in NUMERIC} == set(CATEGORICAL)
    unseen = found["country", "unseen"]
    assert (unseen.value, unseen.verdict) == (0.1, Verdict.DRIFT)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        (None, "missing_null"), (float("nan"), "missing_nan"), (float("inf"), "missing_infinite"),
        ("", "missing_empty"), ("abc", "missing_wrong_type"),
    ],
)  # fmt: skip
def test_each_kind_of_missing_is_a_rate_of_its_own_of_all_rows_that_speak_of_the_column(
    cell: object, kind: str
) -> None:
    found = score(sketch_of([*amounts(450, 3), *[cell] * 50], countries(500, 4)))
    assert found["amount", kind].value == 0.1
    assert found["amount", kind].n == 500
    assert found["amount", kind].verdict is Verdict.DRIFT
    others = [
        f
        for (column, method), f in found.items()
        if method.startswith("missing") and (column, method) != ("amount", kind)
    ]
    assert len(others) == 11
    assert all(f.value == 0.0 and f.verdict is Verdict.OK for f in others)


def test_values_beyond_the_references_extremes_are_out_of_range_and_those_at_them_are_not() -> None:
    low, high = float(REFERENCE.numbers.low[0]), float(REFERENCE.numbers.high[0])
    outside = [low - 1, float(np.nextafter(high, np.inf)), high * 1e9]
    found = score(sketch_of([*amounts(495, 3)[:495], low, high, *outside], countries(500, 4)))
    assert found["amount", "out_of_range"].value == 3 / 500


def test_a_rates_limit_is_the_references_rate_and_what_chance_or_the_tolerance_allows() -> None:
    reference = sketch_of([*amounts(9_900, 1), *[None] * 100], countries(10_000, 2))
    current = sketch_of([*amounts(495, 3), *[None] * 5], countries(500, 4))
    finding = by_name(Scorer(MONITOR, reference, ALPHA).findings(current))["amount", "missing_null"]
    allowed = score_proportion(100, 10_000, 5, 500, ALPHA).limit
    assert allowed is not None
    assert finding.limit == pytest.approx(0.01 + allowed)
    lenient = by_name(Scorer(watching(tolerance=0.3), reference, ALPHA).findings(current))[
        "amount", "missing_null"
    ]
    assert lenient.limit == pytest.approx(0.31)


def test_a_rise_that_is_certain_but_smaller_than_the_tolerance_is_no_drift() -> None:
    n = 100_000
    reference = sketch_of([0.5] * n, ["DE"] * n)
    current = sketch_of([*[0.5] * (n - 150), *[None] * 150], ["DE"] * n)
    finding = by_name(Scorer(MONITOR, reference, ALPHA).findings(current))["amount", "missing_null"]
    assert finding.value == 0.0015
    assert finding.p_value is not None
    assert finding.p_value < ALPHA
    assert (finding.limit, finding.verdict) == (RATE_TOLERANCE, Verdict.OK)


def test_a_feature_that_is_always_missing_in_the_reference_never_rings() -> None:
    reference = sketch_of([None] * 1_000, countries(1_000, 2))
    current = sketch_of([None] * 500, countries(500, 4))
    found = by_name(Scorer(MONITOR, reference, ALPHA).findings(current))
    assert (found["amount", "missing_null"].limit, found["amount", "missing_null"].verdict) == (
        1.0,
        Verdict.OK,
    )
    assert ("amount", "ks") not in found


def test_too_little_data_is_a_verdict_and_not_a_score() -> None:
    for finding in score(usual(9, 5)).values():
        assert (finding.value is None or finding.limit is None) == (
            finding.verdict is Verdict.TOO_LITTLE_DATA
        )
        assert finding.verdict is Verdict.TOO_LITTLE_DATA
        assert finding.reason == "too_little_data"


def test_an_ignored_feature_has_no_findings() -> None:
    assert {column for column, _ in score(usual(100, 5), watching(ignore=True))} == {"country"}


def test_methods_of_a_feature_go_before_those_of_the_monitor() -> None:
    monitor = replace(watching(methods=("ks",)), methods=("psi", "tv"))
    found = {(column, method) for column, method in score(usual(100, 5), monitor) if method in NUMERIC}
    assert found == {("amount", "ks"), ("country", "psi"), ("country", "tv")}


def test_a_tolerance_replaces_the_methods_own() -> None:
    shifted = sketch_of(amounts(500, 3, shift=1.0), countries(500, 4))
    assert score(shifted)["amount", "wasserstein"].verdict is Verdict.DRIFT
    assert score(shifted, watching(tolerance=5.0))["amount", "wasserstein"].limit == 5.0
    assert score(shifted, watching(tolerance=5.0))["amount", "wasserstein"].verdict is Verdict.OK
    assert score(usual(50_000, 8))["amount", "psi"].limit == TOLERANCES["psi"]


def test_an_override_names_features_only_not_the_score_of_the_same_name() -> None:
    score_column = Column(Role.SCORE, "score")
    grid = Grid((number_grid(score_column, np.linspace(0, 1, 500)),), (category_grid(COUNTRY, {"DE": 1}),))
    rows = sketch_of(np.linspace(0, 1, 500).tolist(), ["DE"] * 500, grid)
    monitor = replace(MONITOR, features={"score": FeatureOverride(ignore=True)})
    assert ("score", "ks") in by_name(Scorer(monitor, rows, ALPHA).findings(rows))


def test_the_budget_counts_the_tests_that_are_run() -> None:
    found = Scorer(MONITOR, REFERENCE, ALPHA).findings(usual(100, 5))
    assert scorer.tests_in(REFERENCE, MONITOR) == len(found) + 1
    for monitor in (
        watching(ignore=True),
        watching(methods=("ks", "psi")),
        replace(MONITOR, methods=("tv", "wasserstein")),
    ):
        assert (
            scorer.tests_in(REFERENCE, monitor)
            == len(Scorer(monitor, REFERENCE, ALPHA).findings(usual(100, 5))) + 1
        )


class OfFrance:
    """A reference that knows the rows of one segment."""

    sketch = REFERENCE

    def segment(self, name: str) -> PaneSketch | None:
        """France."""
        return sketch_of(amounts(1_000, 5, shift=3.0), ["FR"] * 1_000) if name == "country=FR" else None


def test_a_segment_is_compared_with_the_references_rows_of_that_segment() -> None:
    french = sketch_of(amounts(500, 6, shift=3.0), ["FR"] * 500)
    found = by_name(scorer_for(MONITOR, OfFrance(), "country=FR", ALPHA).findings(french))
    assert found["amount", "wasserstein"].verdict is Verdict.OK
    assert found["amount", "wasserstein"].m == 1_000
    usual_french = sketch_of(amounts(500, 6), ["FR"] * 500)
    again = by_name(scorer_for(MONITOR, OfFrance(), "country=FR", ALPHA).findings(usual_french))
    assert again["amount", "wasserstein"].verdict is Verdict.DRIFT


def test_the_feature_that_makes_a_segment_is_not_scored_in_it() -> None:
    french = sketch_of(amounts(500, 6), ["FR"] * 500)
    for reference in (OfFrance(), AllRows(REFERENCE)):
        found = scorer_for(MONITOR, reference, "country=FR", ALPHA).findings(french)
        assert {f.column for f in found} == {AMOUNT}


def test_a_segment_without_rows_of_its_own_in_the_reference_is_scored_for_quality_only() -> None:
    italian = sketch_of([*amounts(450, 6, shift=9.0), *[None] * 50], ["IT"] * 500)
    found = by_name(scorer_for(MONITOR, OfFrance(), "country=IT", ALPHA).findings(italian))
    assert {method for _, method in found} == {
        f"missing_{kind}" for kind in ("null", "absent", "nan", "infinite", "empty", "wrong_type")
    }
    assert found["amount", "missing_null"].verdict is Verdict.DRIFT


CELLS = st.one_of(
    st.none(), st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, -0.0, 1.0, 5e-324, 1.7e308, -1.7e308]), st.text(max_size=2), st.booleans(),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(CELLS, st.one_of(st.none(), st.sampled_from(["DE", "FR", "ZZ", ""]))), max_size=60),
    st.lists(st.tuples(CELLS, st.one_of(st.none(), st.sampled_from(["DE", "FR", "ZZ", ""]))), max_size=60),
    st.sampled_from([1e-12, 1e-6, 0.05]),
)
def test_no_finding_holds_nan_or_infinity_whatever_the_cells(
    before: list[tuple[object, object]], after: list[tuple[object, object]], alpha: float
) -> None:
    reference, current = (sketch_of([a for a, _ in rows], [c for _, c in rows]) for rows in (before, after))
    for finding in Scorer(MONITOR, reference, alpha).findings(current):
        numbers = (finding.value, finding.limit, finding.p_value, finding.resolution)
        assert all(x is None or math.isfinite(x) for x in numbers), finding
        assert (finding.verdict is Verdict.DRIFT) == (
            finding.value is not None and finding.limit is not None and finding.value > finding.limit
        )
