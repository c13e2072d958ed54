"""False alarms on stationary windows, held against what the budget promises.

A monitor with hourly windows promises one false page a month; its columns have half of that, kept 14 times over
(`service/scoring/budget.py`). A run of ringing windows of one model is one page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import log

import numpy as np

from tests.benchmarks.drawn import PROMISED_WINDOWS, Columns, Stream, draw, limits_for, make_columns
from tests.benchmarks.laws import DISCRETE, HEAVY, MOSTLY_ZERO, NORMAL, FloatArray, Law

LAWS: dict[str, Law] = {
    "normal": NORMAL,
    "heavy-tailed": HEAVY,
    "discrete": DISCRETE,
    "mostly zero": MOSTLY_ZERO,
}
ROWS = (50, 200, 1_000, 10_000, 100_000)
FEATURES = (20, 200)
MISSING = 0.02
_A_REFERENCE = 500
"""Windows with one reference, before another is drawn: its own chance counts too."""
_FEWEST_REFERENCES = 4


@dataclass(frozen=True)
class Cell:
    """What one kind of column did in windows of one size."""

    law: str
    features: int
    rows: int
    windows: int
    pages: int
    ringing: int

    @property
    def highest(self) -> float:
        """The 95 % upper bound of pages a window (of no page: three over the number of windows)."""
        from scipy.stats import chi2

        return float(chi2.ppf(0.95, 2 * (self.pages + 1)) / 2 / self.windows)

    def row(self) -> dict[str, object]:
        """As it is kept."""
        promised = self.windows / PROMISED_WINDOWS
        return {**asdict(self), "promised": promised, "highest_a_month": self.highest * PROMISED_WINDOWS}


def cells(windows: int, laws: Sequence[str] = tuple(LAWS), seed: int = 1) -> Iterator[Cell]:
    """All cells: so many windows of models of 200 features, and of the same columns as ten models of 20."""
    for name in laws:
        random = np.random.default_rng([seed, list(LAWS).index(name)])
        runs = max(_FEWEST_REFERENCES, round(windows / _A_REFERENCE))
        references = [make_columns(LAWS[name], max(FEATURES), random, MISSING) for _ in range(runs)]
        for rows in ROWS:
            parts = [_over(one, LAWS[name], rows, windows // runs, random) for one in references]
            for features in FEATURES:
                yield _cell(name, features, rows, parts)


def _over(columns: Columns, law: Law, rows: int, length: int, random: np.random.Generator) -> FloatArray:
    """(windows, columns) by how many nats each is over the limit of a model of 20 features."""
    shares = columns.grouped(columns.shares(law))
    stream = Stream(columns.usual, limits_for(max(FEATURES), min(FEATURES)))
    return np.array([stream.take(draw(random, rows, shares, MISSING)) for _ in range(length)])


def _cell(law: str, features: int, rows: int, parts: Sequence[FloatArray]) -> Cell:
    """A model of more features has less of its budget for each: so many nats more."""
    pages = ringing = windows = 0
    for part in parts:
        rings = part > log(features / min(FEATURES))
        models = rings.reshape(len(part), -1, features).any(axis=2)
        before = np.concatenate([np.zeros_like(models[:1]), models[:-1]])
        pages += int((models & ~before).sum())
        ringing += int(models.sum())
        windows += models.size
    return Cell(law, features, rows, windows, pages, ringing)
