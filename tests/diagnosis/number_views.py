"""Number columns as diagnosis sees them: reference, rows before, rows since; counted as the pipeline counts them."""

from __future__ import annotations

import csv
import gzip
from functools import cache
from importlib.resources import files

import numpy as np

from service.diagnosis.setting import setting_of
from service.diagnosis.view import ColumnView
from service.messages import NOT_APPLICABLE, Column, Role
from service.reference.bins import binned
from service.sketches.grids import number_grid
from service.sketches.numbers import NumberSketch

COLUMN = Column(Role.FEATURE, "weight")
SAMPLED = 64


def views(reference, before, current, seed=0):
    """The three views of these exact values, on the reference's grid."""
    grid = number_grid(COLUMN, reference)
    rng = np.random.default_rng(seed)
    made = [None if rows is None else view(grid, rows, rng) for rows in (reference, before, current)]
    return made[0], made[1], made[2]


def view(grid, values, rng):
    """One view, with the exact values of 64 of its rows."""
    sketch = NumberSketch((grid,))
    sketch.add(np.asarray(values, float)[None, :])
    numbers = binned(sketch, 0) if len(values) else None
    sample = rng.choice(values, min(SAMPLED, len(values)), replace=False)
    return ColumnView(grid.column, len(values), numbers, {}, 0, np.zeros(NOT_APPLICABLE, np.int64), sample)


def setting(reference, before, current):
    """The setting of these exact values."""
    made = setting_of(*views(reference, before, current))
    assert made is not None
    return made


@cache
def real_column(name):
    """A column of the demo's data, in the order of its rows."""
    file = "elec2" if name in {"nswprice", "nswdemand", "period"} else "bikeshare_hour"
    with gzip.open(
        str(files("service.demo").joinpath(f"data/{file}.csv.gz")), "rt", encoding="utf-8"
    ) as lines:
        return np.array([float(row[name]) for row in csv.DictReader(lines)])


def split(values, rows, seed=0):
    """Shuffled: 6,000 rows of reference, 500 before, so many since."""
    mixed = np.random.default_rng(seed).permutation(values)
    return mixed[:6000], mixed[6000:6500], mixed[6500 : 6500 + rows]


def skewed(rows, seed=0):
    """A continuous column: logarithms are normal."""
    return np.exp(np.random.default_rng(seed).normal(1.0, 0.8, rows))
