"""Events made of the real tables, as a producer would send them."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import service.demo

DATA = Path(service.demo.__file__).parent / "data"
ELECTRICITY = ("period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer")


@dataclass(frozen=True)
class Table:
    """Rows of numbers, by column."""

    columns: dict[str, np.ndarray[Any, np.dtype[np.float64]]]

    def part(self, start: int, stop: int) -> Table:
        """Consecutive rows."""
        return Table({name: values[start:stop] for name, values in self.columns.items()})

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def read_electricity() -> Table:
    """Electricity (Harries 1999), in time order."""
    with gzip.open(DATA / "elec2.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Table({name: np.array([float(row[name]) for row in rows]) for name in (*ELECTRICITY, "class")})


def write_csv(table: Table, path: Path) -> Path:
    """The table as a reference file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        writer.writerows(zip(*(values.tolist() for values in table.columns.values()), strict=True))
    return path


def prediction_events(
    table: Table, features: Sequence[str], ts_ms: Sequence[int], model: str
) -> Iterator[bytes]:
    """A prediction event for each row."""
    columns = {name: table.columns[name].tolist() for name in features}
    for i, ts in enumerate(ts_ms):
        row: dict[str, Any] = {name: values[i] for name, values in columns.items()}
        event = {
            "type": "prediction",
            "model": model,
            "version": "1",
            "id": f"{model}-{i}",
            "ts": int(ts),
            "features": row,
        }
        yield json.dumps(event).encode()
