"""How ripe the windows of a model are: which share of their labels is there, and which usually would be by now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.performance.delays import QUANTILES, delay_seconds, maturity, share_by


@dataclass(frozen=True, slots=True)
class Coverage:
    """One window of one version: its predictions, and how many of those that are joined have a label.

    `usual_share`: of the labels that ever come, so many have usually come to a window of its age.
    """

    version: str
    end_ms: int
    predictions: int
    labelled: int
    coverage: float | None
    usual_share: float | None
    is_ripe: bool


@dataclass(frozen=True, slots=True)
class MaturityPoint:
    """By so many seconds after its prediction this share of the labels that ever come has come."""

    seconds: float
    share: float


@dataclass(frozen=True, slots=True)
class Maturity:
    """How the labels of a model come in. `quantiles` are seconds by share; a window is ripe `ripe_after_ms` after its
    end, and all that end by `judged_until_ms` are judged.
    """

    model: str
    window: str
    segment: str
    labels: int
    quantiles: Mapping[str, float | None]
    ripe_after_ms: int | None
    judged_until_ms: int | None
    curve: Sequence[MaturityPoint]
    windows: Sequence[Coverage]


@dataclass(frozen=True, slots=True)
class Window:
    """What is known of one window when it is asked for."""

    version: str
    end_ms: int
    predictions: int
    labelled: int
    coverage: float | None


def maturity_of(
    place: tuple[str, str, str], delays: Mapping[int, int], ripe_after: int | None, judged_until_ms: int | None,
    windows: Sequence[Window], now_ms: int,
) -> Maturity:  # fmt: skip
    """`place` is model, kind of window and segment."""
    return Maturity(
        *place, sum(delays.values()), {f"{share:g}": delay_seconds(delays, share) for share in QUANTILES}, ripe_after,
        judged_until_ms, [MaturityPoint(*point) for point in maturity(delays)],
        [_covered(one, delays, now_ms, ripe_after) for one in windows],
    )  # fmt: skip


def _covered(one: Window, delays: Mapping[int, int], now_ms: int, ripe_after: int | None) -> Coverage:
    age_ms = max(0, now_ms - one.end_ms)
    is_ripe = ripe_after is not None and age_ms >= ripe_after
    usual = share_by(delays, age_ms / 1_000)
    return Coverage(one.version, one.end_ms, one.predictions, one.labelled, one.coverage, usual, is_ripe)
