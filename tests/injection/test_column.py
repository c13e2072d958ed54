"""What a column of a log is like."""

from __future__ import annotations

import numpy as np
import pytest

from service.injection.column import facts_of, is_number


def test_numbers_and_texts_are_kept_apart() -> None:
    facts = facts_of("x", [2, 1.0, "b", "a", "b", None, True, "", [1], float("nan")])
    assert facts.numbers.tolist() == [1.0, 2.0]
    assert dict(facts.texts) == {"b": 2, "a": 1}
    assert (facts.rows, facts.is_numeric) == (10, False)
    assert {"1", "2", "true", "a", "b"} <= facts.values.keys()


def test_its_statistics_are_those_of_its_numbers() -> None:
    drawn = np.random.default_rng(1).normal(5, 2, 4_000)
    facts = facts_of("x", drawn.tolist())
    assert facts.mean == pytest.approx(drawn.mean())
    assert facts.std == pytest.approx(drawn.std(), rel=0.01)
    assert facts.quantile(0.9) == pytest.approx(np.quantile(drawn, 0.9))
    assert not facts.are_whole
    assert facts_of("x", [1, 2, 3.0, 0, 0]).share_of(0.0) == pytest.approx(0.4)


def test_equally_frequent_texts_stand_in_their_own_order() -> None:
    assert [*facts_of("x", ["c", "b", "a", "a"]).texts] == ["a", "b", "c"]


@pytest.mark.parametrize(("value", "expected"), [(1, True), (0.5, True), (True, False), ("1", False), (None, False),
                                                 (float("inf"), False), (10**400, False)])  # fmt: skip
def test_a_number_is_finite_and_no_truth_value(value: object, expected: bool) -> None:
    assert is_number(value) is expected
