"""What an event means, written down a second time: slowly, field by field, with nothing but `json`."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from service.messages import LABEL, LATENCY, PREDICTION, SCORE, Column, Missing, Role
from service.names import clean_name
from service.sketches.extras import default_grids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.sketches.grids import Grid
    from service.sketches.pane import PaneSketch

NOT_SAID = object()
Tally = dict[tuple[Any, ...], int]


def tally(bodies: Iterable[bytes], grid: Grid) -> Tally:
    """How often each bin, category, kind of missing and unknown value of each column occurs."""
    counts: Tally = defaultdict(int)
    for body in map(json.loads, bodies):
        for column, value in columns(body, grid):
            if column in grid.number_at:
                count_number(counts, column, value, grid.numbers[grid.number_at[column]].edges.tolist())
                if value != "" and isinstance(value, str | bool):
                    counts[column, "extra", "text", text(value)] += 1
            elif column in grid.text_at:
                kind = text(value)
                where = "category" if kind in grid.texts[grid.text_at[column]].index else "unseen"
                counts[(column, "missing", kind) if isinstance(kind, Missing) else (column, where, kind)] += 1
            elif isinstance(value, int | float) and not isinstance(value, bool):
                count_number(counts, (column, "extra"), value, default_grids()[0].edges.tolist())
            elif value is not NOT_SAID:
                kind = text(value)
                counts[
                    ((column, "extra"), "missing", kind)
                    if isinstance(kind, Missing)
                    else (column, "extra", "text", kind)
                ] += 1
    return dict(counts)


def columns(body: dict[str, Any], grid: Grid) -> Iterable[tuple[Column, Any]]:
    """All columns that this event speaks of, each with its value."""
    if body["type"] == "label":
        yield LABEL, body.get("label", NOT_SAID)
        return
    sent = body.get("features") or {}
    known = [c.name for c in (*grid.number_at, *grid.text_at) if c.role is Role.FEATURE]
    aliases = {name: [name] for name in known}
    for name in sorted(sent.keys() - known):
        aliases.setdefault(clean_name(name) or "(unreadable name)", []).append(name)
    for name, names in aliases.items():
        yield Column(Role.FEATURE, name), next((sent[n] for n in names if n in sent), NOT_SAID)
    if "latency_ms" in body:
        yield LATENCY, body["latency_ms"]
    if body["type"] == "prediction":
        yield from zip((PREDICTION, SCORE), outputs(body.get("prediction", NOT_SAID)), strict=True)


def outputs(prediction: Any) -> tuple[Any, Any]:
    """The answer and the score of any form of prediction."""
    if not isinstance(prediction, dict):
        return prediction, NOT_SAID
    label, value, score = (prediction.get(name, NOT_SAID) for name in ("label", "value", "score"))
    scores = prediction.get("scores")
    scores = scores if isinstance(scores, dict) else {}
    numbers = {k: cell(v) for k, v in scores.items() if isinstance(cell(v), float)}
    best = max(numbers, key=lambda k: (numbers[k], k), default=None)
    if best is not None:
        label = best if label in (None, NOT_SAID) else label
        score = numbers[best] if score in (None, NOT_SAID) else score
    if label is NOT_SAID or (label is None and value is not NOT_SAID):
        label = value
    return label, score


def cell(value: Any) -> float | Missing:
    """A number, or the kind of missing that it is."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return Missing.INFINITE
    return {None: Missing.NULL, NOT_SAID: Missing.ABSENT, "": Missing.EMPTY}.get(
        value if isinstance(value, str | None) or value is NOT_SAID else 0, Missing.WRONG_TYPE
    )


def text(value: Any) -> str | Missing:
    """A category, or the kind of missing that it is."""
    if isinstance(value, bool):
        return str(value).lower()
    number = cell(value)
    if isinstance(number, float):
        whole = isinstance(value, int) or value.is_integer()
        return str(int(value)) if whole and abs(value) < 2**63 else repr(number)
    return value.replace("\0", "\ufffd") if isinstance(value, str) and value else number


def count_number(counts: Tally, column: Any, value: Any, edges: list[float]) -> None:
    """Count one cell of a number column."""
    number = cell(value)
    if isinstance(number, float) and math.isfinite(number):
        counts[column, "bin", bisect_right(edges, number)] += 1
    else:
        counts[column, "missing", number] += 1


def tally_of(sketch: PaneSketch) -> Tally:
    """The same counts as a sketch holds them; columns that a row does not speak of are left out."""
    counts: Tally = Counter()
    for i, grid in enumerate(sketch.grid.numbers):
        counts.update(
            {(grid.column, "bin", b): int(n) for b, n in enumerate(sketch.numbers.column_counts(i))}
        )
        counts.update({(grid.column, "missing", k): int(sketch.numbers.missing[i, k]) for k in Missing})
    for i, texts in enumerate(sketch.grid.texts):
        names = dict(zip(texts.categories, sketch.categories.column_counts(i).tolist(), strict=True))
        counts.update({(texts.column, "category", name): n for name, n in names.items()})
        counts.update({(texts.column, "missing", k): int(sketch.categories.missing[i, k]) for k in Missing})
        counts.update({(texts.column, "unseen", t): n for t, n in sketch.categories.unseen[i].counts.items()})
    for column, extra in sketch.extras.items():
        counts.update({((column, "extra"), "bin", b): int(n) for b, n in enumerate(extra.numbers.counts)})
        counts.update({((column, "extra"), "missing", k): int(extra.numbers.missing[0, k]) for k in Missing})
        counts.update({(column, "extra", "text", t): n for t, n in extra.texts.counts.items()})
    return {key: n for key, n in counts.items() if n}
