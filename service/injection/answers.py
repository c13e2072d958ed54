"""Faults of the model's answers: stuck, or shifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import UNSET

from service.errors import ConfigurationError
from service.injection.column import is_number
from service.injection.event import value_text
from service.injection.fault import Change, Expected, Fault, Ground, edit, of, option, written_like
from service.injection.survey import answers_of
from service.messages import Cause
from service.parsers import any_of

if TYPE_CHECKING:
    from service.injection.event import Event
    from service.injection.survey import Survey

PREDICTION = "prediction"
ANSWERS = (PREDICTION, "score")
"""The columns that an answer is watched in."""


@dataclass(frozen=True)
class StuckPrediction(Fault):
    """The model answers every event as it answered the fault's first one."""

    name: ClassVar = "stuck-prediction"

    def begin(self, ground: Ground) -> Change:
        _require_answers(ground.survey, self.name)
        first: list[Any] = []

        def stick(event: Event) -> None:
            if not first:
                first.append(event.field(PREDICTION))
            if first[0] is not UNSET:
                event.set_field(PREDICTION, first[0])

        return edit(stick)

    def expects(self) -> Expected:
        return of(Cause.STUCK_PREDICTION, on=ANSWERS)


@dataclass(frozen=True)
class PredictionShift(Fault):
    """The model answers otherwise: its values move, or with --share one label takes more of the events."""

    name: ClassVar = "prediction-shift"
    sigma: float = option("A value moves by so many of its standard deviations.", 0.5)
    label: str | None = option("The label that grows, with the scores it usually has (default: the rarest).")

    def begin(self, ground: Ground) -> Change:
        survey = ground.survey
        _require_answers(survey, self.name)
        if "label" in survey.answers:
            return self._relabel(ground)
        name = next((n for n in ("value", "score") if n in survey.answers), None)
        if name is None:
            raise ConfigurationError("the predictions have neither a label, a value nor a score to shift")
        by = self.sigma * survey.answers[name].std
        return edit(lambda event: _move(event, name, by))

    def _relabel(self, ground: Ground) -> Change:
        known = ground.survey.answers["label"].values
        label = [*known][-1] if self.label is None else self.label
        if label not in known:
            raise ConfigurationError(
                f"{label!r} is no label that the model answers; write {any_of([*known][:12])}"
            )
        events = ground.survey.sample
        like = [e.field(PREDICTION) for e in events if value_text(answers_of(e).get("label")) == label]

        def relabel(event: Event) -> None:
            event.set_field(PREDICTION, like[int(ground.random.integers(len(like)))])

        return edit(relabel)

    def expects(self) -> Expected:
        return of(Cause.PREDICTION_DRIFT, on=ANSWERS)


def _require_answers(survey: Survey, kind: str) -> None:
    if not survey.answers:
        raise ConfigurationError(f"the events of {survey.model!r} have no predictions, which {kind} needs")


def _move(event: Event, name: str, by: float) -> None:
    answer = event.field(PREDICTION)
    if isinstance(answer, dict) and is_number(answer.get(name)):
        old = answer[name]
        new = old + by if name == "value" else min(1.0, max(0.0, old + by))
        event.set_field(PREDICTION, {**answer, name: written_like(old, new)})
    elif is_number(answer):
        event.set_field(PREDICTION, written_like(answer, answer + by))
