"""Rows as events, decoded and counted as a collector does it, on the grid that their contract makes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from service.configuration import Configuration, ModelVersion
from service.contract.findings import contract_findings
from service.contract.grids import grid_for
from service.intake.decoder import Decoder
from service.intake.source import Records
from service.messages import Batch, Column, Finding, Partition, Role, Verdict
from service.monitor import Monitor
from service.promises import Contract, Promise
from service.sketches.grids import CategoryGrid, Grid, default_number_grid
from service.sketches.pane import PaneSketch

Row = Mapping[str, Any]
TS_MS = 1_795_305_600_000


def feature(name: str) -> Column:
    """The column of a feature."""
    return Column(Role.FEATURE, name)


def grid_of(*numbers: str, **categories: Sequence[str]) -> Grid:
    """The grid of a reference with these number columns and categories."""
    texts = tuple(CategoryGrid(feature(name), tuple(sorted(known))) for name, known in categories.items())
    return Grid(tuple(default_number_grid(feature(name)) for name in numbers), texts)


def event(number: int, features: Row, **more: Any) -> bytes:
    """One prediction; NaN and infinities are written as such."""
    body = {
        "type": "prediction",
        "model": "m",
        "id": str(number),
        "ts": TS_MS,
        "features": dict(features),
    } | more
    return json.dumps(body).encode()


def batches_of(rows: Sequence[Row | bytes], contract: Contract, base: Grid) -> list[Batch]:
    """The rows (or whole events) as the intake hands them on."""
    monitor = Monitor("m", contract=contract, nonfinite="missing")
    version = ModelVersion(monitor, grid_for(monitor, base))
    values = [row if isinstance(row, bytes) else event(i, row) for i, row in enumerate(rows)]
    n = len(values)
    records = Records(Partition("t", 0), np.arange(n), np.full(n, TS_MS), values, [None] * n)
    decoded = Decoder(Configuration({"m": (version,)})).decode(records)
    assert decoded.dead == []
    return decoded.batches


def counted(rows: Sequence[Row | bytes], contract: Contract, base: Grid | None = None) -> PaneSketch:
    """All rows in one sketch."""
    base = base or Grid()
    sketch = PaneSketch(grid_for(Monitor("m", contract=contract), base))
    for batch in batches_of(rows, contract, base):
        sketch.add(batch, slice(None))
    return sketch


def found(
    contract: Contract, rows: Sequence[Row | bytes], base: Grid | None = None, alpha: float = 1e-3
) -> dict[str, Finding]:
    """The findings about these rows by their codes, of which each comes once."""
    findings = contract_findings(contract, counted(rows, contract, base), alpha)
    by_code = {one.method: one for one in findings}
    assert len(by_code) == len(findings)
    return by_code


def broken(
    promise: Promise, values: Sequence[Any], base: Grid | None = None, alpha: float = 1e-3
) -> dict[str, float]:
    """The shares of the clauses that rows with these values of feature x break; ABSENT is no field."""
    rows: list[Row] = [{} if value is ABSENT else {"x": value} for value in values]
    findings = found(Contract({"x": promise}), rows, base, alpha)
    return {code: one.value or 0.0 for code, one in findings.items() if one.verdict is Verdict.DRIFT}


ABSENT = object()
