"""Faults of labels: another truth for the same inputs, another mix of truths, labels that stop or come later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from service.errors import ConfigurationError
from service.injection.column import is_number
from service.injection.event import value_text
from service.injection.fault import Change, Expected, Fault, Ground, Target, edit, of, option, written_like
from service.injection.remembered import Remembered
from service.injection.times import duration_of
from service.messages import Cause
from service.parsers import any_of

if TYPE_CHECKING:
    from service.injection.event import Event
    from service.injection.survey import Survey

HARM = (Cause.CONCEPT_DRIFT, Cause.PERFORMANCE, Cause.BELOW_BASELINE)
HARMED = (None, "performance", "label")
_UNLABELED = 20_000
_WAITING = 500
"""So many rows of the growing class are at hand to stand in for others."""
_MOST_CLASSES = 50


@dataclass(frozen=True)
class ConceptFlip(Fault):
    """The truth turns around: labels change places (or a number is multiplied) while the inputs stay as they are."""

    name: ClassVar = "concept-flip"
    target: ClassVar = Target.OUTCOMES
    factor: float = option("What a label that is a number is multiplied by.", 1.5)

    def begin(self, ground: Ground) -> Change:
        facts = _require_labels(ground.survey, self.name)
        classes = _classes(ground.survey)
        if classes is None:
            return edit(lambda event: _multiply(event, self.factor))
        if facts.distinct < 2:
            raise ConfigurationError(
                f"all labels of {ground.survey.model!r} are the same, so none can take their place"
            )
        after = dict(zip(classes, [*classes[1:], classes[0]], strict=True))

        def flip(event: Event) -> None:
            label = event.field("label")
            if isinstance(label, str | int | float):
                event.set_field("label", after.get(label, label))

        return edit(flip)

    def expects(self) -> Expected:
        return of(*HARM, on=HARMED)


@dataclass(frozen=True)
class LabelSilence(Fault):
    """No labels come any more, or with --where none of one segment."""

    name: ClassVar = "label-silence"
    target: ClassVar = Target.LABELS

    def begin(self, ground: Ground) -> Change:
        _require_labels(ground.survey, self.name)
        return lambda event, hit: () if hit else (event,)

    def expects(self) -> Expected:
        return of(Cause.LABEL_SILENCE, on=[None, "label"])


@dataclass(frozen=True)
class LabelDelay(Fault):
    """Labels come later, and say so in their event times."""

    name: ClassVar = "label-delay"
    target: ClassVar = Target.LABELS
    by: str = option("So much later, such as 2h.", "1h")

    def begin(self, ground: Ground) -> Change:
        _require_labels(ground.survey, self.name)
        late_ms = duration_of(self.by, "--by")

        def delay(event: Event) -> None:
            event.late_ms = late_ms
            event.move(event.ts_ms + late_ms)

        return edit(delay)

    def expects(self) -> Expected:
        return of(Cause.LABEL_SILENCE, Cause.PIPELINE, on=[None, "label"])


@dataclass(frozen=True)
class PriorShift(Fault):
    """One truth becomes more frequent: rows of it, inputs, answer and label together, take the place of others."""

    name: ClassVar = "prior-shift"
    target: ClassVar = Target.BOTH
    value: str | None = option("The label that grows (default: the rarest).")

    def begin(self, ground: Ground) -> Change:
        facts = _require_labels(ground.survey, self.name)
        known = [*facts.values]
        grows = known[-1] if self.value is None else self.value
        if _classes(ground.survey) is None:
            raise ConfigurationError(
                "the labels are numbers of many values, of which none can become frequent"
            )
        if grows not in known:
            raise ConfigurationError(f"{grows!r} is no label; write {any_of(known[:12])}")
        return _StandIns(ground, grows)

    def expects(self) -> Expected:
        return of(Cause.PREDICTION_DRIFT, Cause.DATA_DRIFT, *HARM, on=None)


class _StandIns:
    """Rows of the growing class are known by their labels, which come later; they stand in for rows after that."""

    def __init__(self, ground: Ground, grows: str) -> None:
        self._random = ground.random
        self._label = next(label for label in ground.survey.truths if value_text(label) == grows)
        self._waiting: list[Event] = []
        self._unlabeled: Remembered[Event] = Remembered(most=_UNLABELED)
        self._replaced: Remembered[None] = Remembered()

    def __call__(self, event: Event, hit: bool) -> Sequence[Event]:  # noqa: FBT001 - as `Change` has it
        if not event.is_inference:
            self._take_label(event)
        elif hit and self._waiting and event.id:
            self._stand_in(event)
        elif event.id:
            self._unlabeled.put(event.id, event)
        return (event,)

    def _stand_in(self, event: Event) -> None:
        like = self._waiting[int(self._random.integers(len(self._waiting)))]
        event.take_features(like)
        event.set_field("prediction", like.field("prediction"))
        self._replaced.put(event.id, None)

    def _take_label(self, event: Event) -> None:
        if event.id in self._replaced:
            event.set_field("label", self._label)
            return
        seen = self._unlabeled.pop(event.id)
        if seen is not None and event.field("label") == self._label:
            self._waiting.append(seen)
            del self._waiting[:-_WAITING]


def _require_labels(survey: Survey, kind: str) -> Any:
    if not survey.labels_count:
        raise ConfigurationError(f"the log has no labels of {survey.model!r}, which {kind} needs")
    return survey.labels


def _classes(survey: Survey) -> list[Any] | None:
    """The labels that stand for classes, in their order; None of labels that are quantities."""
    plain = survey.truths
    if len(plain) > _MOST_CLASSES or any(
        isinstance(label, float) and not label.is_integer() for label in plain
    ):
        return None
    return sorted(plain, key=lambda label: (str(type(label)), label))


def _multiply(event: Event, factor: float) -> None:
    label = event.field("label")
    if is_number(label):
        event.set_field("label", written_like(label, label * factor))
