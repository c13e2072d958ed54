"""Two features that part are named, with what they had in common."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.joint_change import diagnose_joint_change
from service.messages import Cause, Column, Role
from service.scoring.sampled_rows import SampledRows
from service.sketches.sample import FloatArray

COLUMNS = tuple(Column(Role.FEATURE, name) for name in ("height", "weight", "age", "income", "rent", "rooms"))


def independent(seed: int, n: int = 500) -> FloatArray:
    """No feature knows of another."""
    return np.random.default_rng(seed).normal(0, 1, (len(COLUMNS), n))


def with_pair(seed: int, how: str) -> FloatArray:
    """Age and rent go together in some way, and nothing else does."""
    rows = independent(seed)
    x, noise = rows[2], rows[4]
    angle = np.random.default_rng(seed + 1).uniform(0, 2 * np.pi, len(x))
    if how == "line":
        rows[4] = x + 0.3 * noise
    elif how == "bend":
        rows[4] = x**2 + 0.3 * noise
    elif how == "bend of the other":
        rows[2] = noise**2 + 0.3 * x
    else:
        rows[2], rows[4] = np.cos(angle) + 0.1 * x, np.sin(angle) + 0.1 * noise
    return rows


def said(before: FloatArray, now: FloatArray) -> Diagnosis | None:
    """What is said of these rows."""
    return diagnose_joint_change(*(sampled(values, seed) for seed, values in enumerate((before, now))))


def sampled(values: FloatArray, seed: int) -> SampledRows:
    """These rows, of one window."""
    n = values.shape[1]
    priorities = np.sort(np.random.default_rng(seed).integers(1, 2**60, n)).astype(np.uint64)
    return SampledRows(COLUMNS[: len(values)], values, priorities, np.zeros(n, np.int64))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("line", "their rank correlation went from 0.9"),
        ("bend", "the correlation of {rent} with how far {age} is from its middle went from 0."),
        ("bend of the other", "the correlation of {age} with how far {rent} is from its middle went from 0."),
        ("ring", "the correlation of how far both are from their middles went from -0."),
    ],
)
def test_two_features_that_part_are_named_with_what_they_had_in_common(how: str, words: str) -> None:
    found = said(with_pair(1, how), independent(2))
    assert found is not None
    assert (found.cause, set(found.columns)) == (Cause.CORRELATION_BREAK, {COLUMNS[2], COLUMNS[4]})
    assert words.format(rent="'rent'", age="'age'") in found.sentence
    assert "while each looks as usual" in found.sentence
    assert abs(float(found.evidence["correlation"])) < 0.2 < abs(float(found.evidence["correlation_usual"]))


def test_features_that_only_tell_it_together_are_named_together() -> None:
    now, parted = independent(3), independent(4)
    sign = np.sign(now[0] * now[1] * now[2])
    now[2] *= sign
    found = said(parted, now)
    assert found is None or found.confidence <= 0.8


def test_nothing_is_said_of_too_few_rows() -> None:
    assert said(independent(1, 20), independent(2)) is None
