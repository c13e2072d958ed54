"""Evidently's and NannyML's defaults on exported cases; runs in an environment of its own that has them.

    .venv/bin/python -m tests.benchmarks.detection --export CASES
    OTHER/bin/python tests/benchmarks/libraries.py CASES evidently

Reads what `exports` wrote: `reference.csv` and `windows.csv` with a column `window`, and `truth.json`, by case.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

Rings = Callable[[object, object], list[set[str]]]


def main() -> None:
    """Score one library on every case, one JSON object a line, and sum up."""
    warnings.simplefilter("ignore")
    os.environ |= {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}  # nothing is sent anywhere
    folder, library = Path(sys.argv[1]), sys.argv[2]
    totals = {"faults": 0, "found": 0, "quiet": 0, "false": 0}
    natural: dict[str, list[int]] = {}
    began = time.process_time()
    for truth, features in _all(folder, {"evidently": _evidently, "nannyml": _nannyml}[library]):
        scored = _scored(truth, features)
        if truth["natural"]:
            natural[truth["name"]] = [sum(map(bool, features)), len(features)]
        else:
            totals = {name: count + scored[name] for name, count in totals.items()}
        sys.stdout.write(json.dumps({"case": truth["name"], **scored}) + "\n")
        sys.stdout.flush()
    summary = {
        "library": f"{library} {version(library)}", **totals, "natural": natural,
        "cpu_seconds": round(time.process_time() - began),
    }  # fmt: skip
    sys.stdout.write(json.dumps(summary) + "\n")


def _all(folder: Path, rings: Rings) -> Iterator[tuple[dict, list[set[str]]]]:
    import pandas as pd

    for path in sorted(folder.iterdir()):
        truth = json.loads((path / "truth.json").read_text())
        texts = dict.fromkeys(truth["texts"], str)
        read = [pd.read_csv(path / name, dtype=texts) for name in ("reference.csv", "windows.csv")]
        yield truth, rings(*read)


def _scored(truth: dict, rings: list[set[str]]) -> dict[str, int]:
    quiet = truth["quiet"]
    wanted = set(truth["features"])
    after = [i + 1 for i, names in enumerate(rings[quiet:]) if names & wanted]
    found = bool(truth["is_fault"] and after and after[0] <= truth["within"] + 1)
    return {
        "faults": int(truth["is_fault"]), "found": int(found), "quiet": quiet,
        "false": sum(bool(names) for names in rings[:quiet]),
    }  # fmt: skip


def _evidently(reference, windows) -> list[set[str]]:
    """The default tests of each column (normed Wasserstein and Jensen-Shannon above 0.1 for over 1,000 rows)."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    texts = [name for name in reference if reference[name].dtype == object]
    numbers = [name for name in reference if name not in texts]
    about = DataDefinition(numerical_columns=numbers, categorical_columns=texts)
    before = Dataset.from_pandas(reference, data_definition=about)
    rings = []
    for _, rows in windows.groupby("window", sort=True):
        usable = [name for name in reference if rows[name].notna().any()]
        now = Dataset.from_pandas(rows[list(reference)], data_definition=about)
        found = Report([DataDriftPreset(columns=usable)]).run(now, before).dict()
        rings.append(set(_drifted(found)))
    return rings


def _drifted(report: dict) -> Iterator[str]:
    for metric in report["metrics"]:
        config = metric.get("config", {})
        if config.get("type", "").endswith("ValueDrift"):
            value, limit = float(metric["value"]), float(config["threshold"])
            is_p_value = "p_value" in config["method"]
            if (value < limit) if is_p_value else (value >= limit):
                yield config["column"]


def _nannyml(reference, windows) -> list[set[str]]:
    """Jensen-Shannon, mean and three standard deviations of reference chunks of a window's size."""
    size = int(windows.groupby("window").size().max())
    whole, rings = _fitted(reference, size), []
    for _, rows in windows.groupby("window", sort=True):
        usable = [name for name in reference if rows[name].notna().any()]
        calculator = whole if len(usable) == len(reference.columns) else _fitted(reference[usable], size)
        found = calculator.calculate(rows[usable].reset_index(drop=True).head(size))
        table = found.filter(period="analysis").to_df()
        rings.append({name for name in usable if bool(table[(name, "jensen_shannon", "alert")].any())})
    return rings


def _fitted(reference, size: int):
    import nannyml

    names = list(reference)
    texts = [name for name in names if reference[name].dtype == object]
    made = nannyml.UnivariateDriftCalculator(column_names=names, treat_as_categorical=texts, chunk_size=size)
    return made.fit(reference)


if __name__ == "__main__":
    main()
