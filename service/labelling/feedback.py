"""Which predictions of a window a person should label: the most uncertain, the most surprising, and some by chance.

All of it follows from its arguments: the same candidates and the same budget give the same choice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from statistics import fmean
from typing import TYPE_CHECKING

from service.monitor import DAY_MS, HOUR_MS, Task

if TYPE_CHECKING:
    from service.labelling.surprise import Usual
    from service.messages import Candidate
    from service.monitor import FeedbackPolicy, WindowSpec

_ROUNDING = 1e-9
_MIDDLE = 0.5
_PAIR = 2
_NAMED_FEATURES = 3
_LONGEST_NAME = 60
_SAYS_SHARE = 0.05


class FeedbackKind(StrEnum):
    """Why a prediction should be labelled."""

    UNCERTAIN = "uncertain"
    SURPRISING = "surprising"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A prediction to label. `value` is larger where it is more uncertain or surprising; chance has none."""

    kind: FeedbackKind
    candidate: Candidate
    value: float | None
    why: str


Ranking = Callable[[Sequence["Candidate"]], Sequence[tuple[float, str] | None]]
"""Of each candidate how much it should be chosen and why; None: not at all."""


def pace(windows: Sequence[WindowSpec]) -> WindowSpec:
    """The windows that rows are chosen of: the longest that move on at least once an hour, else the shortest.

    A window that slides is chosen from where it has moved on, so that each pane is in one choice. What is put aside
    until then is an hour's, however long windows are.
    """
    hourly = [spec for spec in windows if spec.every_ms <= HOUR_MS]
    if hourly:
        return max(hourly, key=lambda spec: (spec.length_ms, -spec.every_ms))
    return min(windows, key=lambda spec: (spec.every_ms, spec.length_ms))


def day_of(end_ms: int) -> int:
    """Where the day (UTC) begins whose budget a window has that ends then: midnight belongs to the day before."""
    return (end_ms - 1) // DAY_MS * DAY_MS


def possible_kinds(task: Task, usual: Usual | None) -> frozenset[FeedbackKind]:
    """The kinds that can be told at all: scores say how sure a class is, a reference what is usual."""
    kinds = {FeedbackKind.RANDOM}
    if task in {Task.BINARY, Task.MULTICLASS}:
        kinds.add(FeedbackKind.UNCERTAIN)
    if usual is not None:
        kinds.add(FeedbackKind.SURPRISING)
    return frozenset(kinds)


def allowances(
    policy: FeedbackPolicy,
    kinds: Collection[FeedbackKind],
    end_ms: int,
    spent: Mapping[FeedbackKind, int],
) -> dict[FeedbackKind, int]:
    """How many rows of each kind the window that ends then may choose, when so many were chosen that day before it.

    By `end_ms` the same part of the budget is spent as of the day is over; what earlier windows left is there for
    later ones of that day. A kind that cannot be told leaves its share to the others.
    """
    together = sum(policy.shares[kind.value] for kind in kinds)
    if not together:
        return dict.fromkeys(kinds, 0)
    over = policy.per_day * (end_ms - day_of(end_ms)) / DAY_MS / together
    left = max(0, policy.per_day - sum(spent.values()))
    allowed: dict[FeedbackKind, int] = {}
    for kind in sorted(kinds):
        wanted = floor(over * policy.shares[kind.value] + _ROUNDING) - spent.get(kind, 0)
        allowed[kind] = min(left, max(0, wanted))
        left -= allowed[kind]
    return allowed


def choose(
    candidates: Sequence[Candidate], allowed: Mapping[FeedbackKind, int], task: Task, usual: Usual | None
) -> list[Chosen]:
    """At most so many of each kind, each id once: first those by chance, then the surprising, then the uncertain.

    The candidates are a sample by the hashes of their ids: those with the smallest are one by chance of all traffic.
    """
    distinct = {
        one.inference_id: one
        for one in sorted(candidates, key=lambda one: (one.priority, one.ts_ms), reverse=True)
    }
    left = sorted(distinct.values(), key=lambda one: one.priority)
    rankings: list[tuple[FeedbackKind, Ranking]] = [
        (FeedbackKind.RANDOM, _by_chance),
        (FeedbackKind.SURPRISING, lambda rows: _surprising(rows, usual)),
        (FeedbackKind.UNCERTAIN, lambda rows: _uncertain(rows, task, threshold_of(candidates, task))),
    ]
    chosen: list[Chosen] = []
    for kind, ranking in rankings:
        most = allowed.get(kind, 0)
        if most:
            found = _best(kind, left, ranking(left), most)
            chosen += found
            taken = {one.candidate.inference_id for one in found}
            left = [one for one in left if one.inference_id not in taken]
    return chosen


def _best(
    kind: FeedbackKind, rows: Sequence[Candidate], ranked: Sequence[tuple[float, str] | None], most: int
) -> list[Chosen]:
    """Of equals the smallest hash."""
    pairs = [(rank, row) for rank, row in zip(ranked, rows, strict=True) if rank is not None]
    pairs.sort(key=lambda pair: (-pair[0][0], pair[1].priority))
    return [
        Chosen(kind, row, None if kind is FeedbackKind.RANDOM else value, why)
        for (value, why), row in pairs[:most]
    ]


def _by_chance(rows: Sequence[Candidate]) -> list[tuple[float, str] | None]:
    return [(0.0, "drawn by chance, as a control")] * len(rows)


# ---------------------------------------------------------------- how sure the model was
def threshold_of(candidates: Sequence[Candidate], task: Task) -> float:
    """The score at which two classes part: in the middle between their scores if these do not overlap, else 0.5."""
    by_class: dict[object, list[float]] = {}
    for one in candidates:
        said, score = one.answer.get("label", one.answer.get("value")), _score(one, Task.MULTICLASS)
        if said is not None and score is not None:
            by_class.setdefault(said, []).append(score)
    if task is not Task.BINARY or len(by_class) != _PAIR:
        return _MIDDLE
    lower, upper = sorted(by_class.values(), key=fmean)
    return (max(lower) + min(upper)) / 2 if max(lower) <= min(upper) else _MIDDLE


def _score(one: Candidate, task: Task) -> float | None:
    """Between 0 and 1; the answer of a binary model may be its bare score."""
    score = one.answer.get("score", one.answer.get("value") if task is Task.BINARY else None)
    return score if isinstance(score, float) and 0 <= score <= 1 else None


def _uncertain(rows: Sequence[Candidate], task: Task, threshold: float) -> list[tuple[float, str] | None]:
    """1 at the threshold and 0 at the far end for two classes; what the top score leaves for many."""
    ranked: list[tuple[float, str] | None] = []
    for one in rows:
        score = _score(one, task)
        if score is None:
            ranked.append(None)
        elif task is Task.BINARY:
            apart = abs(score - threshold) / max(threshold, 1 - threshold)
            ranked.append((1 - apart, f"its score is {score:.4g}, where {threshold:.4g} decides"))
        else:
            ranked.append((1 - score, f"its score is {score:.4g}"))
    return ranked


# ---------------------------------------------------------------- how unlike the reference
def _surprising(rows: Sequence[Candidate], usual: Usual | None) -> list[tuple[float, str] | None]:
    if usual is None or not rows:
        return [None] * len(rows)
    surprises = usual.of(rows)
    if not surprises.features:
        return [None] * len(rows)
    totals = surprises.totals.tolist()
    said = (surprises.most(at, _NAMED_FEATURES) for at in range(len(rows)))
    return [
        None if row.features_left_out else (total, _told(row, named))
        for total, row, named in zip(totals, rows, said, strict=True)
    ]


def _told(row: Candidate, named: Sequence[tuple[str, float]]) -> str:
    """The features that are further out than 95 of 100 rows of the reference, or else the one that is furthest."""
    rare = [(name, share) for name, share in named if share < _SAYS_SHARE] or named[:1]
    parts = [f"{_short(name)} {_shown(row.features.get(name))} ({100 * share:.2g} %)" for name, share in rare]
    first, *others = parts
    return ", ".join([first.removesuffix(")") + " of the reference is as far out)", *others])


def _shown(value: float | str | None) -> str:
    if value is None:
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else repr(_short(value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 3] + "..."
