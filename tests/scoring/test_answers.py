"""Errors by labels that came: flips ring, what is usual does not, and is learned where it is not known."""

from __future__ import annotations

import numpy as np
import pytest

from service.messages import Finding, Verdict
from service.scoring.answers import (
    ERROR_RATE,
    EVIDENCE_ERROR,
    FEWEST_LEARNED,
    NOTHING_SEEN,
    TOLERANCE,
    ErrorState,
    error_findings,
    errors_of,
)
from service.sketches.pane import PaneSketch
from tests.sketches.rows import GRID as UNLABELLED
from tests.sketches.rows import LABELLED, batch_of, labels_of

LIMIT = 12.0
KNOWN = (500, 10_000)


class Labels:
    """Windows of labelled rows, one after the other."""

    def __init__(self, reference: tuple[int, int] | None, seed: int = 1) -> None:
        self.reference = reference
        self.state = NOTHING_SEEN
        self._rng = np.random.default_rng(seed)

    def window(self, rate: float, rows: int = 200) -> dict[str, Finding]:
        """What is found of so many rows that are wrong at this rate."""
        wrong = int(self._rng.binomial(rows, rate))
        self.state, found = error_findings(self.state, wrong, rows, self.reference, LIMIT)
        return {f.method: f for f in found}

    def rung(self, rate: float, windows: int, rows: int = 200) -> list[int]:
        """The windows that ring."""
        told = [self.window(rate, rows) for _ in range(windows)]
        return [
            i
            for i, f in enumerate(told)
            if EVIDENCE_ERROR in f and f[EVIDENCE_ERROR].verdict is Verdict.DRIFT
        ]


@pytest.mark.parametrize("seed", range(5))
def test_a_model_that_is_as_wrong_as_ever_never_rings(seed: int) -> None:
    assert Labels(KNOWN, seed).rung(0.05, 300) == []


@pytest.mark.parametrize("seed", range(5))
def test_errors_within_the_tolerance_never_ring(seed: int) -> None:
    assert Labels((50_000, 1_000_000), seed).rung(0.05 + TOLERANCE, 300) == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("rate", "windows"), [(0.95, 1), (0.4, 1), (0.25, 4)])
def test_flipped_and_risen_errors_ring_within_windows(rate: float, windows: int, seed: int) -> None:
    labels = Labels(KNOWN, seed)
    labels.rung(0.05, 30)
    assert labels.rung(rate, windows) != []


def test_a_model_that_becomes_better_does_not_ring() -> None:
    assert Labels(KNOWN).rung(0.0, 50) == []


def test_a_finding_tells_the_rate_beside_what_is_usual() -> None:
    found = Labels(KNOWN).window(1.0, 50)
    assert (found[ERROR_RATE].value, found[ERROR_RATE].n, found[ERROR_RATE].m) == (1.0, 50, 10_000)
    assert found[ERROR_RATE].limit == pytest.approx(0.05 + TOLERANCE, abs=0.01)
    assert found[ERROR_RATE].verdict is Verdict.OK  # it tells; the evidence rings
    assert found[EVIDENCE_ERROR].limit == LIMIT


def test_without_a_reference_of_errors_what_is_usual_is_learned_first() -> None:
    labels = Labels(None)
    for _ in range(FEWEST_LEARNED // 50 + 1):  # what is seen is also forgotten, a little
        assert set(labels.window(0.2, 50)) == {ERROR_RATE}
    assert set(labels.window(0.2, 50)) == {ERROR_RATE, EVIDENCE_ERROR}
    assert labels.rung(0.2, 200, 50) == []
    assert labels.rung(0.6, 3, 50) != []


def test_a_reference_without_labelled_rows_is_no_reference() -> None:
    assert set(Labels((0, 0)).window(0.2, 50)) == {ERROR_RATE}


def test_what_was_seen_live_raises_what_is_usual_but_never_lowers_it() -> None:
    """Served, the model is wrong more often than on its reference: by less than the tolerance, and so it is learned."""
    learned, lucky, fresh = Labels(KNOWN), Labels(KNOWN), Labels(KNOWN)
    learned.rung(0.07, 40)
    lucky.rung(0.0, 40)
    limits = [labels.window(0.05)[ERROR_RATE].limit or 0.0 for labels in (learned, lucky, fresh)]
    assert limits[0] > limits[1] == limits[2]


def test_a_flip_is_not_learned_however_long_it_lasts() -> None:
    labels = Labels(KNOWN)
    labels.rung(0.05, 30)
    usual = labels.window(0.05)[ERROR_RATE].limit
    assert labels.rung(0.4, 100) == list(range(100))
    assert labels.window(0.4)[ERROR_RATE].limit == pytest.approx(usual, abs=0.01)


def test_what_is_over_becomes_less_with_every_window_and_is_over_at_last() -> None:
    labels = Labels(KNOWN)
    labels.rung(0.05, 30)
    labels.rung(0.9, 100)
    values = [labels.window(0.05)[EVIDENCE_ERROR].value or 0.0 for _ in range(120)]
    assert values[0] <= 2 * LIMIT
    assert values[10] < values[0]
    assert values[-1] < LIMIT


def test_no_labelled_rows_say_nothing_and_change_nothing() -> None:
    state = ErrorState([1.0] * 8, 3.0, 50.0)
    assert error_findings(state, 0, 0, KNOWN, LIMIT) == (state, ())


# Rows and their labels


def sketch_of(rows: list[dict[str, object]]) -> PaneSketch:
    sketch = PaneSketch(LABELLED)
    sketch.add(batch_of(rows), slice(None))
    sketch.add(labels_of(rows), slice(None))
    return sketch


def test_wrong_are_the_rows_whose_answer_is_not_their_label() -> None:
    answers, truths = ["yes", "no", "yes", "no", "yes"], ["yes", "yes", "no", "no", None]
    rows: list[dict[str, object]] = [
        {"id": f"p-{i}", "answer": a, "truth": t, "offset": i, "amount": 0.5, "score": 0.5, "country": "DE"}
        for i, (a, t) in enumerate(zip(answers, truths, strict=True))
    ]
    sketch = sketch_of(rows)
    assert errors_of(LABELLED, [sketch.sample], [sketch.label_sample]) == (2, 4)
    assert errors_of(LABELLED, [sketch.sample], []) == (0, 0)


def test_without_labels_in_the_grid_nothing_is_known() -> None:
    sketch = PaneSketch(UNLABELLED)
    sketch.add(batch_of([{"id": "p-1", "answer": "yes"}]), slice(None))
    assert errors_of(UNLABELLED, [sketch.sample], [sketch.label_sample]) == (0, 0)
