"""The health of a model's answers, without labels: how many are the same, how mixed they are, and how steady."""

from __future__ import annotations

from math import hypot, sqrt
from typing import Final

import numpy as np
from scipy.special import ndtr

from detectors.pair import FloatArray, IntArray
from detectors.performance.intervals import normal_quantile, wilson
from detectors.performance.metric import NO_ROWS, Metric, undefined
from detectors.prediction_health_bins import LEVEL

NO_TWINS: Final = "no_inputs_are_alike"


def commonest_share(counts: IntArray) -> Metric:
    """Return the share of the most frequent answer.

    Parameters
    ----------
    counts : (K,) int64 array
        How often each answer was given; nothing else was answered.

    Returns
    -------
    Metric
        "commonest_answer", in (0, 1], with Wilson's interval. Without value where nothing was answered.

    Notes
    -----
    The most frequent answer was chosen by the counts: with many answers and few rows its share is too high by luck.
    Cost: O(K).

    Examples
    --------
    >>> commonest_share(np.array([90, 10])).value
    0.9
    """
    n = int(counts.sum())
    if n == 0:
        return undefined("commonest_answer", 0, higher_is_better=None, reason=NO_ROWS)
    hits = int(counts.max())
    error = sqrt(hits * (n - hits) / n) / n
    return Metric("commonest_answer", hits / n, *wilson(hits, n), n, 0.0, None, error=error)


def answer_entropy(counts: IntArray) -> Metric:
    """Return how mixed the answers are.

    Parameters
    ----------
    counts : (K,) int64 array
        How often each class was answered.

    Returns
    -------
    Metric
        "answer_entropy" in bits: 0 when all answers are one class, log2(k) for k equally frequent ones. Without value
        where nothing was answered.

    Notes
    -----
    ``H = -sum p log2 p + (k - 1) / (2 n ln 2)``, Miller's correction of what few rows take away, for the k classes
    seen; at most log2(k).
    The interval is normal, with the standard error ``sqrt((sum p (log2 p)^2 - (sum p log2 p)^2) / n)``; it has no width
    where all classes are equally frequent.
    Cost: O(K).

    References
    ----------
    G. P. Basharin, "On a statistical estimate for the entropy of a sequence of independent random variables", Theory
    of Probability and its Applications 4(3), 1959, doi:10.1137/1104033.

    Examples
    --------
    >>> answer_entropy(np.array([5000, 5000])).value
    1.0
    """
    n = int(counts.sum())
    if n == 0:
        return undefined("answer_entropy", 0, higher_is_better=None, reason=NO_ROWS)
    shares = counts[counts > 0] / n
    surprise = -np.log2(shares)
    plain = float(shares @ surprise)
    most = float(np.log2(len(shares)))
    value = min(most, plain + (len(shares) - 1) / (2 * n * np.log(2)))
    error = sqrt(max(0.0, float(shares @ surprise**2) - plain**2) / n)
    reach = normal_quantile(LEVEL) * error
    return Metric("answer_entropy", value, max(0.0, value - reach), value + reach, n, 0.0, None, error=error)


def contradicted_share(name: str, inputs: IntArray, answers: FloatArray, tolerance: float) -> Metric:
    """Return the share of inputs that came more than once and were not answered alike.

    Parameters
    ----------
    name : str
        What it is called.
    inputs : (n, F) int64 array
        Rows whose codes are equal throughout are alike.
    answers : (n,) float array
        Numbers, or codes of classes; rows whose answer is NaN are left out.
    tolerance : float
        Answers that are no farther apart are alike, in their unit; 0 for classes.

    Returns
    -------
    Metric
        In [0, 1], of the `n` inputs that came more than once, with Wilson's interval over them. Without value where
        there are none.

    Notes
    -----
    Cost: O(n F log n).

    Examples
    --------
    >>> inputs = np.array([[1, 2], [1, 2], [3, 4], [3, 4], [5, 6]])
    >>> contradicted_share("exact", inputs, np.array([0.0, 1.0, 0.0, 0.0, 1.0]), 0).value
    0.5
    """
    known = ~np.isnan(answers)
    inputs, answers = inputs[known], answers[known]
    if not len(answers):
        return undefined(name, 0, higher_is_better=False, reason=NO_ROWS)
    _, of, times = np.unique(inputs, axis=0, return_inverse=True, return_counts=True)
    of = of.reshape(-1)
    lowest, highest = np.full(len(times), np.inf), np.full(len(times), -np.inf)
    np.minimum.at(lowest, of, answers)
    np.maximum.at(highest, of, answers)
    twins = times > 1
    n, hits = int(twins.sum()), int((highest[twins] - lowest[twins] > tolerance).sum())
    if n == 0:
        return undefined(name, 0, higher_is_better=False, reason=NO_TWINS)
    return Metric(name, hits / n, *wilson(hits, n), n, 0.0, False)  # noqa: FBT003


def difference_p_value(current: Metric, reference: Metric) -> float | None:
    """Return how well chance explains that two values differ.

    Parameters
    ----------
    current, reference : Metric
        The same measure of independent rows.

    Returns
    -------
    float or None
        In [0, 1]; None where either has no value or no standard error.

    Notes
    -----
    Null hypothesis: both are values of one law. Normal approximation of the difference, two-sided; each side's
    error is at least that of half a row in n, so that a share of 0 or 1 is not taken as certain.

    Examples
    --------
    >>> usual = commonest_share(np.array([600, 400]))
    >>> difference_p_value(commonest_share(np.array([80, 20])), usual) < 0.001
    True
    """
    if current.value is None or reference.value is None or current.error is None or reference.error is None:
        return None
    error = hypot(max(current.error, 0.5 / current.n), max(reference.error, 0.5 / reference.n))
    return float(2 * ndtr(-abs(current.value - reference.value) / error))
