"""False alarms, delays and cost of the sequential detectors, beside always-fire, never-fire and Lorden's floor.

`python -m tests.benchmarks.sequential` prints it at a small size; `--full` has the sizes of `docs/concept-drift.md`.
Every stream has a reference of its own, drawn anew: what a detector is told of it, it may be unlucky with.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from detectors.pair import FloatArray
from detectors.sequential.adwin import Adwin
from detectors.sequential.catalogue import SELF_TAUGHT
from detectors.sequential.cusum import Cusum
from detectors.sequential.mean_evidence import MeanEvidence
from detectors.sequential.rate_evidence import RateEvidence
from detectors.sequential.sequential import Sequential
from detectors.sequential.step import blank_steps

REFERENCE_ROWS, RUN_LENGTH = 10_000, 100_000
"""The evidence detectors are held to one false alarm in so many events."""
STATIONARY, BEFORE, AFTER = 10_000, 5_000, 10_000
PANE = 100
TIMED = 20_000
OF_RATES = frozenset({"ddm", "eddm", "hddm_a", "hddm_w"})


@dataclass(frozen=True)
class Law:
    """Single values: errors at a rate, or normal values of deviation 1 about a mean."""

    rate: float | None = None
    mean: float = 0.0

    def draw(self, random: np.random.Generator, size: int) -> FloatArray:
        """So many values."""
        if self.rate is None:
            return random.normal(self.mean, 1.0, size)
        return (random.random(size) < self.rate).astype(np.float64)

    def divergence(self, other: Law) -> float:
        """Kullback and Leibler's, of this law from another, in nats an event."""
        if self.rate is None or other.rate is None:
            return (self.mean - other.mean) ** 2 / 2
        q, p = self.rate, other.rate
        return q * log(q / p) + (1 - q) * log((1 - q) / (1 - p))


class Change(NamedTuple):
    """What a stream is before and after."""

    name: str
    old: Law
    new: Law


LAWS = {"errors 5 %": Law(0.05), "errors 20 %": Law(0.20), "normal": Law()}
CHANGES = (
    Change("5 -> 10 %", Law(0.05), Law(0.10)),
    Change("5 -> 15 %", Law(0.05), Law(0.15)),
    Change("20 -> 30 %", Law(0.20), Law(0.30)),
    Change("20 -> 40 %", Law(0.20), Law(0.40)),
    Change("+0.25 sd", Law(), Law(mean=0.25)),
    Change("+0.5 sd", Law(), Law(mean=0.5)),
    Change("+1 sd", Law(), Law(mean=1.0)),
)


class Fire:
    """Always or never, for comparison."""

    def __init__(self, *, always: bool) -> None:
        self.always = always

    def run(self, values: FloatArray, _weights: FloatArray | None = None) -> tuple[None, Any]:
        """Drift at every value, or at none."""
        steps = blank_steps(len(values))
        steps.drift[:] = self.always
        return None, steps


Make = Callable[[Law, np.random.Generator, int], Sequential[Any] | Fire | None]
"""A detector for streams of a law, with a reference and for panes of so many rows; None where it does not fit."""


def _rates(tolerance: float) -> Make:
    def make(law: Law, random: np.random.Generator, rows: int) -> Sequential[Any] | None:
        if law.rate is None:
            return None
        hits = float(random.binomial(REFERENCE_ROWS, law.rate))
        return RateEvidence(hits, REFERENCE_ROWS, tolerance=tolerance, run_length=RUN_LENGTH / rows)

    return make


def _means(tolerance: float) -> Make:
    def make(law: Law, random: np.random.Generator, rows: int) -> Sequential[Any] | None:
        if law.rate is not None:
            return None
        sample = random.normal(size=REFERENCE_ROWS)
        mean, scale = float(sample.mean()), float(sample.std())
        return MeanEvidence(mean, scale, REFERENCE_ROWS, tolerance=tolerance, run_length=RUN_LENGTH / rows)

    return make


def _self_taught(name: str) -> Make:
    def make(law: Law, _random: np.random.Generator, _rows: int) -> Sequential[Any] | None:
        if law.rate is None and name in OF_RATES:
            return None
        if name in {"adwin", "cusum"}:
            return (Adwin if name == "adwin" else Cusum)(rates=law.rate is not None)
        return SELF_TAUGHT[name]()

    return make


DETECTORS: dict[str, Make] = {
    "rate_evidence": _rates(0.01),
    "rate_evidence, tolerance 0": _rates(0.0),
    "mean_evidence": _means(0.02),
    "mean_evidence, tolerance 0": _means(0.0),
    **{name: _self_taught(name) for name in SELF_TAUGHT},
    "always fires": lambda _law, _random, _rows: Fire(always=True),
    "never fires": lambda _law, _random, _rows: Fire(always=False),
}


def drifts(detector: Sequential[Any] | Fire, values: FloatArray, rows: int) -> np.ndarray:
    """How many events had been seen at each alarm."""
    if rows == 1:
        return detector.run(values)[1].drifts + 1
    panes = values.reshape(-1, rows).mean(axis=1)
    return (detector.run(panes, np.full(len(panes), float(rows)))[1].drifts + 1) * rows


def false_alarms(make: Make, law: Law, streams: int, rows: int, seed: int) -> dict[str, float] | None:
    """Alarms in so many stationary streams, and microseconds of processor time an event."""
    random = np.random.default_rng([seed, 1])
    alarms, seconds = 0, 0.0
    for _ in range(streams):
        detector = make(law, random, rows)
        if detector is None:
            return None
        values = law.draw(random, STATIONARY)
        start = time.process_time()
        alarms += len(drifts(detector, values, rows))
        seconds += time.process_time() - start
    events = streams * STATIONARY
    return {
        "per_100k": alarms / events * 1e5,
        "alarms": alarms,
        "events": events,
        "us": seconds / events * 1e6,
    }


def delays(make: Make, change: Change, streams: int, rows: int, seed: int) -> dict[str, float | None] | None:
    """Mean events from the change to the first alarm after it, where there is one, and the share without."""
    random = np.random.default_rng([seed, 2])
    found: list[float] = []
    for _ in range(streams):
        detector = make(change.old, random, rows)
        if detector is None:
            return None
        parts = [change.old.draw(random, BEFORE), change.new.draw(random, AFTER)]
        at = drifts(detector, np.concatenate(parts), rows) - BEFORE
        found += at[at > 0][:1].tolist()
    return {"delay": float(np.mean(found)) if found else None, "missed": 1 - len(found) / streams}


def floor(change: Change, alarms: dict[str, float]) -> float:
    """Lorden's: no detector with so few false alarms is faster; of none in N events, N / 3 between them are known."""
    between = alarms["events"] / max(alarms["alarms"], 3.0)
    return max(1.0, log(max(between, 1.0)) / change.new.divergence(change.old))


def measure(streams: int, drifting: int, rows: int, seed: int, told: Console) -> Iterator[dict[str, Any]]:
    """A row for each detector and law of a stream."""
    for name, make in DETECTORS.items():
        for law_name, law in LAWS.items():
            told.print(f"panes of {rows}: {name}, {law_name}", style="dim")
            alarms = false_alarms(make, law, streams, rows, seed)
            if alarms is None:
                continue
            row: dict[str, Any] = {"detector": name, "law": law_name, "rows": rows, **alarms, "changes": {}}
            for change in CHANGES:
                if change.old == law:
                    found = delays(make, change, drifting, rows, seed)
                    row["changes"][change.name] = {**(found or {}), "floor": floor(change, alarms)}
            yield row


def promises(alarms: int, seed: int, told: Console) -> Iterator[dict[str, Any]]:
    """What is promised and what is kept at the edge of the null: values just as far off as is let pass."""
    random = np.random.default_rng([seed, 3])
    for run_length in (1_000, 10_000):
        rates = RateEvidence(500, REFERENCE_ROWS, run_length=run_length)
        means = MeanEvidence(0.0, 1.0, REFERENCE_ROWS, run_length=run_length, mode="up")
        edges = ((rates, Law(rates.usual)), (means, Law(mean=means.slack)))
        for detector, law in edges:
            told.print(f"promise: {detector.name}, {run_length}", style="dim")
            state, seen, rung = detector.begin(), 0, 0
            while rung < alarms:
                state, steps = detector.run(law.draw(random, 50_000), state=state)
                seen, rung = seen + 50_000, rung + len(steps.drifts)
            yield {"detector": detector.name, "promised": run_length, "kept": seen / rung, "alarms": rung}


def speed(told: Console) -> Iterator[dict[str, Any]]:
    """Values a second by `run`, by `update`, and of River's detector on the same stream in the same process."""
    from river import drift

    rivals: dict[str, Callable[[], Any]] = {
        "adwin": drift.ADWIN, "ddm": drift.binary.DDM, "eddm": drift.binary.EDDM, "hddm_a": drift.binary.HDDMA,
        "hddm_w": drift.binary.HDDMW, "page_hinkley": drift.PageHinkley, "kswin": lambda: drift.KSWIN(seed=1),
    }  # fmt: skip
    random = np.random.default_rng(7)
    for name, make in DETECTORS.items():
        law = Law(mean=0.0) if name.split(",")[0] in {"mean_evidence", "kswin", "cusum", "ewma"} else Law(0.1)
        detector, values = make(law, random, 1), law.draw(random, TIMED)
        if not isinstance(detector, Sequential) or "," in name:
            continue
        told.print(f"speed: {name}", style="dim")
        run = min(_seconds(lambda d=detector, v=values: d.run(v)) for _ in range(3))
        update = _seconds(lambda d=detector, v=values: _update(d, v[:2_000])) * TIMED / 2_000
        rival = rivals.get(name)
        river = _seconds(lambda r=rival, v=values: _river(r(), v)) if rival else None
        yield {
            "detector": name,
            "run_per_s": TIMED / run,
            "update_per_s": TIMED / update,
            "river_per_s": TIMED / river if river else None,
            "run_of_river": river / run if river else None,
            "update_of_river": river / update if river else None,
        }


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _update(detector: Sequential[Any], values: FloatArray) -> None:
    state = detector.begin()
    for value in values.tolist():
        state, _ = detector.update(state, value)


def _river(detector: Any, values: FloatArray) -> None:
    for value in values.tolist():
        detector.update(value)


def show(rows: list[dict[str, Any]], title: str, console: Console) -> None:
    """One table a law: false alarms, cost, and of each change delay, times the floor, share missed."""
    for law, old in LAWS.items():
        changes = [change.name for change in CHANGES if change.old == old]
        table = Table("detector", "false alarms / 100k", "us / event", *changes, title=f"{law}, {title}")
        for row in (row for row in rows if row["law"] == law):
            cells = [_cell(row["changes"][name]) for name in changes]
            table.add_row(row["detector"], f"{row['per_100k']:,.2f}", f"{row['us']:.2f}", *cells)
        console.print(table)


def _cell(found: dict[str, Any]) -> str:
    if found["delay"] is None:
        return "never"
    missed = f", {found['missed']:.0%} missed" if found["missed"] else ""
    return f"{found['delay']:,.0f} ({found['delay'] / found['floor']:.1f} x){missed}"


@click.command(help=__doc__.splitlines()[0])
@click.option("--full", is_flag=True, help="1,000 stationary and 200 drifting streams of each kind.")
@click.option("--seed", default=1, help="Of all streams.")
@click.option("--out", type=click.Path(path_type=Path), help="JSON of all figures.")
def main(full: bool, seed: int, out: Path | None) -> None:
    """Measure and print."""
    console, told = Console(width=150), Console(stderr=True)
    streams, drifting = (1_000, 200) if full else (20, 10)
    results: dict[str, list[dict[str, Any]]] = {}
    for rows in (1, PANE):
        results[f"panes of {rows}"] = list(measure(streams, drifting, rows, seed, told))
        show(results[f"panes of {rows}"], "single values" if rows == 1 else f"panes of {rows}", console)
    results["promises"] = list(promises(1_000 if full else 100, seed, told))
    table = Table("detector", "promised", "kept", title="mean values between alarms at the edge of the null")
    for row in results["promises"]:
        table.add_row(row["detector"], f"{row['promised']:,}", f"{row['kept']:,.0f}")
    console.print(table)
    results["speed"] = list(speed(told))
    table = Table(
        "detector", "run", "update", "River", "run / River", "update / River", title="values a second"
    )
    for row in results["speed"]:
        cells = [
            f"{row[key]:,.0f}" if row[key] else "" for key in ("run_per_s", "update_per_s", "river_per_s")
        ]
        ratios = [f"{row[key]:.2f}" if row[key] else "" for key in ("run_of_river", "update_of_river")]
        table.add_row(row["detector"], *cells, *ratios)
    console.print(table)
    if out:
        out.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
