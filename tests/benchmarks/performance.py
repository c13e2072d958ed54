"""Estimated against realized performance, beside NannyML; and how often intervals cover, by simulation.

    python -m tests.benchmarks.performance --data FOLDER [--nannyml PYTHON]
    python -m tests.benchmarks.performance --coverage [--runs RUNS]

FOLDER holds NannyML's work-from-home sample as `synthetic_sample.csv.gz`, the reference, and
`synthetic_sample_analysis.csv.gz`, the stream, each with a label. PYTHON is one that has NannyML.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from detectors.performance.binary_counts import BinaryOutcomes
from detectors.performance.calibration import calibrate
from detectors.performance.estimated_binary import estimated_binary
from detectors.performance.gap import gap
from detectors.performance.metric import Metric
from detectors.performance.realized_binary import realized_binary
from detectors.performance.realized_multiclass import realized_multiclass
from detectors.performance.realized_regression import realized_regression
from detectors.performance.score_grid import fine_grid
from tests.benchmarks.cbpe import DECISION, LABEL, NAMES, SCORE
from tests.detectors.performance import draws

REFERENCE, STREAM = "synthetic_sample.csv.gz", "synthetic_sample_analysis.csv.gz"
CHUNKS = (5000, 1000, 500)
SIZES = (200, 2000)
Columns = tuple[np.ndarray, np.ndarray, np.ndarray]
Draw = Callable[[np.random.Generator, int], object]


def main() -> None:
    """Print the tables of docs/performance-metrics.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with both tables")
    parser.add_argument("--nannyml", help="a Python that has NannyML")
    parser.add_argument("--coverage", action="store_true", help="simulate coverage")
    parser.add_argument("--runs", type=int, default=2000, help="windows a row of the coverage tables")
    chosen = parser.parse_args()
    if chosen.data:
        _write(_against_realized(chosen.data, chosen.nannyml))
    if chosen.coverage:
        _write(_realized_coverage(chosen.runs))
        _write(_estimated_coverage(chosen.runs))


def _write(lines: Iterator[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    sys.stdout.write("\n")


def _against_realized(folder: Path, nannyml: str | None) -> Iterator[str]:
    learned = calibrate(BinaryOutcomes.zeros().add(*_columns(folder / REFERENCE)).scores, fine_grid())
    stream = _columns(folder / STREAM)
    yield "| rows a chunk | chunks | metric | mean error | NannyML's | largest difference | gaps at 1 % |"
    yield "|---|---|---|---|---|---|---|"
    for size in CHUNKS:
        chunks = [
            BinaryOutcomes.zeros().add(*(column[at : at + size] for column in stream))
            for at in range(0, stream[0].size, size)
        ]
        theirs = _rival(folder, nannyml, size) if nannyml else {}
        truths = [realized_binary(chunk) for chunk in chunks]
        found = [estimated_binary(learned, chunk.predictions()) for chunk in chunks]
        for name in NAMES:
            ours = np.array([one[name].metric.value for one in found], np.float64)
            truth = np.array([one[name].value for one in truths], np.float64)
            beyond = [
                gap(one[name], other[name], alpha=0.01).is_beyond
                for one, other in zip(found, truths, strict=True)
            ]
            yield _row(size, name, ours, truth, theirs.get(name)) + f" {sum(beyond)} |"


def _row(
    size: int, name: str, ours: np.ndarray, truth: np.ndarray, rival: Mapping[str, list[float]] | None
) -> str:
    head = f"| {size} | {truth.size} | `{name}` | {np.abs(ours - truth).mean():.6f} |"
    if rival is None:
        return head + " - | - |"
    value, realized = np.array(rival["value"]), np.array(rival["realized"])
    assert np.abs(realized - truth).max() < 1e-9, "both must be held against one truth"
    return head + f" {np.abs(value - truth).mean():.6f} | {np.abs(value - ours).max():.1e} |"


def _rival(folder: Path, python: str, size: int) -> dict[str, Mapping[str, list[float]]]:
    script = Path(__file__).with_name("cbpe.py")
    command = [python, str(script), str(folder / REFERENCE), str(folder / STREAM), str(size)]
    told: dict[str, Mapping[str, list[float]]] = json.loads(
        subprocess.run(command, capture_output=True, check=True, timeout=900).stdout
    )
    return told


def _columns(path: Path) -> Columns:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    labels, scores, decisions = (
        np.array([float(row[name]) for row in rows]) for name in (LABEL, SCORE, DECISION)
    )
    return labels.astype(np.int64), scores, decisions.astype(np.int64)


def _realized_coverage(runs: int) -> Iterator[str]:
    laws: dict[str, tuple[Draw, Callable[..., dict[str, Metric]]]] = {
        "chances, half positive": (draws.binary, realized_binary),
        "not calibrated": (lambda r, n: draws.binary(r, n, power=1.5), realized_binary),
        "11 % positive": (lambda r, n: draws.binary(r, n, (0.6, 5.0)), realized_binary),
        "3 classes": (draws.multiclass, realized_multiclass),
        "normal errors": (draws.regression, realized_regression),
        "Laplace errors": (lambda r, n: draws.regression(r, n, "laplace"), realized_regression),
    }
    yield "| law | rows | coverage of nominal 95 %, realized |"
    yield "|---|---|---|"
    for law, (draw, realized) in laws.items():
        random = np.random.default_rng(1)
        truth = realized(draw(random, 2_000_000))
        for n in SIZES:
            hits: dict[str, list[bool]] = {name: [] for name in truth}
            for _ in range(runs):
                for name, one in realized(draw(random, n)).items():
                    if one.value is not None:
                        hits[name].append(one.low <= truth[name].value <= one.high)
            yield f"| {law} | {n} | {_shares(hits)} |"


def _estimated_coverage(runs: int) -> Iterator[str]:
    yield "| scores | labels of the reference | rows | coverage of nominal 95 %, estimated | gaps at 5 % | at 1 % |"
    yield "|---|---|---|---|---|---|"
    for scores, power in (("chances", 1.0), ("not calibrated", 1.6)):
        for labels in (2000, 20_000):
            for n in SIZES:
                random = np.random.default_rng(2)
                hits: dict[str, list[bool]] = {}
                rings: dict[float, list[bool]] = {0.05: [], 0.01: []}
                for run in range(runs):
                    if run % 4 == 0:
                        reference = draws.binary(random, labels, power=power)
                        learned = calibrate(reference.scores, fine_grid())
                    window = draws.binary(random, n, (2.0, 1.0), power)
                    truth = realized_binary(window)
                    for name, one in estimated_binary(learned, window.predictions()).items():
                        hits.setdefault(name, []).append(
                            one.metric.low <= truth[name].value <= one.metric.high
                        )
                        for alpha, rung in rings.items():
                            rung.append(gap(one, truth[name], alpha).is_beyond)
                shares = " | ".join(f"{100 * np.mean(rung):.1f}" for rung in rings.values())
                yield f"| {scores} | {labels} | {n} | {_shares(hits)} | {shares} |"


def _shares(hits: Mapping[str, list[bool]]) -> str:
    return ", ".join(f"`{name}` {100 * np.mean(found):.1f}" for name, found in hits.items())


if __name__ == "__main__":
    main()
