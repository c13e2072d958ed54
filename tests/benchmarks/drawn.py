"""Windows drawn as counts: a real reference of columns of one law, and windows of any size without their rows.

The counts of n independent rows in bins are one draw from a multinomial distribution, whose shares are known exactly:
a window of 100,000 rows costs no more than one of 50.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from service.messages import NOT_APPLICABLE
from service.monitor import HOUR_MS, Monitor, WindowSpec
from service.reference.builder import build_reference
from service.reference.specification import ReferenceSpec
from service.scoring.budget import FAMILIES, SIGNALS, alpha_for, nats_of
from service.scoring.evidence import RATE_METHODS, Watch, step
from service.scoring.evidence_state import Evidence, begin
from service.scoring.groups import RATES, Groups
from service.scoring.usual import Usual, usual_of
from tests.benchmarks.laws import FloatArray, Law

REFERENCE_ROWS = 20_000
PROMISED_WINDOWS = 720
"""Hourly windows of a month: with the default budget, one false page in so many."""
_HOURLY = WindowSpec.tumbling(HOUR_MS)
_MONITOR = Monitor("drawn", windows=(_HOURLY,))


class DrawnWindow(NamedTuple):
    """Counts by group (F, K) and by kind of missing (F, 6) of a window."""

    counts: FloatArray
    missing: FloatArray


class _DrawnGroups(Groups):
    """Groups that are handed their counts."""

    def counts(self, sketch):
        return sketch.counts

    def rates(self, sketch, counts):
        odd = np.where(self.surprising, counts, 0.0)
        present = counts.sum(axis=1)
        hits = np.concatenate([sketch.missing, (odd[:, 0] + odd[:, -2])[:, None], odd[:, -1:]], axis=1)
        rows = np.repeat((present + sketch.missing.sum(axis=1))[:, None], RATES, axis=1)
        rows[:, NOT_APPLICABLE:] = present[:, None]
        return hits, rows


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of one law with a reference of their own each. `bins` (F, B) are the reference's counts on its grid."""

    usual: Usual
    edges: tuple[FloatArray, ...]
    bins: FloatArray
    labels: np.ndarray

    def shares(self, law: Law) -> FloatArray:
        """(F, B) the exact shares of a law on each column's bins, padded with 0."""
        made = np.zeros_like(self.bins)
        for i, edges in enumerate(self.edges):
            bounds = np.concatenate([[0.0], law.below(edges), [1.0]])
            made[i, : len(edges) + 1] = np.maximum(np.diff(bounds), 0.0)
        return made / made.sum(axis=1, keepdims=True)

    def grouped(self, bins: FloatArray) -> FloatArray:
        """(F, K) the same counts or shares by group."""
        width = self.usual.groups.width
        flat = np.bincount(self.labels.ravel(), weights=bins.ravel(), minlength=len(bins) * width)
        return np.asarray(flat.reshape(len(bins), width))


def make_columns(law: Law, count: int, random: np.random.Generator, missing: float = 0.0) -> Columns:
    """So many columns, each with its own reference rows, of which a share is missing."""
    values = law.draw(random, (count, REFERENCE_ROWS))
    gone = random.random(values.shape) < missing
    names = [f"x{i:03d}" for i in range(count)]
    arrays = [pa.array(column, mask=mask) for column, mask in zip(values, gone, strict=True)]
    with TemporaryDirectory(prefix="driftbell-bench-") as folder:
        path = Path(folder) / "reference.parquet"
        parquet.write_table(pa.table(arrays, names=names), path)
        profile = build_reference(path, ReferenceSpec("drawn", "drawn"))
    made = usual_of(profile)
    groups = _DrawnGroups(**{one.name: getattr(made.groups, one.name) for one in fields(made.groups)})
    numbers, layout, width = profile.grid.numbers, profile.sketch.numbers.layout, groups.width
    order = [place.column.name for place in numbers]
    assert [column.name for column in groups.columns] == order
    sizes = [len(number.edges) + 1 for number in numbers]
    bins = np.zeros((count, max(sizes)))
    labels = np.repeat(np.arange(count)[:, None] * width, max(sizes), axis=1)
    for i, size in enumerate(sizes):
        bins[i, :size] = profile.sketch.numbers.column_counts(i)
        labels[i, :size] = groups._number_labels[layout.slice(i)]
    edges = tuple(np.asarray(number.edges) for number in numbers)
    return Columns(replace(made, groups=groups), edges, bins, labels)


def limits_for(columns: int, features: int) -> Watch:
    """The limits of columns that belong to models of so many features, hourly windows, one page a month."""

    def nats(signal: str) -> float:
        share = FAMILIES["columns"] * SIGNALS[signal] / features
        return nats_of(alpha_for(_MONITOR, _HOURLY, share))

    return Watch(np.full(columns, nats("distribution")), np.full((columns, RATES), nats("rate")))


@dataclass
class Stream:
    """Windows one after the other, and how far over its limit each column is."""

    usual: Usual
    watch: Watch
    state: Evidence | None = None
    windows: int = 0

    def take(self, window: DrawnWindow) -> FloatArray:
        """(F,) by how many nats a column is over its limit; it rings above 0."""
        if self.state is None:
            self.state = begin(self.usual, 0)
        span = (self.windows * HOUR_MS, (self.windows + 1) * HOUR_MS)
        told = step(self.usual, self.state, window, self.watch, span, lambda: ())
        self.state, self.windows = told.state, self.windows + 1
        places = {column: i for i, column in enumerate(self.usual.groups.columns)}
        over = np.full(len(places), -np.inf)
        for found in told.findings:
            place = places[found.column]
            over[place] = max(over[place], found.value - found.limit)
        return over


def draw(random: np.random.Generator, rows: int, shares: FloatArray, missing: float) -> DrawnWindow:
    """A window of columns with these shares by group, of which so many values are null."""
    gone = np.zeros((len(shares), len(RATE_METHODS) - 2))
    gone[:, 0] = random.binomial(rows, missing, len(shares))
    counts = random.multinomial((rows - gone[:, 0]).astype(np.int64), shares)
    return DrawnWindow(counts.astype(float), gone)
