"""How much more windows vary than independent draws would: learned from blocks of rows in their order."""

from __future__ import annotations

from typing import Final

import numpy as np

from detectors.pair import FloatArray

FEWEST_BLOCKS: Final = 8
_LEAST_EXPECTED: Final = 0.5
_NOISE: Final = 3.0


def dispersion(counts: FloatArray, proportions: FloatArray) -> FloatArray:
    """Return Pearson's chi-square over its degrees of freedom: 1 on average for independent draws.

    Parameters
    ----------
    counts : (..., F, K) float array
        Counts by group.
    proportions : (F, K) float array
        Proportions that they are compared with.

    Returns
    -------
    (..., F) float array
        At least 0. Groups with less than half an expected count are left out.

    Notes
    -----
    Null hypothesis: independent draws from `proportions`; then its mean is 1 and its variance about 2 / (K - 1).
    Cost: O(size).

    Examples
    --------
    >>> dispersion(np.array([[60.0, 40.0]]), np.array([[0.5, 0.5]])).tolist()
    [4.0]
    """
    expected = counts.sum(axis=-1, keepdims=True) * proportions
    used = expected > _LEAST_EXPECTED
    squares = np.where(used, (counts - expected) ** 2 / np.maximum(expected, _LEAST_EXPECTED), 0.0)
    return np.asarray(squares.sum(axis=-1) / np.maximum(used.sum(axis=-1) - 1, 1))


def overdispersion(blocks: FloatArray, proportions: FloatArray, n: float) -> FloatArray:
    """Return by how much counts of windows of n rows are overdispersed, at least 1.

    Parameters
    ----------
    blocks : (B, F, K) float array
        Counts of consecutive blocks of equal length.
    proportions : (F, K) float array
        Proportions of all of them together.
    n : float
        Rows of a window.

    Returns
    -------
    (F,) float array
        1 with fewer than 8 blocks, or when nothing beyond chance is seen.

    Notes
    -----
    A share that wanders with variance s**2 between windows of n rows gives ``phi(n) = 1 + n s(n)**2 / (p (1 - p))``.
    Blocks are merged in pairs, so that phi is seen at lengths b, 2 b, 4 b, ...; ``phi - 1`` grows like a power of
    the length (0: independent, 1: constant within blocks), which carries it to windows of other lengths.
    Counts divided by phi have the variance of independent draws (quasi-likelihood): a model, not a proof.
    Cost: O(B F K).

    References
    ----------
    R. W. M. Wedderburn, "Quasi-likelihood functions, generalized linear models, and the Gauss-Newton method",
    Biometrika 61(3), 1974, doi:10.1093/biomet/61.3.439.

    Examples
    --------
    >>> calm = np.random.default_rng(1).multinomial(100, [0.3, 0.7], size=(40, 1)).astype(float)
    >>> overdispersion(calm, np.array([[0.3, 0.7]]), 500).tolist()
    [1.0]
    >>> wild = np.repeat(np.array([[[100.0, 0.0]], [[0.0, 100.0]]]), 20, axis=0)
    >>> bool(overdispersion(wild, np.array([[0.5, 0.5]]), 500)[0] > 100)
    True
    """
    if len(blocks) < FEWEST_BLOCKS:
        return np.ones(len(proportions))
    lengths, seen, counts = [], [], blocks
    while len(counts) >= FEWEST_BLOCKS:
        lengths.append(float(counts.sum(axis=2).max(initial=1.0, axis=(0, 1))))
        seen.append(dispersion(counts, proportions).mean(axis=0))
        pairs = len(counts) // 2
        counts = counts[: 2 * pairs].reshape(pairs, 2, *counts.shape[1:]).sum(axis=1)
    beyond = np.maximum(np.array(seen) - 1.0, 1e-3)
    growth = np.zeros(len(proportions))
    if lengths[-1] > lengths[0]:
        growth = np.clip(np.log(beyond[-1] / beyond[0]) / np.log(lengths[-1] / lengths[0]), 0.0, 1.0)
    nearest = int(np.argmin(np.abs(np.log(np.array(lengths) / n))))
    degrees = np.maximum((proportions > 0).sum(axis=1) - 1, 1)
    noise = _NOISE * np.sqrt(2.0 / (degrees * (len(blocks) >> nearest)))
    found = beyond[nearest] * (n / lengths[nearest]) ** growth
    return np.where(seen[nearest] > 1.0 + noise, 1.0 + found, 1.0)
