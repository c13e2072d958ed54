"""Draws the pictures of `docs/detection.md` from the results of the benchmark; the same results give the same bytes.

`python -m tests.benchmarks.pictures RESULTS.json docs/pictures`
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from detectors.evidence import distribution_gains, log_mean_exp
from service.demo.tables import bike_rentals
from service.messages import Batch, Stream, TextColumn
from service.monitor import DAY_MS
from service.reference.builder import build_reference
from service.reference.specification import ReferenceSpec
from service.scoring.evidence import Watch, step
from service.scoring.evidence_state import Evidence, begin
from service.scoring.usual import Usual, usual_of
from service.sketches.grids import Grid
from service.sketches.pane import PaneSketch
from tests.benchmarks import drawn
from tests.benchmarks.cases import BIKES, build, natural
from tests.benchmarks.false_alarms import LAWS
from tests.benchmarks.laws import NORMAL, shifted

_OURS, _RIVAL, _FLOOR, _LIMIT = "#0b6e99", "#c2571a", "#888888", "#b00020"
_STYLE = {
    "svg.hashsalt": "driftbell", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3, "figure.figsize": (7.0, 3.2),
    "legend.frameon": False,
}  # fmt: skip
_SHIFT, _ROWS, _QUIET, _FAULTY = 0.1, 1_000, 30, 20
_DELAYS = (
    "mean + 0.1 sd",
    "spread x 1.1",
    "5 % of rows x 1.609, narrow",
    "1 % of rows x 1.609, whole numbers",
)

Results = dict[str, list[dict[str, Any]]]


def main() -> None:
    """Draw all of them."""
    results: Results = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(_STYLE):
        for name, make in _PICTURES.items():
            figure = Figure(layout="constrained")
            make(figure, results)
            figure.savefig(folder / f"{name}.svg", format="svg", metadata={"Date": None})


def evidence_adds_up(figure: Figure, _: Results) -> None:
    """A mean that moves by a tenth of a standard deviation: no window is striking, ten of them are."""
    random = np.random.default_rng(5)
    columns = drawn.make_columns(NORMAL, 5, random)
    stream = drawn.Stream(columns.usual, drawn.limits_for(5, 20))
    lines = []
    for window in range(_QUIET + _FAULTY):
        law = NORMAL if window < _QUIET else shifted(NORMAL, _SHIFT)
        over = stream.take(drawn.draw(random, _ROWS, columns.grouped(columns.shares(law)), 0.0))
        lines.append(over + stream.watch.distribution_limits)
    axes = figure.subplots()
    axes.plot(np.arange(1, _QUIET + _FAULTY + 1), np.array(lines), color=_OURS, linewidth=1.2)
    axes.axhline(stream.watch.distribution_limits[0], color=_LIMIT, linestyle="--", linewidth=1)
    axes.text(
        1, stream.watch.distribution_limits[0] + 0.4, "limit: the budget's share of one column", color=_LIMIT
    )
    axes.axvline(_QUIET + 0.5, color=_FLOOR, linewidth=1)
    axes.text(_QUIET + 0.2, 19, "the mean moves by 0.1 sd", color=_FLOOR, ha="right")
    axes.set(xlabel="window of 1,000 rows", ylabel="evidence, nats", ylim=(-0.5, 24))


def two_references(figure: Figure, _: Results) -> None:
    """The temperature of the bicycle data, by the day."""
    lines = np.array(_temperature())
    axes = figure.subplots()
    days = np.arange(len(lines))
    axes.plot(days, lines[:, 0], color=_RIVAL, linewidth=1, label="against training")
    axes.plot(days, lines[:, 1], color=_FLOOR, linewidth=1, label="against the recent past")
    axes.plot(days, lines[:, 2], color=_OURS, linewidth=1.6, label="what counts: against the best of all")
    axes.axhline(lines[0, 3], color=_LIMIT, linestyle="--", linewidth=1)
    axes.text(2, lines[0, 3] + 0.3, "limit", color=_LIMIT)
    axes.set(xlabel="days after training (12 September 2011 to 31 December 2012)", ylabel="evidence, nats")
    axes.set_ylim(-0.3, 23)
    axes.legend(loc="upper right", ncols=3, fontsize=7)


def _temperature() -> list[tuple[float, ...]]:
    case = natural()[0]
    with TemporaryDirectory(prefix="driftbell-bench-") as folder:
        built = build(case, Path(folder))
        table = Path(folder) / "reference.csv"
        built.model.write_training_table(table)
        outputs = ("label", "prediction")
        profile = build_reference(table, ReferenceSpec(BIKES, BIKES, exclude=outputs, ordered=True))
    usual = usual_of(profile)
    place = next(i for i, c in enumerate(usual.groups.columns) if c.name == "temp")
    watch = drawn.limits_for(len(usual.groups.columns), len(usual.groups.columns))
    limit = float(watch.distribution_limits[place])
    state, lines, sums = begin(usual, 0), [], np.zeros((2, *begin(usual, 0).training.shape))
    features = bike_rentals().features
    for day in range(case.windows):
        start = built.model.table.later + case.rows * day
        sketch = _counted(profile.grid, features.rows(slice(start, start + case.rows)))
        sums = sums + _gains(usual, state, watch, sketch)
        against = [float(log_mean_exp(one[place])) for one in sums]
        sums = np.clip(np.where(np.isfinite(sums), sums, 0.0), 0.0, 1.25 * limit)
        told = step(usual, state, sketch, watch, (day * DAY_MS, (day + 1) * DAY_MS), lambda: ())
        state = told.state
        counted = next(f.value for f in told.findings if f.column == usual.groups.columns[place])
        lines.append((*(max(0.0, one) for one in against), counted, limit))
    return lines


def _gains(usual: Usual, state: Evidence, watch: Watch, sketch: PaneSketch) -> np.ndarray:
    """(2, F, A) what a day adds to the evidence against training, and against the recent past."""
    counts = usual.groups.counts(sketch)
    varies = np.maximum(usual.varying(float(counts.sum(axis=1).max())), np.maximum(1.0, state.varies))
    sides = (
        (usual.proportions, usual.tolerance(watch.tolerances)),
        (
            usual.smoothed(state.memory),
            usual.excuse(state.memory.sum(axis=1) / varies, watch.tolerances),
        ),
    )
    return np.array(
        [
            distribution_gains(
                counts / varies[:, None],
                shares,
                tolerance,
                usual.groups.ordered,
                usual.groups.surprising,
            )
            for shares, tolerance in sides
        ]
    )


def _counted(grid: Grid, features: Any) -> PaneSketch:
    rows = len(features)
    nothing = np.zeros(rows, np.int64)
    texts = []
    for one in grid.texts:
        values, codes = np.unique(features.texts[one.column.name], return_inverse=True)
        texts.append(TextColumn(codes.astype(np.int32), tuple(values.tolist())))
    batch = Batch(
        BIKES, 1, Stream.INFERENCE, np.arange(rows), nothing, nothing.astype(np.uint64),
        TextColumn(nothing.astype(np.int32), ("1",)), np.array([features.numbers[n.column.name] for n in grid.numbers]),
        texts,
    )  # fmt: skip
    sketch = PaneSketch(grid)
    sketch.add(batch, slice(None))
    return sketch


def false_alarms(figure: Figure, results: Results) -> None:
    """The 95 % upper bound of pages a month, and the promise."""
    for axes, features in zip(figure.subplots(1, 2, sharey=True), (20, 200), strict=True):
        for law, mark in zip(LAWS, "osv^", strict=True):
            cells = [c for c in results["false_alarms"] if c["law"] == law and c["features"] == features]
            rows, highest = [c["rows"] for c in cells], [c["highest_a_month"] for c in cells]
            axes.plot(rows, highest, marker=mark, markersize=4, linewidth=1, label=law)
        axes.axhline(1.0, color=_LIMIT, linestyle="--", linewidth=1)
        axes.set(
            xscale="log", yscale="log", xlabel="rows a window", title=f"{features} features", ylim=(0.01, 3)
        )
        axes.text(50, 1.1, "promised", color=_LIMIT)
    figure.axes[0].set_ylabel("pages a month, 95 % upper bound")
    figure.axes[0].legend(loc="lower right", fontsize=7)


def power(figure: Figure, results: Results) -> None:
    """Delays by window size, for four faults."""
    figure.set_size_inches(7.0, 5.0)
    for axes, fault in zip(figure.subplots(2, 2, sharex=True, sharey=True).flat, _DELAYS, strict=True):
        rows = [r for r in results["delays"] if r["fault"] == fault]
        _delay_lines(axes, rows)
        axes.set(xscale="log", yscale="log", title=fault, ylim=(0.8, 260))
    for axes in figure.axes[2:]:
        axes.set_xlabel("rows a window")
    for axes in figure.axes[::2]:
        axes.set_ylabel("windows until found")
    figure.axes[0].legend(fontsize=7)


def _delay_lines(axes: Axes, rows: list[dict[str, Any]]) -> None:
    size = [r["rows"] for r in rows]
    axes.plot(size, [r["driftbell"] for r in rows], marker="o", markersize=4, color=_OURS, label="driftbell")
    axes.plot(size, [r["rival"] for r in rows], marker="s", markersize=4, color=_RIVAL, label="KS, same rate")
    axes.plot(
        size, [r["generous"] for r in rows], linestyle="--", color=_RIVAL, label="KS, the whole promise"
    )
    axes.plot(size, [r["floor"] for r in rows], color=_FLOOR, linestyle=":", label="floor")


_PICTURES: dict[str, Callable[[Figure, Results], None]] = {
    "evidence-adds-up": evidence_adds_up,
    "two-references": two_references,
    "false-alarms": false_alarms,
    "power": power,
}

if __name__ == "__main__":
    main()
