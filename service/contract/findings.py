"""Holds a contract against the sketch of some rows: one finding a clause, whose method is its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.contract.clauses import MISSING_CODES, UNTOLD, Code, Count, exactly
from service.contract.grids import rule_column
from service.contract.numbers import number_counts
from service.contract.texts import text_counts
from service.diagnosis.view import view_of
from service.expressions.columns import spelled
from service.messages import Column, Finding, Missing, Role, Verdict
from service.reference.regrid import parts_of
from service.sketches.bottom_k import BottomK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from service.diagnosis.view import ColumnView
    from service.promises import ColumnType, Contract, Promise
    from service.sketches.pane import PaneSketch

MOST_NEW_COLUMNS = 20
"""Of features that nothing speaks of so many are named, the most frequent first."""


def contract_findings(contract: Contract, sketch: PaneSketch, alpha: float) -> tuple[Finding, ...]:
    """Every clause of a contract: the share of rows that break it, beside the share that may.

    It says drift when so many would have a probability of at most `alpha` if each row broke the clause with the allowed
    probability; where none may, one row is enough. For exact counts the sketch is on the contract's grid (`grid_for`).
    """
    if not sketch.inferences:
        return ()
    views = view_of(sketch).columns
    texts = {column: part.texts for column, part in parts_of(sketch).items()}
    made: list[Finding] = []
    for name in sorted(contract.features):
        column, promise = Column(Role.FEATURE, name), contract.features[name]
        view = views.get(column)
        counts = _counts(sketch, column, view, texts.get(column, BottomK()), promise)
        made += [_finding(column, count, alpha) for count in counts]
        if view is not None and _is_untold(sketch, column, promise):
            made.append(_untold(column, view))
    made += [_finding(column, count, alpha) for column, count in _new_columns(contract, sketch)]
    made += [_rule(rule.name, rule.at_most, views, alpha) for rule in contract.rules]
    return tuple(made)


def clauses_in(contract: Contract) -> int:
    """How many findings may ring, at least 1: a probability of false alarms is shared by so many."""
    new = 0 if contract.unknown_features is None else MOST_NEW_COLUMNS
    return max(1, sum(map(_clauses, contract.features.values())) + new + len(contract.rules))


def _clauses(promise: Promise) -> int:
    each = (
        promise.present, promise.null, promise.absent, promise.nan, promise.infinite, promise.empty,
        promise.type or promise.wrong_type, promise.low, promise.high, promise.integer or None,
        promise.categories or promise.constant, promise.unique,
    )  # fmt: skip
    return sum(one is not None for one in each)


def _finding(column: Column, count: Count, alpha: float) -> Finding:
    if not count.n:
        return Finding(
            column,
            count.code.value,
            None,
            count.allowed,
            None,
            0,
            0,
            0.0,
            Verdict.TOO_LITTLE_DATA,
            "too_little_data",
        )
    p_value = count.p_value
    verdict = Verdict.DRIFT if p_value <= alpha and count.share > count.allowed else Verdict.OK
    return Finding(
        column, count.code.value, count.share, count.allowed, p_value, count.n, 0, count.resolution, verdict
    )


def _kind(sketch: PaneSketch, column: Column, promise: Promise) -> ColumnType | None:
    """What the column's values should be: as promised, or as they are counted."""
    if promise.type is not None:
        return promise.type
    if column in sketch.grid.number_at:
        return "number"
    return "category" if column in sketch.grid.text_at else promise.kind


def _counts(
    sketch: PaneSketch, column: Column, view: ColumnView | None, texts: BottomK, promise: Promise
) -> Iterator[Count]:
    rows = sketch.inferences
    if view is None:  # no row has brought it, and the grid does not know it
        yield from _absent(rows, promise)
        return
    kind = _kind(sketch, column, promise)
    missing = {one: int(view.missing[one]) for one in Missing}
    wrong = _wrong_type(column, sketch, view, texts, kind)
    missing[Missing.WRONG_TYPE] += wrong
    yield from _missing(rows, missing, promise)
    if promise.type is not None:
        yield exactly(
            _type_code(promise.type, view), missing[Missing.WRONG_TYPE], rows, promise.wrong_type or 0.0
        )
    elif promise.wrong_type is not None:
        yield exactly(Code.WRONG_TYPE, missing[Missing.WRONG_TYPE], rows, promise.wrong_type)
    if column in sketch.grid.text_at:
        yield from text_counts(texts, sketch.grid.texts[sketch.grid.text_at[column]].categories, promise)
    elif column in sketch.grid.number_at or view.numbers is not None:
        yield from number_counts(view, promise)
    else:
        yield from text_counts(texts, (), promise)


def _type_code(promised: ColumnType, view: ColumnView) -> Code:
    if promised == "number":
        return Code.NOT_FLOAT
    return Code.NOT_TEXT if view.n_numbers else Code.WRONG_TYPE


def _wrong_type(
    column: Column, sketch: PaneSketch, view: ColumnView, texts: BottomK, kind: ColumnType | None
) -> int:
    """Rows with a value that is not of its kind, beside those counted as such already."""
    if kind == "category":
        return view.n_numbers
    if kind is None:
        return 0
    if column in sketch.grid.text_at:  # where numbers are spelled as texts
        return sum(count for text, count in texts.counts.items() if not _is_spelled(text))
    return texts.total


def _is_spelled(text: str) -> bool:
    """Whether the intake spells a number so."""
    try:
        return spelled(float(text)) == text
    except ValueError:
        return False


def _missing(rows: int, missing: Mapping[Missing, int], promise: Promise) -> Iterator[Count]:
    without = sum(missing.values())
    if promise.present is not None:
        code = Code.LOW_FRACTION_PRESENT
        if without == rows and promise.present > 0:
            code = Code.MISSING_COLUMN if missing[Missing.ABSENT] == rows else Code.NOT_PRESENT
        yield exactly(code, without, rows, 1 - promise.present)
    for kind in (Missing.NULL, Missing.ABSENT, Missing.NAN, Missing.INFINITE, Missing.EMPTY):
        allowed: float | None = getattr(promise, kind.name.lower())
        if allowed is not None:
            yield exactly(MISSING_CODES[kind], missing[kind], rows, allowed)


def _absent(rows: int, promise: Promise) -> Iterator[Count]:
    yield from _missing(rows, dict.fromkeys(Missing, 0) | {Missing.ABSENT: rows}, promise)


def _is_untold(sketch: PaneSketch, column: Column, promise: Promise) -> bool:
    """Whether numbers are promised of a column that is counted as categories."""
    bounded = promise.low is not None or promise.high is not None or promise.integer
    return bounded and column in sketch.grid.text_at


def _untold(column: Column, view: ColumnView) -> Finding:
    return Finding(
        column, Code.SMALL.value, None, None, None, view.rows, 0, 0.0, Verdict.TOO_LITTLE_DATA, UNTOLD
    )


def _new_columns(contract: Contract, sketch: PaneSketch) -> list[tuple[Column, Count]]:
    """Features that neither the grid nor the contract knows."""
    allowed = contract.unknown_features
    if allowed is None:
        return []
    new = [
        (column, exactly(Code.NEW_COLUMN, min(extra.cells, sketch.inferences), sketch.inferences, allowed))
        for column, extra in sketch.extras.items()
        if column.role is Role.FEATURE
        and column not in sketch.grid.number_at
        and column not in sketch.grid.text_at
        and column.name not in contract.features
    ]
    return sorted(new, key=lambda one: (-one[1].hits, one[0]))[:MOST_NEW_COLUMNS]


def _rule(name: str, at_most: float, views: Mapping[Column, ColumnView], alpha: float) -> Finding:
    """Broken rows of those that could be judged; 0 and 1 are bins of their own on every grid."""
    column = rule_column(name)
    view = views.get(column)
    if view is None or view.numbers is None:
        return _finding(column, exactly(Code.RULE, 0, 0, at_most), alpha)
    edges, counts = view.numbers.edges, view.numbers.counts
    broken = int(counts[(edges <= 0.5).sum() :].sum())
    return _finding(column, exactly(Code.RULE, broken, int(counts.sum()), at_most), alpha)
