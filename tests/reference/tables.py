"""Small tables for the tests of references."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from service.messages import Column, Role
from service.reference.builder import Head, build_reference
from service.reference.specification import ReferenceSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from service.reference.column_summary import ColumnSummary
    from service.reference.profile import ReferenceProfile


def feature(name: str) -> Column:
    """The column of a feature."""
    return Column(Role.FEATURE, name)


def mixed_columns(n: int, seed: int = 7) -> dict[str, Any]:
    """Columns as those of a bank: skewed numbers, a sentinel of -1, categories, a score and an answer."""
    rng = np.random.default_rng(seed)
    score = rng.beta(1, 6, n).round(4)
    return {
        "age": rng.integers(18, 95, n),
        "balance": rng.lognormal(6, 2, n).round(2) - 300,
        "pdays": np.where(rng.random(n) < 0.8, -1, rng.integers(1, 800, n)),
        "job": rng.choice(["admin.", "blue-collar", "retired; gone"], n, p=[0.5, 0.4, 0.1]),
        "housing": rng.choice(["yes", "no"], n),
        "y": (rng.random(n) < score).astype(int),
        "p": score,
        "answer": (score > 0.3).astype(int),
    }


OUTPUTS: Mapping[str, str] = {"label": "y", "score": "p", "prediction": "answer"}


def write_csv(path: Path, columns: Mapping[str, Any], delimiter: str = ",") -> Path:
    """Write a CSV file; a name that ends with .gz is compressed."""
    data = pa.BufferOutputStream()
    arrow_csv.write_csv(pa.table(columns), data, arrow_csv.WriteOptions(delimiter=delimiter))
    raw = data.getvalue().to_pybytes()
    path.write_bytes(gzip.compress(raw, mtime=0) if path.suffix == ".gz" else raw)
    return path


def written(path: Path, text: str) -> Path:
    """Write these very characters."""
    path.write_bytes(text.encode())
    return path


def built(path: Path, head_rows: int = 1_000_000, **spec: Any) -> ReferenceProfile:
    """The reference of a file."""
    return build_reference(path, ReferenceSpec("bank", "bank-1", **spec), None, Head(rows=head_rows))


def summary(profile: ReferenceProfile, name: str) -> ColumnSummary:
    """The summary of one column."""
    return next(one for one in profile.columns if one.column.name == name)
