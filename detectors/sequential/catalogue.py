"""Every sequential detector by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from detectors.sequential.adwin import Adwin
from detectors.sequential.cusum import Cusum
from detectors.sequential.ddm import Ddm
from detectors.sequential.eddm import Eddm
from detectors.sequential.ewma import Ewma
from detectors.sequential.hddm_a import HddmA
from detectors.sequential.hddm_w import HddmW
from detectors.sequential.kswin import Kswin
from detectors.sequential.mean_evidence import MeanEvidence
from detectors.sequential.page_hinkley import PageHinkley
from detectors.sequential.rate_evidence import RateEvidence
from detectors.sequential.sequential import Sequential

WITH_REFERENCE: Final[Mapping[str, type[Sequential[Any]]]] = {
    "rate_evidence": RateEvidence,
    "mean_evidence": MeanEvidence,
}
"""They keep a budget, and need to be told what is usual."""
SELF_TAUGHT: Final[Mapping[str, type[Sequential[Any]]]] = {
    "adwin": Adwin,
    "ddm": Ddm,
    "eddm": Eddm,
    "hddm_a": HddmA,
    "hddm_w": HddmW,
    "page_hinkley": PageHinkley,
    "cusum": Cusum,
    "ewma": Ewma,
    "kswin": Kswin,
}
"""They learn what is usual from the stream itself, and all their parameters have defaults."""
SEQUENTIAL: Final[Mapping[str, type[Sequential[Any]]]] = {**WITH_REFERENCE, **SELF_TAUGHT}
DEFAULT: Final = "rate_evidence"
"""For error rates: the one that keeps a budget of false alarms (`docs/concept-drift.md`)."""
