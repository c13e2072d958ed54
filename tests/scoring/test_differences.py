"""What differs between two references, the worst first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.reference.builder import build_reference
from service.reference.profile import ReferenceProfile
from service.reference.specification import ReferenceSpec
from service.scoring.differences import Difference, differences

ROWS = 2_000


def built(folder: Path, name: str, **columns: list[str]) -> ReferenceProfile:
    rows = zip(*columns.values(), strict=True)
    (folder / name).write_text("\n".join([",".join(columns), *(",".join(row) for row in rows)]) + "\n")
    return build_reference(folder / name, ReferenceSpec("churn", name))


def amounts(shift: float, seed: int) -> list[str]:
    return [f"{x:.4f}" for x in np.random.default_rng(seed).normal(shift, 1, ROWS)]


def countries(french: float, seed: int) -> list[str]:
    return np.random.default_rng(seed).choice(["DE", "FR"], ROWS, p=[1 - french, french]).tolist()


def by_name(before: ReferenceProfile, after: ReferenceProfile) -> dict[str, Difference]:
    return {one.column.name: one for one in differences(before, after)}


def test_a_share_that_moved_is_told_as_such(tmp_path: Path) -> None:
    before = built(tmp_path, "before", amount=amounts(0, 1), country=countries(0.3, 1))
    after = built(tmp_path, "after", amount=amounts(0, 2), country=countries(0.5, 2))
    found = by_name(before, after)
    assert list(found) == ["country", "amount"]
    assert found["country"].moved == pytest.approx(0.2, abs=0.03)
    assert found["amount"].moved == pytest.approx(0, abs=0.06)


def test_a_shift_of_numbers_is_larger_the_further_it_goes(tmp_path: Path) -> None:
    before = built(tmp_path, "before", amount=amounts(0, 1))
    near, far = (built(tmp_path, str(shift), amount=amounts(shift, 2)) for shift in (0.5, 3.0))
    shares = [by_name(before, after)["amount"].moved for after in (near, far)]
    # Two normal laws that lie d apart share 2 Phi(-d / 2) of their mass.
    assert shares == [pytest.approx(0.197, abs=0.04), pytest.approx(0.866, abs=0.03)]


def test_columns_that_only_one_of_them_knows_come_first(tmp_path: Path) -> None:
    before = built(tmp_path, "before", amount=amounts(0, 1), email=countries(0.5, 1))
    after = built(tmp_path, "after", amount=amounts(9, 2), user_email=countries(0.5, 1))
    first, second, third = differences(before, after)
    assert {(one.column.name, one.was is None, one.now is None) for one in (first, second)} == {
        ("email", False, True), ("user_email", True, False),
    }  # fmt: skip
    assert (third.column.name, first.moved, first.size) == ("amount", None, 1.0)


def test_what_is_missing_more_often_differs_though_its_values_do_not(tmp_path: Path) -> None:
    values = amounts(0, 1)
    before = built(tmp_path, "before", amount=values, other=values)
    after = built(tmp_path, "after", amount=[x if i % 4 else "" for i, x in enumerate(values)], other=values)
    found = by_name(before, after)
    assert list(found) == ["amount", "other"]
    assert found["amount"].size == pytest.approx(0.25)
    assert found["amount"].moved == pytest.approx(0, abs=0.05)


def test_a_reference_does_not_differ_from_itself(tmp_path: Path) -> None:
    before = built(tmp_path, "before", amount=amounts(0, 1), country=countries(0.3, 1))
    assert {one.size for one in differences(before, replace(before, name="again"))} == {0.0}
