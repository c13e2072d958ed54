"""A log's events of one model are counted to the last, and the rest is told."""

from __future__ import annotations

from pathlib import Path

from service.configuration import ModelVersion
from service.contract.findings import contract_findings
from service.contract.grids import grid_for
from service.contract.logs import LogCount, count_log
from service.intake.file_log import FileLogSource
from service.monitor import Monitor
from service.promises import Contract, Promise, RowRule
from service.sketches.grids import Grid
from tests.contract.rows import event

CONTRACT = Contract({"x": Promise(low=0)}, (RowRule("r", "x < 90"),))


def count(path: Path) -> LogCount:
    """The events of model m."""
    monitor = Monitor("m", contract=CONTRACT)
    return count_log(FileLogSource(path), ModelVersion(monitor, grid_for(monitor, Grid())))


def test_every_event_of_the_model_is_counted(tmp_path: Path) -> None:
    lines = [event(i, {"x": float(i % 100 - 1)}) for i in range(25_000)]
    others = [event(i, {"x": -1.0}, model="other") for i in range(50)]
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"\n".join([*lines[:9_000], *others, b"{broken", *lines[9_000:]]) + b"\n")
    made = count(log)
    assert (made.sketch.inferences, made.dead) == (25_000, 1)
    shares = {f.method: f.value for f in contract_findings(CONTRACT, made.sketch, 1e-3)}
    assert shares == {"float_type_small_float": 0.01, "contract_rule": 0.09}


def test_a_folder_of_partitions_is_one_log(tmp_path: Path) -> None:
    for number in range(3):
        path = tmp_path / f"log-{number}.jsonl"
        path.write_bytes(b"\n".join(event(i, {"x": 1.0}) for i in range(100 * number)) + b"\n")
    assert count(tmp_path).sketch.inferences == 300


def test_labels_are_no_rows_of_features(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    label = b'{"type": "label", "model": "m", "id": "1", "ts": 1795305600000, "label": "yes"}'
    log.write_bytes(event(1, {"x": 1.0}) + b"\n" + label + b"\n")
    made = count(log)
    assert (made.sketch.inferences, made.sketch.labels) == (1, 1)
