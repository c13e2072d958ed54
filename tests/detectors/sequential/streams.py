"""Streams with known changes, and every sequential detector in the shapes that the battery tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.pair import FloatArray
from detectors.sequential.adwin import Adwin
from detectors.sequential.catalogue import SELF_TAUGHT
from detectors.sequential.cusum import Cusum
from detectors.sequential.ewma import Ewma
from detectors.sequential.hddm_a import HddmA
from detectors.sequential.hddm_w import HddmW
from detectors.sequential.kswin import Kswin
from detectors.sequential.mean_evidence import MeanEvidence
from detectors.sequential.page_hinkley import PageHinkley
from detectors.sequential.rate_evidence import RateEvidence
from detectors.sequential.sequential import Sequential

DETECTORS: dict[str, Sequential[Any]] = {
    "rate_evidence": RateEvidence(1_000, 10_000),
    "mean_evidence": MeanEvidence(0.1, 0.5, 10_000),
    "mean_evidence up": MeanEvidence(0.1, 0.5, 10_000, mode="up"),
    **{name: method() for name, method in SELF_TAUGHT.items()},
    "adwin of rates": Adwin(rates=True),
    "adwin at every row": Adwin(clock=1, max_buckets=2, min_window_length=1, grace_period=0),
    "cusum of rates": Cusum(rates=True),
    "cusum down": Cusum(mode="down"),
    "ewma up": Ewma(mode="up"),
    "hddm_a of both sides": HddmA(two_sided_test=True),
    "hddm_w of both sides": HddmW(two_sided_test=True),
    "kswin of halves": Kswin(window_size=40, stat_size=20),
    "page_hinkley without fading": PageHinkley(alpha=1.0, threshold=5.0),
}
NAMES = list(DETECTORS)


def errors(seed: int, *rates: float, size: int = 1_000) -> FloatArray:
    """Errors at one rate after the other, so many rows each."""
    random = np.random.default_rng(seed)
    return (random.random(size * len(rates)) < np.repeat(rates, size)).astype(np.float64)


def published() -> dict[str, FloatArray]:
    """River's own test streams, drawn as its tests draw them."""
    random = np.random.RandomState
    first, second, third, fourth = random(12345), random(12345), random(12345), random(42)
    integers = np.concatenate([first.randint(2, size=1000), first.randint(8, size=1000)])
    bits = np.concatenate([second.binomial(1, 0.2, 1000), second.binomial(1, 0.8, 1000)])
    signs = np.concatenate([third.normal(mean, 0.1, 500) > 0 for mean in (0, 0.25, 0, 0.25)])
    levels = [fourth.normal(mean, sd, 1000) for mean, sd in ((0.8, 0.05), (0.4, 0.02), (0.6, 0.1))]
    streams = {"integers": integers, "bits": bits, "signs": signs, "levels": np.concatenate(levels)}
    return {name: np.asarray(stream, dtype=np.float64) for name, stream in streams.items()}
