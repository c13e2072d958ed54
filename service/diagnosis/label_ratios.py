"""Labels that are larger or smaller by a ratio: the world has changed, or how labels are made.

A unit is a property of what a producer sends; what happens in the world grows by any ratio, 1.6 as well as 1.61, and
no exactness of its counts tells the two apart. So a ratio of labels is told as what it is, a unit as what it may be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from service.diagnosis.curve import curve_of
from service.diagnosis.phrasing import named
from service.messages import Cause, Column, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.diagnosis.diagnosis import Diagnosis
    from service.diagnosis.view import ColumnView

_MOST_ALTERNATIVES = 4


def of_labels(
    column: Column, found: Sequence[Diagnosis], now: ColumnView, usual: ColumnView
) -> list[Diagnosis]:
    """The same of a feature; of a label what was taken for another unit is another world."""
    if column.role is not Role.LABEL:
        return list(found)
    return [_as_changed(one, now, usual) if one.cause is Cause.UNIT_CHANGE else one for one in found]


def _as_changed(one: Diagnosis, now: ColumnView, usual: ColumnView) -> Diagnosis:
    mean, mean_now = _mean(usual), _mean(now)
    ratio = f"{mean_now / mean:.3g} times" if mean else "not"
    said = f"{named(now.column)} is on average {ratio} what it was, {mean_now:.4g} instead of {mean:.4g}"
    sentence = f"{said}: what happens has changed, or how labels are made"
    others = [f"another unit ({one.sentence})", *one.alternatives]
    evidence = {**one.evidence, "mean": mean_now, "usual mean": mean}
    return replace(
        one, cause=Cause.DATA_DRIFT, sentence=sentence, evidence=evidence,
        alternatives=tuple(others[:_MOST_ALTERNATIVES]),
    )  # fmt: skip


def _mean(view: ColumnView) -> float:
    return 0.0 if view.numbers is None else curve_of(view.numbers).moments()[0]
