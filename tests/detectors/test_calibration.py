"""The null must hold: how often each method passes its limit when nothing has changed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from detectors.catalogue import score_all
from tests.detectors.batches import batch_of

LAWS = ("normal", "lognormal", "cauchy", "few integers", "mostly zero", "sparse categories")
CHI_SQUARE_FAMILY = {"psi", "js_distance", "hellinger", "chi_square"}
ALPHA = 1e-2


def _alarms(null_pair, law, n, m, windows):
    """Count p-values below 1e-2, and below 1e-3, of fresh pairs, scored all at once."""
    random = np.random.default_rng(60)
    plan, window = batch_of([null_pair(law, random, n, m) for _ in range(windows)])
    at_limit, far = Counter(), Counter()
    for method, scores in plan.score(window, ALPHA).items():
        at_limit[method] += int((scores.value > scores.limit).sum())
        far[method] += int((scores.p_value < ALPHA / 10).sum())
    return at_limit, far


def _alarms_one_by_one(null_pair, law, n, m, windows):
    random = np.random.default_rng(60)
    at_limit, far = Counter(), Counter()
    for _ in range(windows):
        for score in score_all(null_pair(law, random, n, m), ALPHA):
            at_limit[score.method] += score.value > score.limit
            far[score.method] += score.p_value < ALPHA / 10
    return at_limit, far


def _most(expected):
    """Return a count that 1.5 times the expected rate passes in one of 10,000 runs."""
    mean = 1.5 * expected
    return mean + 3.7 * mean**0.5 + 1


@pytest.mark.parametrize("alarms", [_alarms, _alarms_one_by_one])
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("n", "m"), [(50, 1000), (1000, 1000), (10_000, 1000)])
def test_quiet_windows_rarely_ring(null_pair, law, n, m, alarms):
    windows = 120
    at_limit, far = alarms(null_pair, law, n, m, windows)
    assert max(at_limit.values(), default=0) <= _most(windows * ALPHA)
    assert max(far.values(), default=0) <= _most(windows * ALPHA / 10)


@pytest.mark.long
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [50, 200, 1000, 10_000, 100_000])
@pytest.mark.parametrize("m", [1000, 10_000, 100_000])
def test_the_false_alarm_rate_is_in_its_band(null_pair, law, n, m):
    windows = 2000 if n + m <= 20_000 else 300
    at_limit, far = _alarms(null_pair, law, n, m, windows)
    assert max(at_limit.values()) <= _most(windows * ALPHA)
    assert max(far.values(), default=0) <= _most(windows * ALPHA / 10)
    if law in {"normal", "lognormal", "cauchy"} and windows == 2000:
        assert min(at_limit[method] for method in CHI_SQUARE_FAMILY) >= 0.2 * windows * ALPHA
