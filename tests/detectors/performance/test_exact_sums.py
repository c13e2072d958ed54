from __future__ import annotations

import numpy as np
import pytest

from detectors.performance.exact_sums import LARGEST, exact_dot, exact_sum, from_limbs, in_units, to_limbs


def test_products_beyond_64_bits_are_exact():
    random = np.random.default_rng(1)
    left, right = (random.integers(-LARGEST, LARGEST + 1, 5000) for _ in range(2))

    assert exact_dot(left, right) == sum(a * b for a, b in zip(left.tolist(), right.tolist(), strict=True))


def test_a_million_of_the_largest_do_not_overflow():
    largest = np.full(1_000_000, LARGEST)

    assert exact_sum(largest) == 1_000_000 * LARGEST
    assert exact_dot(largest, -largest) == -1_000_000 * LARGEST**2


def test_what_is_not_finite_is_clipped():
    assert in_units(np.array([np.inf, -np.inf]), 1.0).tolist() == [LARGEST, -LARGEST]


@pytest.mark.parametrize("total", [0, 1, -1, 2**40, -(2**40), 2**141, -(2**141) + 12345])
def test_limbs_come_back(total):
    assert from_limbs(to_limbs([total])) == (total,)


def test_limbs_add_up_many_times():
    total = -(2**70) + 3
    assert from_limbs(1000 * to_limbs([total])) == (1000 * total,)
