"""A feature's page in words: how the column stands, what its scores say, and its figures side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.distributions.wording import MISSING_MEANINGS, MISSING_WORDS
from service.messages import Missing, Verdict
from service.moments import utc
from service.plurals import counted
from service.reports.phrases import DASH, number, share, times_over
from service.web.links import incident_page

if TYPE_CHECKING:
    from service.distributions.course import Course
    from service.distributions.distribution import Distribution, Side
    from service.store.result_queries import AlertRow
    from service.web.api.column_scores import Scores

_TONES = {"page": "alert", "ticket": "warning", "info": "new"}
_WORDS = {"page": "Alert", "ticket": "Warning", "info": "Noted"}


# ---------------------------------------------------------------- how it stands
@dataclass(frozen=True, slots=True)
class Standing:
    """The column's state: a word with its tone, a sentence, and where to read on."""

    tone: str
    word: str
    sentence: str
    link: str | None = None


def standing_of(alerts: Sequence[AlertRow], scores: Sequence[Score], reason: str | None) -> Standing:
    """By what rings; else by the scores of the time that is shown; else by why there are none."""
    if alerts:
        return _ringing(alerts[0])
    ends = sorted({one.end_ms for one in scores if one.limit is not None})
    if not ends:
        little = any(one.verdict == Verdict.TOO_LITTLE_DATA for one in scores)
        why = "too few rows came" if little else reason or "no window of this time was scored"
        return Standing("waiting", "Not scored", f"There is no score: {why}.")
    over = sorted({one.end_ms for one in scores if one.is_over})
    if not over:
        return Standing("well", "Well", f"Within its limits in all {counted(len(ends), 'window')} shown.")
    if over[-1] == ends[-1]:
        worst = max((one for one in scores if one.end_ms == ends[-1]), key=_badness)
        said = f"{worst.method} is {times_over(worst.ratio)} times its limit in the newest window shown"
        return Standing("suspicion", "Over", f"{said}; nothing rings about it now.")
    quiet = sum(end > over[-1] for end in ends)
    return Standing(
        "well", "Well", f"Within its limits since {utc(over[-1])}, for {counted(quiet, 'window')}."
    )


def _ringing(alert: AlertRow) -> Standing:
    if alert.state == "pending":
        return Standing("suspicion", "Suspicion", alert.summary, incident_page(alert.incident))
    tone, word = _TONES.get(alert.severity, "new"), _WORDS.get(alert.severity, "Noted")
    return Standing(tone, word, alert.summary, incident_page(alert.incident))


# ---------------------------------------------------------------- scores
@dataclass(frozen=True, slots=True)
class Score:
    """What one method said in one window of one version."""

    version: str
    method: str
    end_ms: int
    value: float | None
    limit: float | None
    n: int
    m: int
    verdict: str

    @property
    def is_over(self) -> bool:
        """Whether it counts as drift."""
        return self.verdict == Verdict.DRIFT

    @property
    def ratio(self) -> float | None:
        """By its limit; None where there is none."""
        if self.value is None or self.limit is None:
            return None
        return self.value / self.limit if self.limit > 0 else (1e9 if self.value > self.limit else 0.0)


def scores_in(told: Scores) -> tuple[Score, ...]:
    """The scores of an answer one by one, each method's in the order of time."""
    return tuple(
        Score(
            one.version, one.method, end, one.values[place], one.limits[place],
            one.n[place] or 0, one.m[place] or 0, verdict,
        )
        for one in told.series
        for place, end in enumerate(told.windows.ends_ms)
        if (verdict := one.verdicts[place]) is not None
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """What one method says in the newest window, and how often it was over its limit in the time shown."""

    version: str
    method: str
    value: str
    limit: str
    times: str
    n: str
    m: str
    verdict: str
    over: int


def score_lines(scores: Sequence[Score]) -> tuple[ScoreLine, ...]:
    """A line for each method and version, those farthest over their limit first."""
    newest = {(one.method, one.version): one for one in scores}
    over = Counter((one.method, one.version) for one in scores if one.is_over)
    ranked = sorted(newest.items(), key=lambda pair: (-over[pair[0]], *_worst_first(pair[1]), pair[0]))
    return tuple(_score_line(one, over[key]) for key, one in ranked)


def _score_line(one: Score, over: int) -> ScoreLine:
    words = {Verdict.DRIFT.value: "over", Verdict.TOO_LITTLE_DATA.value: "too few rows"}
    return ScoreLine(
        one.version, one.method, number(one.value), number(one.limit), times_over(one.ratio),
        f"{one.n:,}", f"{one.m:,}", words.get(one.verdict, "within"), over,
    )  # fmt: skip


def _badness(one: Score) -> tuple[bool, float]:
    return one.is_over, -1.0 if one.ratio is None else one.ratio


def _worst_first(one: Score) -> tuple[bool, float]:
    is_over, ratio = _badness(one)
    return not is_over, -ratio


# ---------------------------------------------------------------- figures
@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of both sides, and what it means where that does not go without saying."""

    name: str
    current: str
    against: str
    note: str = ""


def figures(found: Distribution) -> tuple[Figure, ...]:
    """Rows, values and, of numbers, extremes, quantiles and moments."""
    sides = (found.current, found.against)
    lines = [
        Figure("rows", *(f"{one.rows:,}" for one in sides)),
        Figure("with a value", *(f"{one.values:,}" for one in sides)),
    ]
    if found.kind == "number":
        lines += [
            Figure("lowest", *(number(one.low) for one in sides)),
            *(Figure(name, *(number(one.quantiles.get(key)) for one in sides)) for name, key in _QUANTILES),
            Figure("highest", *(number(one.high) for one in sides)),
            Figure("mean", *(number(one.mean) for one in sides)),
            Figure("standard deviation", *(number(one.std) for one in sides)),
        ]
    return tuple(lines)


_QUANTILES = (("5 % are below", "0.05"), ("median", "0.5"), ("95 % are below", "0.95"))


def missing_figures(found: Distribution) -> tuple[Figure, ...]:
    """The six kinds, with what each means."""
    return tuple(
        Figure(
            MISSING_WORDS[kind],
            _missing(found.current, kind),
            _missing(found.against, kind),
            MISSING_MEANINGS[kind],
        )
        for kind in Missing
    )


def _missing(side: Side, kind: Missing) -> str:
    count = side.missing.get(kind.name.lower())
    return DASH if count is None or not side.rows else share(count / side.rows)


def side_name(side: Side) -> str:
    """What it is, in a word."""
    origin = side.origin
    return (
        "then"
        if origin.of_panes or (origin.reference is None and origin.since_ms is not None)
        else "reference"
    )


def origin_sentence(side: Side) -> str:
    """Where a side's rows come from, how many of them were read, and what is not there."""
    origin, parts = side.origin, []
    if origin.reference:
        parts.append(f"the reference {origin.reference}")
    if origin.since_ms is not None and origin.until_ms is not None:
        parts.append(f"{utc(origin.since_ms)} to {utc(origin.until_ms)}")
    if origin.of_panes:
        parts.append(f"{origin.panes:,} of {counted(origin.of_panes, 'pane')} read")
    if origin.incomplete:
        parts.append("incomplete: records of this time were lost")
    if origin.reason:
        parts.append(origin.reason)
    return ", ".join(parts)


# ---------------------------------------------------------------- windows
@dataclass(frozen=True, slots=True)
class Line:
    """One stretch of the course, as a row: the newest stand first."""

    start_ms: int
    end_ms: int
    rows: str
    missing: str
    usual: str
    worst: str
    is_over: bool
    incomplete: bool


def lines_of(course: Course, scores: Iterable[Score]) -> tuple[Line, ...]:
    """Rows, missing ones, the median or the share of the first category, and the worst score of each stretch."""
    by_end: dict[int, list[Score]] = {}
    for one in scores:
        by_end.setdefault(one.end_ms, []).append(one)
    return tuple(_line(course, place, by_end) for place in reversed(range(len(course.end_ms))))


def _line(course: Course, place: int, by_end: Mapping[int, Sequence[Score]]) -> Line:
    start, end = course.start_ms[place], course.end_ms[place]
    scores = [one for at, found in by_end.items() if start < at <= end for one in found]
    worst = max((one for one in scores if one.ratio is not None), key=_badness, default=None)
    gone = [values[place] for values in course.missing.values()]
    missing = DASH if gone[0] is None else share(sum(one or 0.0 for one in gone))
    said = DASH if worst is None else f"{worst.method} {times_over(worst.ratio)} x"
    return Line(
        start, end, f"{course.of_rows[place]:,}", missing, _usual(course, place), said,
        worst is not None and worst.is_over, course.incomplete[place],
    )  # fmt: skip


def _usual(course: Course, place: int) -> str:
    if course.kind == "number":
        return number(course.quantiles["0.5"][place])
    if course.kind == "category" and course.categories:
        first = course.categories[0][place]
        return DASH if first is None else f"{share(first)}"
    return DASH
