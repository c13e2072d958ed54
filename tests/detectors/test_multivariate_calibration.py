"""The null must hold: how often each multivariate method passes its limit when nothing has changed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from detectors.catalogue import BY_MOMENTS, BY_SAMPLE
from detectors.joint import SamplePair
from tests.detectors.rows import LAWS, draw_rows, moments_pair

ALPHA = 1e-2
LIGHT_LAWS = LAWS[:5]


def _alarms(law, n, m, columns, windows, *, blocks=True):
    """Count values above the limit, and p-values below a tenth of it, each of a fresh reference and window."""
    at_limit, far = Counter(), Counter()
    for seed in range(windows):
        random = np.random.default_rng([seed, n, m, columns])
        reference, current = draw_rows(law, random, m, columns), draw_rows(law, random, n, columns)
        pair = moments_pair(reference, current, blocks=blocks)
        sample = SamplePair(reference[:512].T, current[:512].T)
        found = [detector.score(pair, ALPHA).score for detector in BY_MOMENTS.values()]
        found += [detector.score(sample, ALPHA).score for detector in BY_SAMPLE.values()]
        for score in found:
            at_limit[score.method] += score.value is not None and score.value > score.limit
            far[score.method] += score.p_value is not None and score.p_value < ALPHA / 10
    return at_limit, far


def _most(expected):
    """Return a count that 1.5 times the expected rate passes in one of 10,000 runs."""
    mean = 1.5 * expected
    return mean + 3.7 * mean**0.5 + 1


def _assert_in_band(at_limit, far, windows):
    assert max(at_limit.values()) <= _most(windows * ALPHA)
    assert max(far.values()) <= _most(windows * ALPHA / 10)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("n", "m", "columns"), [(50, 2000, 6), (500, 2000, 12), (5000, 1000, 6)])
def test_quiet_windows_rarely_ring(law, n, m, columns):
    at_limit, far = _alarms(law, n, m, columns, 30)
    _assert_in_band(at_limit, far, 30)


@pytest.mark.parametrize("law", LIGHT_LAWS)
def test_quiet_windows_rarely_ring_without_blocks(law):
    at_limit, far = _alarms(law, 300, 2000, 8, 40, blocks=False)
    _assert_in_band(at_limit, far, 40)


def test_windows_of_a_reference_whose_rows_depend_on_each_other_rarely_ring():
    alarms = Counter()
    for seed in range(40):
        random = np.random.default_rng(seed)
        steps = random.normal(size=(6000, 6))
        for row in range(1, len(steps)):
            steps[row] = 0.9 * steps[row - 1] + 0.44 * steps[row]
        pair = moments_pair(steps[:5000], steps[5500:])
        for detector in BY_MOMENTS.values():
            alarms[detector.name] += detector.score(pair, ALPHA).score.p_value < ALPHA
    assert max(alarms.values()) <= 3


@pytest.mark.long
@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("n", [50, 500, 5000, 100_000])
@pytest.mark.parametrize("m", [1000, 10_000])
@pytest.mark.parametrize("columns", [2, 3, 10, 48])
def test_the_false_alarm_rate_is_in_its_band(law, n, m, columns):
    windows = 400 if n * columns <= 50_000 else 60
    at_limit, far = _alarms(law, n, m, columns, windows)
    _assert_in_band(at_limit, far, windows)
    if law == "normal" and windows == 400:
        assert at_limit["domain_classifier"] + at_limit["pca"] + at_limit["correlation"] > 0
