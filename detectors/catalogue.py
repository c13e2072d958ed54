"""Every detector by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from detectors.cells import group
from detectors.chi_square import ChiSquare
from detectors.correlation import Correlation
from detectors.divergence import Divergence, ExactPairs
from detectors.domain_classifier import DomainClassifier
from detectors.hellinger import Hellinger
from detectors.joint import JointScore, MomentsPair, SamplePair
from detectors.js_distance import JsDistance
from detectors.ks import Ks
from detectors.l_infinity import LInfinity
from detectors.pair import NumericPair, Pair, sizes
from detectors.pca import Pca
from detectors.psi import Psi
from detectors.score import Score, is_too_little, require_alpha, too_little_data
from detectors.tables import tabulate
from detectors.tv import Tv
from detectors.wasserstein import Wasserstein


class Detector(Protocol):
    """Scores one pair of counts; `batch` does the same for all columns of a window at once.

    An implementation keeps no state and returns equal scores for equal arguments.
    """

    @property
    def name(self) -> str:
        """Its name in the catalogue."""
        ...

    def score(self, pair: Pair, alpha: float) -> Score:
        """Score one window at a false-alarm probability of `alpha`, in (0, 1)."""
        ...


DIVERGENCES: Final[Mapping[str, Divergence]] = {
    "psi": Psi(),
    "js_distance": JsDistance(),
    "hellinger": Hellinger(),
    "tv": Tv(),
    "chi_square": ChiSquare(),
}
CATEGORICAL: Final[Mapping[str, Detector]] = {
    **{name: DIVERGENCES[name] for name in ("psi", "js_distance", "hellinger", "tv")},
    "l_infinity": LInfinity(),
    "chi_square": DIVERGENCES["chi_square"],
}
NUMERIC: Final[Mapping[str, Detector]] = {**CATEGORICAL, "ks": Ks(), "wasserstein": Wasserstein()}


def score_all(pair: Pair, alpha: float, methods: Sequence[str] | None = None) -> tuple[Score, ...]:
    """Score one pair by several methods, with the tables they share made once.

    Parameters
    ----------
    pair : NumericPair or CategoricalPair
        Counts of both sides.
    alpha : float
        Probability of a false alarm of each score, in (0, 1); correcting for their number is the caller's.
    methods : sequence of str, optional
        Names from the catalogue of the pair's kind; all of them when absent.

    Returns
    -------
    tuple of Score
        One a method, in the order of `methods`.

    Raises
    ------
    ValueError
        When a method does not fit the pair or alpha is outside (0, 1).

    Notes
    -----
    Cost: O(B + J G), about 2 ms for all eight methods at 556 bins.

    Examples
    --------
    >>> import numpy as np
    >>> from detectors.pair import CategoricalPair
    >>> pair = CategoricalPair(np.array([700, 300]), np.array([70, 30]))
    >>> [score.value for score in score_all(pair, alpha=1e-3, methods=["tv", "l_infinity"])]
    [0.0, 0.0]
    """
    require_alpha(alpha)
    known: Mapping[str, Detector] = NUMERIC if isinstance(pair, NumericPair) else CATEGORICAL
    names = tuple(known) if methods is None else tuple(methods)
    if not known.keys() >= set(names):
        message = f"unknown methods {sorted(set(names) - known.keys())}, known are {sorted(known)}"
        raise ValueError(message)
    n, m = sizes(pair)
    if is_too_little(n, m):
        return tuple(too_little_data(name, n, m) for name in names)
    shared = _score_groups(pair, alpha, [name for name in names if name in CATEGORICAL])
    return tuple(shared[name] if name in shared else known[name].score(pair, alpha) for name in names)


def _score_groups(pair: Pair, alpha: float, names: Sequence[str]) -> dict[str, Score]:
    if not names:
        return {}
    cells = group(pair)
    tables, exact = tabulate(cells), ExactPairs(cells)
    return {
        name: DIVERGENCES[name].score_tables(tables, exact, alpha)
        if name in DIVERGENCES
        else LInfinity().judge(cells, alpha).score(0)
        for name in names
    }


class MomentsDetector(Protocol):
    """Scores columns together by their second moments; called by scoring, once per window and method."""

    @property
    def name(self) -> str:
        """Its name in the catalogue."""
        ...

    def score(self, pair: MomentsPair, alpha: float) -> JointScore:
        """Score one window at a false-alarm probability of `alpha`, in (0, 1)."""
        ...


class SampleDetector(Protocol):
    """Scores columns together by rows of both sides; called by scoring, once per window and method."""

    @property
    def name(self) -> str:
        """Its name in the catalogue."""
        ...

    def score(self, pair: SamplePair, alpha: float) -> JointScore:
        """Score one window at a false-alarm probability of `alpha`, in (0, 1)."""
        ...


BY_MOMENTS: Final[Mapping[str, MomentsDetector]] = {"correlation": Correlation(), "pca": Pca()}
BY_SAMPLE: Final[Mapping[str, SampleDetector]] = {"domain_classifier": DomainClassifier()}
MULTIVARIATE: Final[Mapping[str, MomentsDetector | SampleDetector]] = {**BY_MOMENTS, **BY_SAMPLE}
