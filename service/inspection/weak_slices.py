"""Weak slices in words: where a model is wrong more often than elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detectors.weak_slices import SlicedRows, SliceSearch, find_weak_slices
from service.diagnosis.phrasing import percent
from service.inspection.weak_slices_rows import LossKind

if TYPE_CHECKING:
    from detectors.weak_slices import WeakSlice
    from detectors.weak_slices_cut import Condition
    from service.inspection.weak_slices_rows import Group, LabelledRows

NO_TASK = "no_task"
REASONS = {
    NO_TASK: "the monitor names no task, so that labels are not joined; write `task: binary`, or what it is",
    "too_few_rows": "too few sampled rows have a label: a slice needs 50 of them and 1 %, and half of all are kept "
    "apart to confirm what is found",
    "losses_do_not_vary": "all answers are equally right or wrong",
}


@dataclass(frozen=True, slots=True)
class Where:
    """What a slice's rows have in common in one feature: a range of numbers, ends included, or a value, or nothing.

    An end that is None is open.
    """

    feature: str
    low: float | None
    high: float | None
    value: str | None
    is_missing: bool

    @property
    def said(self) -> str:
        """'amount from 12.5 to 40', 'country=DE'."""
        if self.is_missing:
            return f"{self.feature} missing"
        if self.value is not None:
            return f"{self.feature}={self.value}"
        if self.low is None or self.high is None:
            return f"{self.feature} " + (
                f"up to {self.high:.6g}" if self.low is None else f"from {self.low:.6g}"
            )
        if self.low == self.high:
            return f"{self.feature}={self.low:.6g}"
        return f"{self.feature} from {self.low:.6g} to {self.high:.6g}"


@dataclass(frozen=True, slots=True)
class NamedSlice:
    """A weak slice. All figures are of the rows that confirmed it; losses are shares of wrong answers, or mean errors.

    `bound` is what the slice's loss, pulled towards that of all, exceeds with a chance of 95 %.
    """

    where: tuple[Where, ...]
    rows: int
    share: float
    loss: float
    elsewhere: float
    shrunken: float
    bound: float
    p_value: float
    sentence: str


@dataclass(frozen=True, slots=True)
class SliceReport:
    """The weak slices among a sample of labelled rows, the most excess loss first; `reason`: why none was sought."""

    loss: LossKind
    loss_of_all: float | None
    sampled: int
    labelled: int
    panes: int
    of_panes: int
    tested: int
    reason: str | None
    slices: tuple[NamedSlice, ...]


def no_report(reason: str) -> SliceReport:
    """Nothing was looked at."""
    return SliceReport(LossKind.WRONG, None, 0, 0, 0, 0, 0, reason, ())


def report_of(rows: LabelledRows, search: SliceSearch | None = None) -> SliceReport:
    """Look for weak slices; half of the rows, by a bit of the hash of their ids, confirm what the others show."""
    groups = [one for one in rows.groups if len(one.values) > 1 or (one.codes < 0).any()]
    categories = np.array([one.codes for one in groups], np.int64).reshape(len(groups), len(rows.losses))
    halves = (rows.ids & np.uint64(1)).astype(np.bool_)
    found = find_weak_slices(
        SlicedRows(rows.numbers, categories, rows.losses, halves), search or SliceSearch()
    )
    return SliceReport(
        rows.loss, found.loss, rows.sampled, found.searched + found.confirming, rows.panes, rows.of_panes,
        found.tested, found.reason, tuple(_named(one, rows, groups) for one in found.slices),
    )  # fmt: skip


def headline(report: SliceReport) -> str:
    """What was looked at, and what came of it, in a sentence."""
    looked = f"{report.labelled:,} labelled rows of {report.sampled:,} sampled"
    if report.reason is not None:
        return f"nothing could be sought among {looked}: {REASONS[report.reason]}"
    everywhere = _said(report.loss, report.loss_of_all or 0.0)
    if not report.slices:
        return f"{looked}: {everywhere}, and nowhere evidently more"
    return f"{looked}: {everywhere}, and more in"


def _named(one: WeakSlice, rows: LabelledRows, groups: list[Group]) -> NamedSlice:
    where = tuple(_where(condition, rows, groups) for condition in one.conditions)
    told = f"{_said(rows.loss, one.loss)} of {one.rows:,} rows" if rows.loss is LossKind.WRONG else (
        f"{_said(rows.loss, one.loss)} in {one.rows:,} rows"
    )  # fmt: skip
    sentence = (
        f"{' and '.join(part.said for part in where)}: {told}, {_amount(rows.loss, one.elsewhere)} elsewhere, "
        f"at least {_amount(rows.loss, one.bound)} by the shrunken bound"
    )
    return NamedSlice(
        where, one.rows, one.share, one.loss, one.elsewhere, one.shrunken, one.bound, one.p_value, sentence
    )  # fmt: skip


def _where(condition: Condition, rows: LabelledRows, groups: list[Group]) -> Where:
    if condition.feature < len(rows.names):
        name, value = rows.names[condition.feature], None
    else:
        group = groups[condition.feature - len(rows.names)]
        name, value = group.name, None if condition.category is None else group.values[condition.category]
    return Where(name, condition.low, condition.high, value, condition.is_missing)


def _said(kind: LossKind, loss: float) -> str:
    if kind is LossKind.WRONG:
        return f"wrong in {percent(loss)}"
    name = "mean absolute error" if kind is LossKind.ABSOLUTE_ERROR else "mean squared error of the score"
    return f"{name} {loss:.3g}"


def _amount(kind: LossKind, loss: float) -> str:
    return percent(loss) if kind is LossKind.WRONG else f"{loss:.3g}"
