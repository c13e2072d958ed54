"""What is usual of a slice: its reference in groups, how windows of it vary, and the regimes that it went through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
import xxhash

from detectors.evidence import direction_skewness
from detectors.overdispersion import FEWEST_BLOCKS, dispersion, overdispersion
from service.scoring.groups import BoolArray, FloatArray, Groups, make_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from service.sketches.pane import PaneSketch

FEWEST_ROWS = 30
"""A column of which the reference has fewer values, and a segment with fewer rows, is not compared with it."""
LEAST_SURPRISE = 5e-4
"""No reference is trusted to know that something happens less often than in one row of two thousand."""
RATE_TOLERANCE = 5e-4
TOLERANCE = 0.02
"""Chi distance too small to matter: a mean that moved by 0.02 standard deviations, a PSI of 0.0004."""
_DOUBT, _SKEWED, _DIRECTIONS = 3.5, 8.0, 9
"""Standard errors by which a reference may be off in one direction, more where the law of that error is skewed, as that
of a group with few rows is. What rings is off by a third more.
"""
_WINDOWS_IN_REGIME = 4
_UNKNOWN = "?"
"""No segment's name, which are all 'name=value'."""
_VARIES = 1.3


class Reference(Protocol):
    """What slices are compared with."""

    @property
    def sketch(self) -> PaneSketch:
        """All rows of the reference."""

    @property
    def blocks(self) -> Sequence[PaneSketch]:
        """Consecutive parts of equal row count, in their order; none when the order is not known."""

    @property
    def ordered(self) -> bool:
        """Whether the blocks follow time."""

    @property
    def errors(self) -> Mapping[str, tuple[int, int]]:
        """Wrong and all labelled rows by segment, '' for all; nothing where that is not known."""

    def segment(self, name: str) -> PaneSketch | None:
        """Those of one segment ('country=DE'), on the same grid; None when they are not known."""


@dataclass(frozen=True, eq=False)
class Usual:
    """A slice's reference for evidence. Arrays have a row for each of `groups.columns`.

    `rows` are present values by column, `rate_hits` and `rate_rows` (F, RATES). `blocks` are (B, F, K) counts of the
    whole reference's consecutive parts, `rates_vary` (F, RATES) how overdispersed rates are in them.
    `quality_only`: the slice's own rows are not known, so that only what is missing or of a wrong type is compared.
    `whole` is what is usual of all traffic, for a segment, which is taken to vary as that does.
    """

    groups: Groups
    counts: FloatArray
    proportions: FloatArray
    rate_hits: FloatArray
    rate_rows: FloatArray
    blocks: FloatArray
    rates_vary: FloatArray
    quality_only: bool = False
    whole: Usual | None = None

    @property
    def rows(self) -> FloatArray:
        """(F,) present values."""
        return np.asarray(self.counts.sum(axis=1))

    @cached_property
    def identity(self) -> bytes:
        """8 bytes that tell this reference, cut into these groups, from others."""
        digest = xxhash.xxh3_64(repr(self.groups.columns).encode())
        for part in (self.proportions, self.counts, self.rate_hits):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.digest()

    @cached_property
    def used(self) -> FloatArray:
        """(F,) how many groups a column has."""
        return np.asarray((self.proportions > 0).sum(axis=1).astype(float))

    def tolerance(self, least: FloatArray | float = TOLERANCE) -> FloatArray:
        """(F, 2 K + 4) the chi distance from this reference, in each direction, within which nothing is said."""
        return np.asarray(np.maximum(np.reshape(least, (-1, 1)), self._doubt))

    @cached_property
    def _doubt(self) -> FloatArray:
        rows = np.maximum(self.rows, 1.0)[:, None]
        skewness = np.maximum(direction_skewness(self.proportions, self.groups.surprising), 0.0)
        return np.asarray((_DOUBT + _SKEWED * skewness / np.sqrt(rows)) / np.sqrt(rows))

    def excuse(self, rows: FloatArray, least: FloatArray | float = TOLERANCE) -> FloatArray:
        """(F,) the same from another stretch of so many rows, which excuses what differs from the reference."""
        directions = np.minimum(self.used - 1, _DIRECTIONS)
        return np.maximum(least, np.sqrt(directions / np.maximum(rows, 1.0)))

    @cached_property
    def highest_rates(self) -> FloatArray:
        """(F, RATES) the highest rate that still counts as usual: by the tolerance, or by the reference's doubt."""
        hits, rows = self.rate_hits, np.maximum(self.rate_rows, 1.0)
        doubtful = (hits + 1 + _DOUBT * np.sqrt(hits + 1)) / rows
        return np.minimum(np.maximum(doubtful, hits / rows + RATE_TOLERANCE), 0.999)

    def varying(self, n: float) -> FloatArray:
        """(F,) overdispersion of windows of about n rows, as the reference's blocks have it."""
        if self.whole is not None:
            return self.whole.varying(n)
        size = round(2 * np.log2(max(1.0, n)))
        if size not in self._varying:
            blocks, proportions = self.without_surprises(self.blocks, self.proportions)
            self._varying[size] = overdispersion(blocks, proportions, 2.0 ** (size / 2))
        return self._varying[size]

    @cached_property
    def _varying(self) -> dict[int, FloatArray]:
        return {}

    def without_surprises(self, counts: FloatArray, proportions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both without the groups whose proportion is an assumption: with many rows it would look like variation."""
        kept = np.where(self.groups.surprising, 0.0, proportions)
        return np.where(self.groups.surprising, 0.0, counts), kept / kept.sum(axis=1, keepdims=True)

    def _dispersion(self, counts: FloatArray) -> FloatArray:
        return dispersion(*self.without_surprises(counts, self.proportions))

    def smoothed(self, counts: FloatArray, weight: FloatArray | None = None) -> FloatArray:
        """(F, K) proportions of counts; `weight` (F,) rows of the reference are added (else half a row a group)."""
        prior = 0.5 * self.used if weight is None else weight
        mixed = counts + prior[:, None] * self.proportions
        return with_surprises(mixed / mixed.sum(axis=1, keepdims=True), self.groups.surprising)

    def regimes(self, n: float) -> Iterator[tuple[FloatArray, FloatArray]]:
        """The reference's own stretches of time: proportions (F, K), and the rows (F,) that they rest on.

        A stretch has at least four windows. It is drawn towards the whole as far as blocks vary no more than chance
        (empirical Bayes), so that a reference without seasons has one regime only, however many blocks.
        """
        stretches = self.blocks
        if len(stretches) < FEWEST_BLOCKS:
            return
        while len(stretches) >= 2 * FEWEST_BLOCKS and _rows_of(stretches) < _WINDOWS_IN_REGIME * n:
            pairs = len(stretches) // 2
            stretches = stretches[: 2 * pairs].reshape(pairs, 2, *stretches.shape[1:]).sum(axis=1)
        rows, varies = _rows_of(stretches), self._dispersion(stretches).mean(axis=0)
        weight = np.where(varies > _VARIES, rows / np.maximum(varies - 1, 1e-9), 1e12)
        for one in stretches:
            yield self.smoothed(one, weight), np.minimum(rows + weight, self.rows)


def _rows_of(stretches: FloatArray) -> float:
    return float(stretches[0].sum(axis=1).max(initial=1.0))


def with_surprises(proportions: FloatArray, surprising: BoolArray) -> FloatArray:
    """The proportions with at least `LEAST_SURPRISE` for what was never seen; rows sum to 1."""
    raised = np.where(surprising, np.maximum(proportions, LEAST_SURPRISE), proportions)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def usual_of(reference: Reference) -> Usual | None:
    """What is usual of all traffic; None when the reference has too few rows to say."""
    groups = make_groups(reference.sketch, FEWEST_ROWS)
    if not groups.columns or reference.sketch.inferences + reference.sketch.labels < FEWEST_ROWS:
        return None
    counts = groups.counts(reference.sketch)
    hits, rows = groups.rates(reference.sketch, counts)
    blocks = [groups.counts(block) for block in reference.blocks]
    by_block = [groups.rates(block, one) for block, one in zip(reference.blocks, blocks, strict=True)]
    return Usual(
        groups, counts, _proportions(groups, counts, counts), hits, rows,
        np.array(blocks).reshape(-1, *counts.shape), _rates_vary(by_block, hits, rows),
    )  # fmt: skip


def _usual_of_segment(whole: Usual, sketch: PaneSketch) -> Usual:
    """A segment has its own rows, but varies as the whole does: its blocks are not known, nor its regimes."""
    counts = whole.groups.counts(sketch)
    hits, rows = whole.groups.rates(sketch, counts)
    proportions = _proportions(whole.groups, counts, whole.counts)
    return replace(
        whole, counts=counts, proportions=proportions, rate_hits=hits, rate_rows=rows, blocks=whole.blocks[:0],
        whole=whole,
    )  # fmt: skip


def _proportions(groups: Groups, counts: FloatArray, of_all: FloatArray) -> FloatArray:
    """Half a row more for each group that a column has, and what is likely of values never seen."""
    smoothed = np.where((of_all > 0) | groups.surprising, counts + 0.5, 0.0)
    never = np.where(groups.singles > 0, groups.singles + 0.5, 1.0)
    smoothed[:, -1] = np.maximum(smoothed[:, -1], np.where(groups.surprising[:, -1], never, 0.0))
    return with_surprises(smoothed / smoothed.sum(axis=1, keepdims=True), groups.surprising)


def _rates_vary(
    blocks: Sequence[tuple[FloatArray, FloatArray]], hits: FloatArray, rows: FloatArray
) -> FloatArray:
    """(F, RATES) overdispersion of the hits of blocks; 1 where there are too few to tell."""
    if len(blocks) < FEWEST_BLOCKS:
        return np.ones_like(hits)
    rate = np.clip(hits / np.maximum(rows, 1), 1e-9, 1 - 1e-9)
    squares = [(h - n * rate) ** 2 / np.maximum(n * rate * (1 - rate), 1e-9) for h, n in blocks]
    return np.where(hits >= FEWEST_BLOCKS, np.maximum(1.0, np.mean(squares, axis=0)), 1.0)


class UsualSlices:
    """What is usual of each slice of one reference, made once each; all segments that it does not know are one."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._made: dict[str, Usual | None] = {"": usual_of(reference)}

    def of(self, segment: str) -> Usual | None:
        """What is usual of '' (all traffic) or of one segment; None when the reference has too few rows to say."""
        known = self._reference.segment(segment) if segment else None
        if segment and (known is None or known.inferences + known.labels < FEWEST_ROWS):
            segment, known = _UNKNOWN, None
        if segment not in self._made:
            self._made[segment] = self._make(known)
        return self._made[segment]

    def _make(self, known: PaneSketch | None) -> Usual | None:
        whole = self._made[""]
        if whole is None or known is None:
            return (
                None
                if whole is None
                else replace(whole, blocks=whole.blocks[:0], whole=whole, quality_only=True)
            )
        return _usual_of_segment(whole, known)
