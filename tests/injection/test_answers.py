"""Faults of the model's answers."""

from __future__ import annotations

import pytest

from service.errors import ConfigurationError
from service.injection.answers import PredictionShift, StuckPrediction
from tests.injection.logs import Event, faulted, of_all, rows

EIGHT = rows(8)


def answering(*answers: object) -> list[Event]:
    """Rows with these predictions."""
    return [{**e, "prediction": a} for e, a in zip(rows(len(answers)), answers, strict=True)]


def test_a_stuck_model_answers_as_it_did_when_the_fault_began() -> None:
    events = answering(
        {"label": "a", "score": 0.1}, {"label": "b", "score": 0.2}, {"label": "c", "score": 0.3}
    )
    made = of_all(faulted(StuckPrediction(), events, minute=1), "prediction")
    assert made == [{"label": "a", "score": 0.1}, {"label": "b", "score": 0.2}, {"label": "b", "score": 0.2}]


def test_values_move_by_standard_deviations_whatever_their_form() -> None:
    bare = of_all(faulted(PredictionShift(1.0), answering(0.0, 2.0, 0.0, 2.0)), "prediction")
    assert bare == pytest.approx([1.0, 3.0, 1.0, 3.0])
    named = of_all(faulted(PredictionShift(1.0), answering({"value": 0.0}, {"value": 2.0})), "prediction")
    assert [p["value"] for p in named] == pytest.approx([1.0, 3.0], abs=0.01)


def test_a_score_stays_a_probability() -> None:
    events = answering(*({"score": s} for s in (0.0, 1.0, 0.0, 1.0)))
    assert [p["score"] for p in of_all(faulted(PredictionShift(1.0), events), "prediction")] == pytest.approx(
        [0.5, 1, 0.5, 1], abs=0.01
    )


def test_a_label_grows_with_the_scores_that_it_has() -> None:
    events = answering(*({"label": "no", "score": 0.1} for _ in range(7)), {"label": "yes", "score": 0.9})
    made = of_all(faulted(PredictionShift(), events, minute=4), "prediction")
    assert made == [{"label": "no", "score": 0.1}] * 4 + [{"label": "yes", "score": 0.9}] * 4
    assert of_all(faulted(PredictionShift(label="no"), events), "prediction")[-1]["label"] == "no"


def test_a_label_that_is_never_answered_is_said() -> None:
    with pytest.raises(
        ConfigurationError, match="'maybe' is no label that the model answers; write yes or no"
    ):
        faulted(PredictionShift(label="maybe"), EIGHT)


@pytest.mark.parametrize("fault", [StuckPrediction(), PredictionShift()])
def test_a_model_without_answers_is_said(fault: StuckPrediction) -> None:
    events = [{**e, "type": "features", "prediction": None} for e in EIGHT]
    with pytest.raises(
        ConfigurationError, match=f"the events of 'churn' have no predictions, which {fault.name} needs"
    ):
        faulted(fault, events)
