"""What detection finds, names and rings on nothing, beside plain rules; false alarms, power, natural order and cost.

`make bench-detection` prints it at a small size; `--full` has the sizes of `docs/detection.md`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from tests.benchmarks import cases as streams
from tests.benchmarks import false_alarms, judging_cost, natural, power, single_faults

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Size:
    """How much is run: windows of 200 features a cell, repeats and longest delay, windows of a clean stream."""

    windows: int
    repeats: int
    longest: int
    clean: int


SMALL, FULL = Size(200, 10, 60, 120), Size(10_000, 40, 200, 240)


def _single_faults(size: Size) -> dict[str, Rows]:
    chosen = [*single_faults.faulty(), *single_faults.clean(size.clean)]
    with TemporaryDirectory(prefix="driftbell-bench-") as folder:
        return {"scores": [asdict(score) for score in single_faults.scores(chosen, Path(folder))]}


def _natural(_: Size) -> dict[str, Rows]:
    with TemporaryDirectory(prefix="driftbell-bench-") as folder:
        found = list(natural.months(streams.natural(), Path(folder)))
    rows = [{**asdict(one), "a_month": one.a_month} for one, _ in found]
    return {"months": rows, "told": [asdict(told) for _, why in found for told in why]}


def _false_alarms(size: Size) -> dict[str, Rows]:
    return {"false_alarms": [cell.row() for cell in false_alarms.cells(size.windows)]}


def _power(size: Size) -> dict[str, Rows]:
    return {"delays": [asdict(one) for one in power.delays(repeats=size.repeats, longest=size.longest)]}


def _cost(_: Size) -> dict[str, Rows]:
    return {"cost": [{"what": what, "ms": ms} for what, ms in judging_cost.measure().items()]}


PARTS: dict[str, Callable[[Size], dict[str, Rows]]] = {
    "faults": _single_faults, "natural": _natural, "false-alarms": _false_alarms, "power": _power, "cost": _cost,
}  # fmt: skip


@click.command()
@click.option("--part", "parts", multiple=True, type=click.Choice(list(PARTS)), help="Only these parts.")
@click.option("--full", is_flag=True, help="At the sizes of docs/detection.md.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the results, as JSON.")
@click.option("--export", type=click.Path(path_type=Path), help="Only write the cases, as tables.")
def main(parts: tuple[str, ...], full: bool, out: Path | None, export: Path | None) -> None:
    """Measure and print."""
    if export is not None:
        for case in [*single_faults.faulty(), *single_faults.clean(60), *streams.natural(60)]:
            streams.export(case, export)
        return
    console, results = Console(width=120), {}
    for part in parts or tuple(PARTS):
        began = time.process_time()
        measured = PARTS[part](FULL if full else SMALL)
        results |= measured
        tell(console, measured)
        console.print(f"{part}: {time.process_time() - began:.0f} s of processor time")
        if out is not None:
            out.write_text(json.dumps(results), encoding="utf-8")


def tell(console: Console, results: dict[str, Rows]) -> None:
    """Print what there is."""
    for name, show in _SHOWN.items():
        if name in results:
            for table in show(results[name]):
                console.print(table)


def _scores(rows: Rows) -> Iterable[Table]:
    one = Table("case", "found", "named", "windows", "said", title="one fault each, by driftbell")
    for row in rows:
        if row["rule"] == single_faults.DRIFTBELL and row["is_fault"]:
            delay = "never" if row["delay"] is None else f"{row['delay']:.2g}"
            one.add_row(row["case"], _yes(row["found"]), _yes(row["named"]), delay, row["said"])
    yield one
    faults = sum(row["is_fault"] and row["rule"] == single_faults.DRIFTBELL for row in rows)
    quiet = sum(row["quiet"] for row in rows if row["rule"] == single_faults.DRIFTBELL)
    all_of = Table(
        "rule", f"of {faults} found", "named", f"of {quiet:,} quiet windows ringing", title="all rules"
    )
    for rule in dict.fromkeys(row["rule"] for row in rows):
        mine = [row for row in rows if row["rule"] == rule]
        faulty = [row for row in mine if row["is_fault"]]
        all_of.add_row(
            rule, f"{sum(r['found'] for r in faulty)}", f"{sum(r['named'] for r in faulty)}",
            f"{sum(r['false'] for r in mine):,}",
        )  # fmt: skip
    yield all_of


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _months(rows: Rows) -> Iterable[Table]:
    table = Table(
        "stream", "rule", "windows", "ringing", "pages", "tickets", "of both a month", title="natural order"
    )
    for row in rows:
        counts = [f"{row[name]:,}" for name in ("windows", "ringing", "pages", "tickets")]
        table.add_row(row["case"], row["rule"], *counts, f"{row['a_month']:.2f}")
    yield table


def _told(rows: Rows) -> Iterable[Table]:
    table = Table("stream", "row", "severity", "said", title="what driftbell told of it")
    for row in rows:
        table.add_row(row["case"], f"{row['row']:,}", row["severity"], row["said"])
    yield table


def _cells(rows: Rows) -> Iterable[Table]:
    names = ("law", "features", "rows", "windows", "pages", "promised", "a month, at most")
    table = Table(*names, title="stationary windows: pages, and their 95 % upper bound a month")
    for row in rows:
        table.add_row(
            row["law"], f"{row['features']}", f"{row['rows']:,}", f"{row['windows']:,}", f"{row['pages']}",
            f"{row['promised']:.1f}", f"{row['highest_a_month']:.3f}",
        )  # fmt: skip
    yield table


def _delays(rows: Rows) -> Iterable[Table]:
    names = (
        "fault",
        "rows",
        "driftbell",
        "found",
        "rival, same rate",
        "found",
        "rival, whole promise",
        "found",
        "floor",
    )
    table = Table(*names, title="windows until a fault is found (mean, cut off at the longest)")
    for row in rows:
        delays = [
            cell
            for name, found in (
                ("driftbell", "found"),
                ("rival", "rival_found"),
                ("generous", "generous_found"),
            )
            for cell in (f"{row[name]:.1f}", f"{row[found]:.0%}")
        ]
        table.add_row(row["fault"], f"{row['rows']:,}", *delays, f"{row['floor']:.1f}")
    yield table


def _costs(rows: Rows) -> Iterable[Table]:
    table = Table("what", "ms", title="processor time")
    for row in rows:
        table.add_row(row["what"], f"{row['ms']:.1f}")
    yield table


_SHOWN: dict[str, Callable[[Rows], Iterable[Table]]] = {
    "scores": _scores, "months": _months, "told": _told, "false_alarms": _cells, "delays": _delays, "cost": _costs,
}  # fmt: skip


if __name__ == "__main__":
    main()
