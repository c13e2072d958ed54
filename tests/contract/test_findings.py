"""Every clause of a contract is held against a sketch: how many rows break it, and whether that is more than chance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.contract.clauses import CAUSES, UNTOLD, Code
from service.contract.findings import MOST_NEW_COLUMNS, clauses_in, contract_findings
from service.contract.grids import grid_for, rule_column
from service.messages import Verdict
from service.monitor import Monitor
from service.promises import Contract, Promise, RowRule
from service.reference.regrid import regrid_sketch
from service.sketches.grids import Grid, NumberGrid
from service.sketches.pane import PaneSketch
from tests.contract.rows import ABSENT, broken, counted, feature, found, grid_of

NUMBERS, TEXTS = grid_of("x"), grid_of(x=["DE", "FR"])


# ---------------------------------------------------------------- presence and the six kinds of missing
@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("null", None, "contract_null"),
        ("absent", ABSENT, "contract_absent"),
        ("nan", math.nan, "float_type_has_nan"),
        ("infinite", math.inf, "float_type_has_inf"),
        ("empty", "", "contract_empty"),
        ("wrong_type", "12 kg", "contract_wrong_type"),
    ],
)
def test_each_kind_of_missing_has_its_own_share(kind: str, value: Any, code: str) -> None:
    values = [1.0] * 9 + [value]
    assert broken(Promise(**{kind: 0.0}), values, NUMBERS) == {code: 0.1}
    assert broken(Promise(**{kind: 0.1}), values, NUMBERS) == {}
    others = {"null", "absent", "nan", "infinite", "empty", "wrong_type"} - {kind}
    assert broken(Promise(**dict.fromkeys(others, 0.0)), values, NUMBERS) == {}


@pytest.mark.parametrize("value", [None, ABSENT, math.nan, "", "12 kg", True, [1]])
def test_every_kind_counts_as_not_present(value: Any) -> None:
    values = [value] + [1.0] * 9
    assert broken(Promise(present=1.0), values, NUMBERS) == {Code.LOW_FRACTION_PRESENT: 0.1}


def test_a_feature_that_no_row_has_is_a_missing_column() -> None:
    assert broken(Promise(present=0.5), [ABSENT] * 20, NUMBERS) == {Code.MISSING_COLUMN: 1.0}
    assert broken(Promise(present=0.5), [ABSENT] * 20) == {Code.MISSING_COLUMN: 1.0}
    assert broken(Promise(present=0.5), [None] * 20, NUMBERS) == {Code.NOT_PRESENT: 1.0}
    assert broken(Promise(present=0.0), [ABSENT] * 20) == {}


def test_nothing_is_said_of_no_rows() -> None:
    contract = Contract({"x": Promise(present=1.0)}, (RowRule("r", "x > 0"),))
    assert (
        contract_findings(contract, PaneSketch(grid_for(Monitor("m", contract=contract), NUMBERS)), 0.01)
        == ()
    )


# ---------------------------------------------------------------- types
def test_texts_where_numbers_are_promised_are_of_the_wrong_type() -> None:
    values = [1.0] * 8 + ["2", True]
    assert broken(Promise(type="number"), values, NUMBERS) == {Code.NOT_FLOAT: 0.2}
    assert broken(Promise(type="number"), values) == {Code.NOT_FLOAT: 0.2}
    assert broken(Promise(type="number", wrong_type=0.2), values, NUMBERS) == {}


def test_numbers_where_categories_are_promised_are_of_the_wrong_type() -> None:
    assert broken(Promise(type="category"), [1.0] * 5, NUMBERS) == {Code.NOT_TEXT: 1.0}
    assert broken(Promise(type="category"), ["DE"] * 4 + [["DE"]], TEXTS) == {Code.WRONG_TYPE: 0.2}
    assert broken(Promise(type="category"), ["DE", "x"], TEXTS) == {}


def test_a_reference_that_counts_numbers_as_texts_can_still_tell_their_type_but_not_their_range() -> None:
    contract = Contract({"x": Promise(type="number", low=0.0)})
    findings = found(contract, [{"x": "DE"}, {"x": 7}, {"x": 0.5}, {"x": 1e300}], TEXTS)
    assert findings[Code.NOT_FLOAT].value == 0.25
    assert (findings[Code.SMALL].verdict, findings[Code.SMALL].reason) == (Verdict.TOO_LITTLE_DATA, UNTOLD)


# ---------------------------------------------------------------- ranges
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_rows_beyond_a_bound_in_force_are_counted_exactly(values: list[float], a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    findings = found(Contract({"x": Promise(low=low, high=high)}), [{"x": v} for v in values], NUMBERS)
    below, above = findings[Code.SMALL], findings[Code.BIG]
    assert below.value == sum(v < low for v in values) / len(values)
    assert above.value == sum(v > high for v in values) / len(values)
    assert below.resolution == above.resolution == 0.0
    assert (below.verdict is Verdict.DRIFT) == (below.value > 0)
    assert (above.verdict is Verdict.DRIFT) == (above.value > 0)


def test_a_bound_is_kept_by_the_value_itself_and_broken_by_the_next_number() -> None:
    low, high = 3.3, 7.7
    assert broken(Promise(low=low, high=high), [low, high], NUMBERS) == {}
    values = [float(np.nextafter(low, -9)), float(np.nextafter(high, 9))]
    assert broken(Promise(low=low, high=high), values, NUMBERS) == {Code.SMALL: 0.5, Code.BIG: 0.5}


def test_a_range_of_integers_has_codes_of_its_own() -> None:
    shares = broken(Promise(low=0, high=5, integer=True), [-1, 6, 3, 4], NUMBERS)
    assert shares == {Code.SMALL_INTEGER: 0.25, Code.BIG_INTEGER: 0.25}


def test_a_bound_that_is_no_edge_is_interpolated_and_says_how_far_it_may_be_off() -> None:
    values = [{"x": float(v)} for v in np.linspace(10, 20, 1_001)]
    contract = Contract({"x": Promise(high=15.0, outside=0.01)})
    sketch = regrid_sketch(counted(values, Contract(), NUMBERS), NUMBERS)
    (finding,) = contract_findings(contract, sketch, 1e-3)
    assert finding.method == Code.BIG
    assert finding.value == pytest.approx(0.5, abs=finding.resolution)
    assert 0 < finding.resolution < 0.6
    assert (
        finding.verdict is Verdict.DRIFT
    )  # so many are certainly beyond that it does not depend on the estimate


def test_an_extreme_beyond_a_bound_is_one_row_for_certain_on_any_grid() -> None:
    sketch = counted([{"x": 12.0}, {"x": 12.1}], Contract(), NUMBERS)
    (finding,) = contract_findings(Contract({"x": Promise(high=12.05)}), sketch, 1e-3)
    assert finding.verdict is Verdict.DRIFT
    (kept,) = contract_findings(Contract({"x": Promise(high=12.1)}), sketch, 1e-3)
    assert (kept.value, kept.resolution, kept.verdict) == (0.0, 0.0, Verdict.OK)


# ---------------------------------------------------------------- chance
def test_a_share_above_the_allowed_one_by_chance_is_kept() -> None:
    promise = Promise(null=0.01)
    assert broken(promise, [None] * 3 + [1.0] * 97, NUMBERS) == {}
    assert broken(promise, [None] * 300 + [1.0] * 9_700, NUMBERS) == {Code.NULL: 0.03}


def test_the_p_value_is_that_of_the_counts() -> None:
    findings = found(Contract({"x": Promise(null=0.01)}), [{"x": None}] * 3 + [{"x": 1.0}] * 97, NUMBERS)
    assert findings[Code.NULL].p_value == pytest.approx(0.0794, abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_break_a_clause_as_often_as_allowed_ring_no_oftener_than_alpha(seed: int) -> None:
    rng = np.random.default_rng(seed)
    contract, alpha, windows = Contract({"x": Promise(outside=0.05, high=0.95)}), 0.05, 200
    rang = 0
    for _ in range(windows):
        sketch = PaneSketch(grid_for(Monitor("m", contract=contract), NUMBERS))
        sketch.inferences = 200
        sketch.numbers.add(rng.random(200)[None, :])
        rang += any(one.verdict is Verdict.DRIFT for one in contract_findings(contract, sketch, alpha))
    assert rang <= windows * alpha + 3 * math.sqrt(windows * alpha)


# ---------------------------------------------------------------- integers, constants, categories, uniqueness
def test_between_narrow_bounds_fractions_are_counted_exactly() -> None:
    promise = Promise(low=0, high=100, integer=True)
    values = [float(v % 100) for v in range(990)] + [0.5] * 10
    findings = found(Contract({"x": promise}), [{"x": v} for v in values], NUMBERS)
    finding = findings[Code.NOT_INTEGER]
    assert (finding.value, finding.resolution, finding.verdict) == (0.01, 0.0, Verdict.DRIFT)


def test_elsewhere_the_sampled_rows_tell_of_fractions() -> None:
    rng = np.random.default_rng(3)
    whole = rng.integers(0, 100_000, 2_000).astype(float)
    assert broken(Promise(integer=True), whole.tolist(), NUMBERS) == {}
    shares = broken(Promise(integer=True), (whole + 0.5).tolist(), NUMBERS)
    assert shares == {Code.NOT_INTEGER: 1.0}
    some = np.where(rng.random(2_000) < 0.3, whole + 0.25, whole).tolist()
    findings = found(
        Contract({"x": Promise(integer=True, fractional=0.05)}), [{"x": v} for v in some], NUMBERS
    )
    finding = findings[Code.NOT_INTEGER]
    assert finding.value == pytest.approx(0.3, abs=finding.resolution)
    assert finding.resolution == 0.125
    assert finding.verdict is Verdict.DRIFT


def test_a_bin_that_ends_at_a_whole_number_holds_none() -> None:
    base = Grid((NumberGrid(feature("x"), np.array([3.5, 4.0, 4.5])),))
    contract = Contract({"x": Promise(integer=True, fractional=0.5)})
    sketch = counted([{"x": 3.7}] * 30 + [{"x": 4.2}] * 10, contract, base)
    sketch.sample.values = sketch.sample.values[:, :0]
    (finding,) = contract_findings(contract, sketch, 1e-2)
    assert (finding.value, finding.resolution, finding.verdict) == (0.75, 0.25, Verdict.DRIFT)


def test_a_constant_is_that_value_and_no_other() -> None:
    assert broken(Promise(constant="v1"), ["v1"] * 9 + ["v2"]) == {Code.NOT_CONSTANT: 0.1}
    assert broken(Promise(constant="v1"), ["v1"] * 9 + ["v2"], TEXTS) == {Code.NOT_CONSTANT: 0.1}
    assert broken(Promise(constant="3"), [3.0] * 9 + [3.0000001], NUMBERS) == {Code.NOT_CONSTANT: 0.1}
    assert broken(Promise(constant="3", other=0.1), [3.0] * 9 + [4.0], NUMBERS) == {}


def test_texts_that_are_no_promised_category_are_unexpected() -> None:
    values = ["DE", "FR", "IT", "XX"]
    assert broken(Promise(categories=("DE", "FR")), values, TEXTS) == {Code.UNEXPECTED_TEXT: 0.5}
    assert broken(Promise(categories=("DE", "FR", "IT")), values, TEXTS) == {Code.UNEXPECTED_TEXT: 0.25}
    assert broken(Promise(categories=("DE", "FR")), values) == {Code.UNEXPECTED_TEXT: 0.5}


def test_a_promised_category_is_known_however_many_others_there_are() -> None:
    values = [f"x{i}" for i in range(2_000)] + ["rare"] * 2_000
    findings = found(Contract({"x": Promise(categories=("rare",))}), [{"x": v} for v in values], TEXTS)
    assert (findings[Code.UNEXPECTED_TEXT].value, findings[Code.UNEXPECTED_TEXT].resolution) == (0.5, 0.0)


def test_on_another_grid_texts_that_were_not_kept_might_be_promised_ones() -> None:
    rows = [{"x": f"x{i}"} for i in range(2_000)]
    sketch = counted(rows, Contract(), TEXTS)
    (finding,) = contract_findings(Contract({"x": Promise(categories=("x1",))}), sketch, 1e-3)
    assert finding.resolution > 0.5
    assert finding.verdict is Verdict.DRIFT


def test_promised_categories_of_a_column_of_numbers_are_numbers() -> None:
    assert broken(Promise(categories=("1", "2.50")), [1, 2.5, 2, 3], NUMBERS) == {Code.UNEXPECTED_NUMBER: 0.5}


def test_repeated_texts_break_a_promise_of_unique_ones() -> None:
    assert broken(Promise(unique=0.9), [str(i) for i in range(2_000)], TEXTS) == {}
    (share,) = broken(Promise(unique=0.9), [str(i % 500) for i in range(2_000)], TEXTS).values()
    assert share == pytest.approx(0.75, abs=0.05)
    (share,) = broken(Promise(unique=0.7), [str(i % 1_000) for i in range(2_000)], TEXTS).values()
    assert share == pytest.approx(0.5, abs=0.1)
    assert broken(Promise(unique=1.0), ["a", "b", "c", "a"], TEXTS) == {Code.LOW_UNIQUE: 0.25}


def test_repeated_numbers_are_seen_where_they_have_a_bin_or_in_the_sample() -> None:
    rng = np.random.default_rng(5)
    ids = rng.permutation(10**6)[:2_000].astype(float)
    assert broken(Promise(unique=0.9), ids.tolist(), NUMBERS) == {}
    assert Code.LOW_UNIQUE in broken(Promise(unique=0.9), np.repeat(ids[:4], 500).tolist(), NUMBERS)
    assert broken(Promise(unique=0.9), [0.0] * 50 + ids[:50].tolist(), NUMBERS) == {Code.LOW_UNIQUE: 0.49}


# ---------------------------------------------------------------- new columns and rules
def test_a_feature_that_nothing_speaks_of_is_new() -> None:
    rows = [{"x": 1.0, "y": 2.0, "z": "a"}] + [{"x": 1.0, "y": None}] * 9
    assert Code.NEW_COLUMN not in found(Contract(), rows, NUMBERS)
    findings = contract_findings(
        Contract({"z": Promise()}, unknown_features=0.1), counted(rows, Contract(), NUMBERS), 1e-3
    )
    assert [(f.column, f.method, f.value, f.verdict) for f in findings] == [
        (feature("y"), Code.NEW_COLUMN, 1.0, Verdict.DRIFT)
    ]


def test_of_endless_new_features_the_most_frequent_are_named() -> None:
    rows = [{f"new{i}": 1.0 for i in range(100)}] + [{"often": 1.0}] * 5
    findings = contract_findings(Contract(unknown_features=0.0), counted(rows, Contract()), 1e-3)
    assert len(findings) == MOST_NEW_COLUMNS
    assert findings[0].column == feature("often")


def test_a_rule_is_broken_by_rows_that_can_be_judged() -> None:
    contract = Contract(rules=(RowRule("debt_needs_loan", "loan == 'yes' or balance >= 0", 0.001),))
    rows = [
        {"loan": "yes", "balance": -5},
        {"loan": "no", "balance": -5},
        {"loan": "no", "balance": None},
        {"loan": "no", "balance": 5},
    ]
    base = grid_of("balance", loan=["no", "yes"])
    (finding,) = contract_findings(contract, counted(rows, contract, base), 1e-2)
    assert finding.column == rule_column("debt_needs_loan")
    assert (finding.method, finding.n, finding.limit) == (Code.RULE, 3, 0.001)
    assert finding.value == pytest.approx(1 / 3)
    assert finding.verdict is Verdict.DRIFT


def test_a_rule_that_no_row_can_be_judged_by_says_so() -> None:
    contract = Contract(rules=(RowRule("r", "nobody > 1"),))
    (finding,) = contract_findings(contract, counted([{"x": 1.0}], contract, NUMBERS), 1e-3)
    assert (finding.verdict, finding.value) == (Verdict.TOO_LITTLE_DATA, None)


def test_a_rule_is_counted_the_same_on_the_references_own_grid() -> None:
    contract = Contract(rules=(RowRule("r", "x > 0"),))
    sketch = counted([{"x": float(v)} for v in (-1, 0, 1, 2, 3)], contract, NUMBERS)
    (finding,) = contract_findings(contract, regrid_sketch(sketch, NUMBERS), 1e-3)
    assert finding.value == pytest.approx(0.4)


# ---------------------------------------------------------------- all together
def test_merged_panes_say_what_all_rows_say() -> None:
    contract = Contract({"x": Promise(type="number", present=0.9, low=0, high=10, integer=True, unique=0.5)})
    rng = np.random.default_rng(11)
    rows = [{"x": float(v)} for v in rng.integers(-2, 13, 400)]
    whole = counted(rows, contract, NUMBERS)
    parts = counted(rows[:150], contract, NUMBERS)
    parts.merge(counted(rows[150:], contract, NUMBERS))
    said = [
        [(f.method, f.value, f.verdict) for f in contract_findings(contract, sketch, 1e-3)]
        for sketch in (whole, parts)
    ]
    assert said[0] == said[1]


def test_every_code_has_a_cause() -> None:
    assert set(CAUSES) == set(Code)


@pytest.mark.parametrize(
    ("promise", "clauses"),
    [
        (Promise(), 0),
        (Promise(present=0.0, null=0.0, absent=0.0, nan=0.0, infinite=0.0, empty=0.0, wrong_type=0.0), 7),
        (Promise(type="number", low=0, high=9, integer=True, constant="5", unique=0.1), 6),
        (Promise(type="category", wrong_type=0.1, categories=("a",)), 2),
    ],
)
def test_a_probability_is_shared_by_all_clauses(promise: Promise, clauses: int) -> None:
    contract = Contract({"x": promise})
    base = TEXTS if promise.type == "category" else NUMBERS
    assert len(contract_findings(contract, counted([{"x": 5}], contract, base), 1e-3)) == clauses
    assert clauses_in(contract) == max(1, clauses)
    more = Contract({"x": promise}, (RowRule("r", "x > 0"),), unknown_features=0.0)
    assert clauses_in(more) == clauses + 1 + MOST_NEW_COLUMNS
