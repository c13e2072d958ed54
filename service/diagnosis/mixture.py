"""The share of rows that something happened to, when the others are as usual."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_HALVINGS = 14


def likeliest_share(counts: FloatArray, usual: FloatArray, changed: FloatArray) -> FloatArray:
    """The share w in [0, 1] for which counts (K,) are likeliest under (1 - w) usual + w changed, (..., K); (...).

    The log-likelihood is concave in w, so halving the interval by the sign of its slope finds the maximum.
    """
    floor = 1e-9
    usual, changed = np.broadcast_arrays(usual + floor, changed + floor)
    rise = changed - usual
    low, high = np.zeros(rise.shape[:-1]), np.ones(rise.shape[:-1])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        up = (counts * rise / (usual + middle[..., None] * rise)).sum(axis=-1) > 0
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    return (low + high) / 2


def share_error(counts: FloatArray, usual: FloatArray, changed: FloatArray, share: FloatArray) -> FloatArray:
    """The standard error of the likeliest share, by the curvature of the log-likelihood; (...)."""
    floor = 1e-9
    mixed = usual + share[..., None] * (changed - usual) + floor
    curvature = (counts * ((changed - usual) / mixed) ** 2).sum(axis=-1)
    return np.asarray(1.0 / np.sqrt(np.maximum(curvature, 1e-12)))


def mixed(share: FloatArray, usual: FloatArray, changed: FloatArray) -> FloatArray:
    """(1 - w) usual + w changed for shares w of shape (...)."""
    return np.asarray((1.0 - share)[..., None] * usual + share[..., None] * changed)
