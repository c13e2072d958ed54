"""An inferred contract is kept by more rows of the same kind, and broken by rows of another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.contract.findings import clauses_in, contract_findings
from service.contract.inference import infer_contract
from service.contract.tables import sketch_of_table
from service.contract_file import dump_contract, parse_contract
from service.messages import Verdict
from service.promises import Contract, Promise
from service.reference.builder import build_reference
from service.reference.profile import ReferenceProfile
from service.reference.specification import ReferenceSpec
from tests.reference.tables import write_csv

Columns = dict[str, Any]


def profile_of(folder: Path, columns: Columns) -> ReferenceProfile:
    """A reference of these columns, all of them features."""
    return build_reference(write_csv(folder / "reference.csv", columns), ReferenceSpec("m", "r"))


def promise_of(folder: Path, values: Any) -> Promise:
    """What is inferred of one column."""
    return infer_contract(profile_of(folder, {"x": values})).features["x"]


def mixed(rng: np.random.Generator, n: int) -> Columns:
    """Columns of many kinds."""
    return {
        "amount": rng.lognormal(3, 1, n).round(2),
        "normal": rng.normal(0, 1, n),
        "hour": rng.integers(0, 24, n),
        "flag": rng.integers(0, 2, n),
        "share": rng.beta(2, 5, n),
        "country": rng.choice(["DE", "FR", "IT"], n, p=[0.6, 0.3, 0.1]),
        "word": [f"w{k}" for k in rng.zipf(1.5, n) % 5_000],
        "customer": [f"c{k}" for k in rng.integers(0, 10**12, n)],
        "holes": [None if hole else "a" for hole in rng.random(n) < 0.2],
        "always": ["v1"] * n,
    }


def broken_by(
    contract: Contract, folder: Path, columns: Columns, reference: ReferenceProfile
) -> set[tuple[str, str]]:
    """Feature and code of each clause that a table breaks."""
    table = write_csv(folder / "new.csv", columns)
    sketch = sketch_of_table(table, ReferenceSpec("m", "r"), contract, reference.grid)
    findings = contract_findings(contract, sketch, 0.01 / clauses_in(contract))
    return {(f.column.name if f.column else "", f.method) for f in findings if f.verdict is Verdict.DRIFT}


@pytest.mark.parametrize("seed", range(5))
def test_more_rows_of_the_same_kind_keep_it(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference = profile_of(tmp_path, mixed(rng, 3_000))
    contract = infer_contract(reference)
    assert broken_by(contract, tmp_path, mixed(rng, 30_000), reference) == set()


CHANGES: dict[str, tuple[Callable[[Columns], Any], tuple[str, str]]] = {
    "cents": (lambda c: c | {"amount": c["amount"] * 100}, ("amount", "float_type_big_float")),
    "below": (lambda c: c | {"share": c["share"] - 1}, ("share", "float_type_small_float")),
    "hour": (lambda c: c | {"hour": c["hour"] + 1}, ("hour", "int_type_big_int")),
    "fraction": (lambda c: c | {"flag": c["flag"] + 0.5}, ("flag", "int_type_int_expected")),
    "category": (
        lambda c: c | {"country": [x.lower() for x in c["country"]]},
        ("country", "enum_type_unexpected_string_values"),
    ),
    "holes": (lambda c: c | {"holes": [None] * len(c["holes"])}, ("holes", "feature_type_not_present")),
    "unit": (lambda c: c | {"hour": [f"{h} h" for h in c["hour"]]}, ("hour", "float_type_string_not_float")),
    "same": (lambda c: c | {"customer": ["c1"] * len(c["customer"])}, ("customer", "feature_type_low_unique")),
    "version": (lambda c: c | {"always": ["v2"] * len(c["always"])}, ("always", "contract_not_constant")),
    "gone": (lambda c: {k: v for k, v in c.items() if k != "normal"}, ("normal", "schema_missing_column")),
    "new": (lambda c: c | {"extra": c["flag"]}, ("extra", "schema_new_column")),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_rows_of_another_kind_break_it(tmp_path: Path, change: str) -> None:
    rng = np.random.default_rng(1)
    reference = profile_of(tmp_path, mixed(rng, 3_000))
    contract = infer_contract(reference)
    alter, expected = CHANGES[change]
    assert expected in broken_by(contract, tmp_path, alter(mixed(rng, 1_000)), reference)


def test_it_reads_back_as_it_is_printed(tmp_path: Path) -> None:
    contract = infer_contract(profile_of(tmp_path, mixed(np.random.default_rng(0), 2_000)))
    assert parse_contract(dump_contract(contract), "printed") == contract


# ---------------------------------------------------------------- the slack
def test_a_kind_of_missing_that_never_occurred_is_allowed_as_far_as_so_many_rows_can_tell(
    tmp_path: Path,
) -> None:
    promise = promise_of(tmp_path, np.arange(1_000) % 7 + 0.5)
    assert promise.present == pytest.approx(1 - 0.0069)  # 0.001 ** (1 / 1000) is 0.99312
    assert (promise.null, promise.absent, promise.wrong_type) == (None, None, 0.0069)


def test_where_many_are_missing_the_kinds_that_are_not_are_said_too(tmp_path: Path) -> None:
    holes = {"x": [None if i % 5 == 0 else i + 0.5 for i in range(1_000)], "y": range(1_000)}
    promise = infer_contract(profile_of(tmp_path, holes)).features["x"]
    assert (promise.present, promise.null) == (0.75, 0.25)
    assert promise.nan == promise.infinite == promise.empty == 0.0069
    assert promise.absent is None


def test_an_end_on_which_rows_pile_up_is_the_end(tmp_path: Path) -> None:
    promise = promise_of(tmp_path, np.repeat(np.arange(24), 50))
    assert (promise.low, promise.high, promise.integer) == (0.0, 23.0, True)


def test_a_range_is_widened_by_its_own_tail_and_not_across_zero(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    uniform, heavy = (
        promise_of(tmp_path, rng.random(5_000)),
        promise_of(tmp_path, rng.lognormal(3, 1.5, 5_000)),
    )
    assert uniform.low == 0.0
    assert uniform.high is not None
    assert 1.0 < uniform.high < 1.05
    assert heavy.low == 0.0
    assert heavy.high is not None
    assert 2 * 2_000 < heavy.high < 100 * 2_000


def test_rows_to_come_seldom_leave_the_range(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    promise = promise_of(tmp_path, rng.normal(0, 1, 3_000))
    assert promise.low is not None
    assert promise.high is not None
    later = rng.normal(0, 1, 300_000)
    assert ((later < promise.low) | (later > promise.high)).mean() < 1e-5
    assert promise.high < 10


def test_categories_are_closed_only_when_few_and_seen_often(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    assert promise_of(tmp_path, rng.choice(["a", "b"], 500)).categories == ("a", "b")
    assert promise_of(tmp_path, ["a"] * 20 + ["b"] * 10).categories is None
    assert promise_of(tmp_path, ["a"] * 500 + ["b"]).categories is None
    assert promise_of(tmp_path, [f"w{k}" for k in range(60)] * 100).categories is None


def test_numbers_with_a_fraction_are_never_promised_to_be_unique(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    assert promise_of(tmp_path, rng.random(2_000)).unique is None
    assert promise_of(tmp_path, rng.integers(0, 10**9, 2_000)).unique == 0.9


def test_nothing_is_promised_of_an_empty_column(tmp_path: Path) -> None:
    contract = infer_contract(profile_of(tmp_path, {"x": [None] * 100, "y": range(100)}))
    assert contract.features["x"] == Promise()


def test_only_the_wanted_features_leave_the_others_open(tmp_path: Path) -> None:
    profile = profile_of(tmp_path, mixed(np.random.default_rng(0), 500))
    contract = infer_contract(profile, ["hour"])
    assert list(contract.features) == ["hour"]
    assert contract.unknown_features is None
    assert infer_contract(profile).unknown_features is not None


@pytest.mark.parametrize("values", [[1e150, -1e150, 1.0], [5e-324, 1e-300, 2e-300], [1e-20, 2e-20, 1e20]])
def test_extreme_numbers_give_a_range_that_holds_them(tmp_path: Path, values: list[float]) -> None:
    promise = promise_of(tmp_path, np.array(values * 40) * 1.0)
    assert promise.low is not None
    assert promise.high is not None
    assert promise.low <= min(values) <= max(values) <= promise.high
