"""The laws that benchmarks draw from, held against rows drawn from them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.laws import (
    DISCRETE,
    LATTICE,
    NORMAL,
    SKEWED,
    Law,
    divergence,
    filled,
    rescaled,
    shifted,
    spread,
)

LAWS = {
    "normal": NORMAL,
    "discrete": DISCRETE,
    "shifted": shifted(NORMAL, 0.5),
    "spread": spread(SKEWED, 1.5),
    "rescaled lattice": rescaled(LATTICE, 1.609344, 0.2),
    "filled": filled(SKEWED, 0.1),
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_as_many_rows_lie_below_a_value_as_the_law_says(law: Law) -> None:
    rows = law.draw(np.random.default_rng(3), (1, 40_000))[0]
    at = np.concatenate([np.quantile(rows, [0.05, 0.3, 0.5, 0.8, 0.99]), [0.0, 1.0, np.nextafter(1.0, 2.0)]])
    assert (rows[:, None] < at).mean(axis=0) == pytest.approx(law.below(at), abs=0.012)


def test_the_divergence_of_a_moved_normal_is_half_its_square() -> None:
    assert divergence(shifted(NORMAL, 0.2), NORMAL) == pytest.approx(0.02, rel=0.01)
