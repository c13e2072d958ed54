"""Labels for some kinds of predictions only are told from chance."""

from __future__ import annotations

import numpy as np

from service.messages import Verdict
from service.performance.label_bias import FEWEST, Kind, label_bias

NAMES = {1: "no", 2: "yes"}


def kinds(labelled: np.ndarray, unlabelled: np.ndarray) -> list[Kind]:
    """By tenth of the score."""
    return [
        Kind(0, i + 1, None, int(n), int(m))
        for i, (n, m) in enumerate(zip(labelled, unlabelled, strict=True))
    ]


def test_labels_for_any_prediction_ring_less_often_than_promised() -> None:
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(10))
    rang = 0
    for _ in range(2_000):
        found = label_bias(
            kinds(rng.multinomial(300, shares), rng.multinomial(100, shares)), NAMES, alpha=0.01
        )
        assert found is not None
        rang += found.verdict is Verdict.DRIFT
    assert rang == 0  # the tolerance is on top of the bound


def test_labels_for_high_scores_only_ring_and_say_which() -> None:
    some = [Kind(2, 9, None, 400, 20), Kind(1, 2, None, 50, 500)]
    found = label_bias(some, NAMES, alpha=1e-6)
    assert found is not None
    assert found.verdict is Verdict.DRIFT
    assert found.reason in {
        "'yes' with score 0.8 to 0.9: 89% of the labelled, 4% of the others",
        "'no' with score 0.1 to 0.2: 11% of the labelled, 96% of the others",
    }
    assert (found.n, found.m) == (450, 520)


def test_too_few_of_either_say_nothing() -> None:
    assert label_bias([Kind(1, None, None, FEWEST - 1, 500)], NAMES, 0.01) is None
    assert label_bias([Kind(1, None, 3, 500, FEWEST - 1)], NAMES, 0.01) is None
    assert label_bias([], NAMES, 0.01) is None


def test_numbers_are_told_by_their_tenth() -> None:
    found = label_bias([Kind(0, None, 0, 300, 0), Kind(0, None, 9, 0, 300)], NAMES, 0.01)
    assert found is not None
    assert found.reason == "the 1. tenth of the numbers predicted: 100% of the labelled, 0% of the others"
