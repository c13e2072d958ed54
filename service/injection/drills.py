"""What a game day injects: each kind, on a column where it can be seen, as strong as such accidents are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from math import log10
from typing import TYPE_CHECKING

from service.errors import ConfigurationError
from service.injection.answers import PredictionShift, StuckPrediction
from service.injection.elsewhere import Permute, Stale, Stuck
from service.injection.fault import Fault
from service.injection.gaps import DefaultFill, Missing
from service.injection.numbers import Clipping, Rounding, Shift, Spread, Truncation, Unit
from service.injection.shape import Merge, Rename, Split, Swap, TypeChange
from service.injection.texts import CategoryCase, CategoryMix, Encoding, NewCategory, Whitespace, case_for
from service.injection.traffic import Duplicates, FarFuture, Late, OutOfOrder, Silence
from service.injection.truths import ConceptFlip, LabelDelay, LabelSilence, PriorShift
from service.monitor import format_duration
from service.parsers import suggestion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.injection.columns import Columns

POUNDS = 2.2046226218
QUICK = (
    "missing", "rename", "type-change", "unit", "default-fill", "stuck", "shift", "new-category", "stuck-prediction",
    "silence", "duplicates", "concept-flip",
)  # fmt: skip


@dataclass(frozen=True)
class Drill:
    """One fault as it is injected."""

    fault: Fault
    share: float = 1.0
    where: tuple[str, str] | None = None
    lasts: float = 1.0
    """How much of the log's second half it takes. Silence must end: else it cannot be told from the log's end."""

    def __str__(self) -> str:
        """As the options of `driftbell inject` say it."""
        said = [self.fault.name]
        for one in fields(self.fault):
            value = getattr(self.fault, one.name)
            if value != one.default:
                said.append(f"--{one.name}" if value is True else f"--{one.name} {_short(value)}")
        said += [f"--share {self.share:g}"] if self.share < 1.0 else []
        said += [f"--where {'='.join(self.where)}"] if self.where else []
        return " ".join(said)


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def drills(columns: Columns, kinds: Sequence[str] = ()) -> list[Drill]:
    """Those that apply to a model's columns, of these kinds or of all. Raises ConfigurationError for unknown kinds."""
    wrong = [
        f"there is no kind of fault {kind!r}; {suggestion(kind, _DRILLS)}"
        for kind in kinds
        if kind not in _DRILLS
    ]
    if wrong:
        raise ConfigurationError(*wrong)
    return [drill for kind, make in _DRILLS.items() if not kinds or kind in kinds for drill in make(columns)]


def _missing(columns: Columns) -> Iterator[Drill]:
    for one in columns.numbers[:1]:
        yield Drill(Missing(one.name), 0.05)
    for one in columns.texts[:1]:
        yield Drill(Missing(one.name, "absent"), 0.1)


def _default_fill(columns: Columns) -> Iterator[Drill]:
    for one in [c for c in columns.numbers if c.share_of(0.0) < 0.01][:1]:
        yield Drill(DefaultFill(one.name), 0.1)


def _rename(columns: Columns) -> Iterator[Drill]:
    for one in [*columns.numbers[:1], *columns.texts[:1]]:
        yield Drill(Rename(one.name))


def _swap(columns: Columns) -> Iterator[Drill]:
    if columns.unlike is not None:
        yield Drill(Swap(*columns.unlike))


def _merge(columns: Columns) -> Iterator[Drill]:
    pair = columns.texts[:2] if len(columns.texts) > 1 else columns.numbers[:2]
    if len(pair) == 2:
        yield Drill(Merge(pair[0].name, pair[1].name))


def _split(columns: Columns) -> Iterator[Drill]:
    for one in [*columns.texts, *columns.fine][:1]:
        yield Drill(Split(one.name))


def _type_change(columns: Columns) -> Iterator[Drill]:
    for one in columns.numbers[:1]:
        yield Drill(TypeChange(one.name))
        yield Drill(TypeChange(one.name, "unit"), 0.3)


def _unit(columns: Columns) -> Iterator[Drill]:
    for one in [c for c in columns.numbers if c.quantile(0.5) != 0.0][:1]:
        yield Drill(Unit(one.name, "kg:lb"))
        if columns.segment is not None:
            yield Drill(Unit(one.name, "kg:lb"), where=columns.segment)


def _shift(columns: Columns) -> Iterator[Drill]:
    for one in columns.numbers[:1]:
        yield Drill(Shift(one.name, 0.5))
        yield Drill(Shift(one.name, 0.5, gradual=True))


def _spread(columns: Columns) -> Iterator[Drill]:
    for one in columns.numbers[:1]:
        yield Drill(Spread(one.name))


def _rounding(columns: Columns) -> Iterator[Drill]:
    for one in columns.fine[:1]:
        yield Drill(Rounding(one.name, -round(log10(one.std))))


def _truncation(columns: Columns) -> Iterator[Drill]:
    wide = [c for c in columns.fine if c.std > 1.0]
    long = [
        c
        for c in columns.texts
        if len({text[:3] for text in c.texts}) == len(c.texts) and max(map(len, c.texts)) > 3
    ]
    for one in [*wide, *long][:1]:
        yield Drill(Truncation(one.name))


def _clipping(columns: Columns) -> Iterator[Drill]:
    for one in [c for c in columns.numbers if c.share_of(c.quantile(0.9)) < 0.05][:1]:
        yield Drill(Clipping(one.name))


def _stuck(columns: Columns) -> Iterator[Drill]:
    for one in columns.numbers[:1]:
        yield Drill(Stuck(one.name))


def _stale(columns: Columns) -> Iterator[Drill]:
    if columns.related is not None:
        yield Drill(Stale(columns.related))


def _permute(columns: Columns) -> Iterator[Drill]:
    if columns.related is not None:
        yield Drill(Permute(columns.related))


def _category_case(columns: Columns) -> Iterator[Drill]:
    for one in columns.texts:
        if any(getattr(text, case_for(one))() != text for text in one.texts):
            yield Drill(CategoryCase(one.name))
            return


def _of_texts(make: Callable[[str], Fault], share: float = 1.0) -> Callable[[Columns], Iterator[Drill]]:
    return lambda columns: (Drill(make(one.name), share) for one in columns.texts[:1])


def _stuck_prediction(columns: Columns) -> Iterator[Drill]:
    if columns.survey.answers:
        yield Drill(StuckPrediction())


def _prediction_shift(columns: Columns) -> Iterator[Drill]:
    if columns.survey.answers.keys() & {"label", "value", "score"}:
        yield Drill(PredictionShift(), 0.2 if "label" in columns.survey.answers else 1.0)


def _silence(columns: Columns) -> Iterator[Drill]:
    yield Drill(Silence(), lasts=0.5)
    if columns.segment is not None:
        yield Drill(Silence(), where=columns.segment)


def _duplicates(columns: Columns) -> Iterator[Drill]:
    if columns.survey.has_ids:
        yield Drill(Duplicates(), 0.2)


def _late(columns: Columns) -> Iterator[Drill]:
    if columns.monitor.allowed_lateness_ms > 1:
        yield Drill(Late(format_duration(columns.monitor.allowed_lateness_ms // 2)), 0.1)


def _out_of_order(columns: Columns) -> Iterator[Drill]:
    if columns.monitor.disorder_ms:
        yield Drill(OutOfOrder(format_duration(columns.monitor.disorder_ms)))


def _far_future(_: Columns) -> Iterator[Drill]:
    yield Drill(FarFuture())


def _concept_flip(columns: Columns) -> Iterator[Drill]:
    if columns.survey.labels_count and columns.survey.answers:
        yield Drill(ConceptFlip(), 0.3)
        if columns.segment is not None:
            yield Drill(ConceptFlip(), where=columns.segment)


def _prior_shift(columns: Columns) -> Iterator[Drill]:
    if 1 < columns.survey.labels.distinct <= 20:
        yield Drill(PriorShift(), 0.3)


def _label_silence(columns: Columns) -> Iterator[Drill]:
    if columns.survey.labels_count:
        yield Drill(LabelSilence())


def _label_delay(columns: Columns) -> Iterator[Drill]:
    if columns.survey.labels_count:
        yield Drill(LabelDelay(format_duration(6 * min(w.length_ms for w in columns.monitor.windows))))


_DRILLS: Mapping[str, Callable[[Columns], Iterator[Drill]]] = {
    "missing": _missing, "default-fill": _default_fill, "rename": _rename, "swap": _swap, "merge": _merge,
    "split": _split, "type-change": _type_change, "unit": _unit, "shift": _shift, "spread": _spread,
    "rounding": _rounding, "truncation": _truncation, "clipping": _clipping, "stuck": _stuck, "stale": _stale,
    "permute": _permute, "category-case": _category_case, "whitespace": _of_texts(Whitespace),
    "encoding": _of_texts(Encoding), "new-category": _of_texts(NewCategory, 0.05),
    "category-mix": _of_texts(CategoryMix, 0.15), "stuck-prediction": _stuck_prediction,
    "prediction-shift": _prediction_shift, "silence": _silence, "duplicates": _duplicates, "late": _late,
    "out-of-order": _out_of_order, "far-future": _far_future, "concept-flip": _concept_flip,
    "prior-shift": _prior_shift, "label-silence": _label_silence, "label-delay": _label_delay,
}  # fmt: skip
