"""Processor time to score 200 features over 3 windows by all methods, at once and one column after the other.

`make bench` prints it. Half of the features are numbers on 556 bins, half have 8 to 40 categories.
Three situations: window sizes seen before, window sizes that change by some percent every time (a day's traffic),
and a process that has just started.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from detectors.batch import BatchPlan, WindowCounts
from detectors.catalogue import score_all
from detectors.pair import CategoricalPair, FloatArray, IntArray, NumericPair, Pair

FEATURES, BINS, REFERENCE = 200, 556, 10_000
WINDOWS = (300, 1_000, 12_000)
ALPHA = 1e-7
TIMES = 15


@dataclass(frozen=True)
class Features:
    """Number columns of several shapes on quantile bins, and category columns of Zipf's and other laws."""

    edges: list[FloatArray]
    numbers: list[IntArray]
    categories: list[IntArray]
    number_shares: list[FloatArray]
    category_shares: list[FloatArray]

    def plan(self) -> BatchPlan:
        """A plan that has seen no window."""
        return BatchPlan(self.edges, self.numbers, [1.0] * len(self.numbers), self.categories)

    def window(self, random: np.random.Generator, n: int) -> WindowCounts:
        """A quiet window; 2 % of the features miss a tenth of their values."""
        sizes = np.where(random.random(FEATURES) < 0.02, n * 9 // 10, n).tolist()
        half = len(self.numbers)
        numbers = [random.multinomial(k, p) for k, p in zip(sizes[:half], self.number_shares, strict=True)]
        texts = [random.multinomial(k, p) for k, p in zip(sizes[half:], self.category_shares, strict=True)]
        far = np.full(half, 10.0)
        return WindowCounts(np.concatenate(numbers), -far, far, np.concatenate(texts))

    def pairs(self, window: WindowCounts) -> list[Pair]:
        """The same columns one by one."""
        numbers = np.split(window.numbers, np.cumsum([c.size for c in self.numbers])[:-1])
        texts = np.split(window.categories, np.cumsum([c.size for c in self.categories])[:-1])
        pairs: list[Pair] = [
            NumericPair(edges, reference, current, -10.0, 10.0, 1.0)
            for edges, reference, current in zip(self.edges, self.numbers, numbers, strict=True)
        ]
        return pairs + [CategoricalPair(r, c) for r, c in zip(self.categories, texts, strict=True)]


def make_features(random: np.random.Generator) -> Features:
    """Bins of one mass for most numbers, a heavy value for a fifth of them."""
    half = FEATURES // 2
    number_shares = []
    for _ in range(half):
        shares = random.gamma(4, size=BINS)
        if random.random() < 0.2:
            shares[BINS // 2] = shares.sum() * random.uniform(1, 20)
        number_shares.append(shares / shares.sum())
    category_shares = []
    for _ in range(half):
        shares = np.arange(1, int(random.integers(8, 41))) ** -random.uniform(0.5, 2)
        category_shares.append(np.append(shares / shares.sum(), 0.0))
    return Features(
        [np.sort(random.normal(size=BINS - 1)) for _ in range(half)],
        [random.multinomial(REFERENCE, shares) for shares in number_shares],
        [random.multinomial(REFERENCE, shares) for shares in category_shares],
        number_shares,
        category_shares,
    )


def best_of(work: Callable[[int], object], times: int = TIMES) -> float:
    """Milliseconds of processor time of the fastest run; each is told its number."""
    best = float("inf")
    for run in range(times):
        start = time.process_time()
        work(run)
        best = min(best, time.process_time() - start)
    return 1000 * best


def measure() -> dict[str, float]:
    """Milliseconds for all windows, by situation."""
    random = np.random.default_rng(9)
    features = make_features(random)
    plans = [features.plan() for _ in WINDOWS]
    windows = [features.window(random, n) for n in WINDOWS]
    moving = [
        [features.window(random, int(n * random.uniform(0.95, 1.05))) for n in WINDOWS]
        for _ in range(TIMES * 4)
    ]
    pairs = [pair for window in windows for pair in features.pairs(window)]

    def score(batch: list[WindowCounts]) -> None:
        for plan, window in zip(plans, batch, strict=True):
            plan.score(window, ALPHA)

    first = best_of(lambda _: score(windows), 1)
    seen = best_of(lambda _: score(windows))
    for batch in moving[:-TIMES]:
        score(batch)
    return {
        "window sizes seen before": seen,
        "window sizes within 5 %, after 45 windows": best_of(lambda run: score(moving[run - TIMES])),
        "a process that has just started": first,
        "one column after the other": best_of(lambda _: [score_all(pair, ALPHA) for pair in pairs], 2),
    }


def main() -> None:
    """Measure and print, as a table and as one line of JSON."""
    milliseconds = measure()
    slowest = milliseconds["one column after the other"]
    table = Table("situation", "ms", "times as fast", title=f"{FEATURES} features x {len(WINDOWS)} windows")
    for name, value in milliseconds.items():
        table.add_row(name, f"{value:.1f}", f"{slowest / value:.1f}")
    Console(width=110).print(table)
    Console().print_json(json.dumps({name: round(value, 1) for name, value in milliseconds.items()}))


if __name__ == "__main__":
    main()
