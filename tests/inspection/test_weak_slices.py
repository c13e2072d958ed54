"""Weak slices are said in words, with the figures of the rows that confirmed them."""

from __future__ import annotations

import numpy as np
import pytest

from service.inspection.weak_slices import NO_TASK, Where, headline, no_report, report_of
from service.inspection.weak_slices_rows import Answers, Group, LabelledRows, LossKind, groups_of, losses_of
from service.monitor import Task
from service.performance.slices import said

N = 6_000
NAN = np.nan


def rows(losses: np.ndarray, kind: LossKind = LossKind.WRONG, seed: int = 1) -> LabelledRows:
    """Amounts evenly from 0 to 80 and a country in turn, of all of N rows."""
    amounts = np.linspace(0, 80, N)
    country = Group("country", np.arange(N) % 4, ("DE", "FR", "PL", "SE"))
    ids = np.random.default_rng(seed).integers(0, 2**63, N, np.uint64)
    return LabelledRows(("amount",), amounts[None], (country,), losses, kind, ids, 2 * N, 100, 100)


def weak(rate: float, elsewhere: float) -> np.ndarray:
    is_weak = (np.arange(N) >= N // 2) & (np.arange(N) % 4 == 0)
    return (np.random.default_rng(2).random(N) < np.where(is_weak, rate, elsewhere)).astype(np.float64)


def test_a_slice_is_named_by_its_features_with_its_share_of_wrong_answers() -> None:
    report = report_of(rows(weak(0.4, 0.1)))
    (one,) = report.slices
    amount, country = one.where
    assert (amount.feature, amount.low, amount.high) == ("amount", pytest.approx(40, abs=0.1), None)
    assert country == Where("country", None, None, "DE", is_missing=False)
    assert one.sentence == (
        f"amount from {amount.low:.6g} and country=DE: wrong in {one.loss:.0%} of {one.rows} rows, "
        f"{one.elsewhere:.0%} elsewhere, at least {one.bound:.0%} by the shrunken bound"
    ).replace("%", " %")
    assert one.loss == pytest.approx(0.4, abs=0.07)
    assert headline(report) == (
        f"{N:,} labelled rows of {2 * N:,} sampled: wrong in {report.loss_of_all:.0%}, and more in"
    ).replace("%", " %")


def test_where_nothing_is_weak_that_is_said_and_so_is_why_nothing_could_be_sought() -> None:
    assert headline(report_of(rows(weak(0.1, 0.1)))).endswith("and nowhere evidently more")
    assert "all answers are equally right" in headline(report_of(rows(np.zeros(N))))
    few = report_of(rows(np.where(np.arange(N) < 50, 1.0, NAN)))
    assert (few.reason, few.labelled) == ("too_few_rows", 50)
    assert "a slice needs 50 of them" in headline(few)
    assert "write `task: binary`" in headline(no_report(NO_TASK))


def test_errors_of_numbers_are_told_in_their_unit() -> None:
    losses = np.abs(np.random.default_rng(3).normal(size=N)) * np.where(np.arange(N) < N // 4, 300.0, 100.0)
    (one,) = report_of(rows(losses, LossKind.ABSOLUTE_ERROR)).slices
    assert one.sentence.startswith("amount up to ")
    assert (
        f"mean absolute error {one.loss:.3g} in {one.rows:,} rows, {one.elsewhere:.3g} elsewhere"
        in one.sentence
    )


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (Where("amount", 12.5, 40.0, None, is_missing=False), "amount from 12.5 to 40"),
        (Where("amount", None, 40.0, None, is_missing=False), "amount up to 40"),
        (Where("amount", 2.0, 2.0, None, is_missing=False), "amount=2"),
        (Where("amount", None, None, None, is_missing=True), "amount missing"),
    ],
)
def test_what_rows_have_in_common_reads_as_people_say_it(where: Where, words: str) -> None:
    assert where.said == words


def answers(classes: list[int], labels: list[int], scores: list[float] | None = None) -> Answers:
    nothing = np.full(len(classes), NAN)
    given = nothing if scores is None else np.array(scores)
    return Answers(np.array(classes, np.int32), given, nothing, np.array(labels, np.int32), nothing)


def test_an_answer_is_wrong_when_it_is_not_the_label_and_unknown_when_either_is_missing() -> None:
    losses, kind = losses_of(answers([1, 1, 0, 2], [1, 2, 1, 0]), Task.MULTICLASS, frozenset())
    assert kind is LossKind.WRONG
    np.testing.assert_array_equal(losses, [0, 1, NAN, NAN])


def test_bare_probabilities_are_held_against_what_was_true() -> None:
    losses, kind = losses_of(answers([0, 0, 0], [1, 2, 0], [0.9, 0.9, 0.9]), Task.BINARY, frozenset({1}))
    assert kind is LossKind.SQUARED_ERROR
    np.testing.assert_allclose(losses, [0.01, 0.81, NAN])


def test_the_error_of_a_number_is_how_far_it_is_off() -> None:
    none = np.zeros(3, np.int32)
    given = Answers(none, np.full(3, NAN), np.array([1.0, 5.0, NAN]), none, np.array([3.0, 4.5, 1.0]))
    losses, kind = losses_of(given, Task.REGRESSION, frozenset())
    assert kind is LossKind.ABSOLUTE_ERROR
    np.testing.assert_array_equal(losses, [2.0, 0.5, NAN])


def test_versions_and_declared_segments_are_read_from_the_names_of_slices() -> None:
    names = {1: said(("7", "country=DE", "a=b=c")), 2: said(("8", "country=(missing)")), 3: "__other__"}
    version, country, odd = groups_of(np.array([1, 2, 3, 1], np.int32), names, ("country", "a=b"))
    assert [version.values[code] for code in version.codes] == ["7", "8", "__other__", "7"]
    assert country.values == ("DE",)
    assert country.codes.tolist() == [0, -1, -1, 0]
    assert odd.values == ("c",)
