"""The two real data sets that ship with the demo, as columns in units that people know.

Bike sharing: hours of 2011 and 2012 in Washington; Fanaee-T and Gama 2013, UCI, CC BY 4.0.
Electricity: half hours of 1996 to 1998 in New South Wales; Harries 1999, spread with MOA, free for research.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from importlib.resources import files
from io import TextIOWrapper
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

FloatArray = NDArray[np.float64]
TextArray = NDArray[np.str_]
IntArray = NDArray[np.int64]

_SEASONS = {"1": "winter", "2": "spring", "3": "summer", "4": "autumn"}
_WEATHER = {"1": "clear", "2": "mist", "3": "light rain", "4": "heavy rain"}
_WORKING_DAY = {"0": "no", "1": "yes"}

_FIRST_HOURS_OF_2012 = 8_645
"""The row with which the second year begins, in which people rent 1.6 times as many bicycles."""

_VICTORIA_JOINS = 17_424
"""The row from which Victoria's price, demand and transfer are measured; before it they are placeholders."""


@dataclass(frozen=True)
class Features:
    """The features of some rows, as columns of equal length; NaN is a missing number."""

    numbers: Mapping[str, FloatArray]
    texts: Mapping[str, TextArray]

    def __len__(self) -> int:
        columns = (*self.numbers.values(), *self.texts.values())
        return len(columns[0])

    def rows(self, chosen: slice | IntArray) -> Features:
        """Some of the rows."""
        numbers = {name: column[chosen] for name, column in self.numbers.items()}
        return Features(numbers, {name: column[chosen] for name, column in self.texts.items()})


@dataclass(frozen=True)
class Table:
    """Rows in time order. The first part ends before `later`, where a real change begins."""

    features: Features
    label: FloatArray | TextArray
    later: int

    @property
    def first_part(self) -> slice:
        """The rows before the change: the models are fitted on them."""
        return slice(0, self.later)


def bike_rentals() -> Table:
    """Bicycles rented in an hour, with its weather: degrees Celsius, percent and km/h."""
    raw = _columns("bikeshare_hour.csv.gz")
    temp, atemp, hum, windspeed = (_floats(raw[name]) for name in ("temp", "atemp", "hum", "windspeed"))
    numbers = {
        "hr": _floats(raw["hr"]),
        "temp": np.round(temp * 47.0 - 8.0, 1),  # the data set scales -8 to 39 degrees to 0 to 1
        "atemp": np.round(atemp * 66.0 - 16.0, 1),
        "hum": np.round(hum * 100.0),
        "windspeed": np.round(windspeed * 67.0, 1),
    }
    texts = {
        "season": _named(raw["season"], _SEASONS),
        "workingday": _named(raw["workingday"], _WORKING_DAY),
        "weathersit": _named(raw["weathersit"], _WEATHER),
    }
    return Table(Features(numbers, texts), _floats(raw["cnt"]), _FIRST_HOURS_OF_2012)


def power_price() -> Table:
    """Whether electricity costs more than in the mean of the last day; all numbers are scaled to 0 to 1."""
    raw = _columns("elec2.csv.gz")
    names = ("period", "nswprice", "nswdemand", "vicprice", "vicdemand", "transfer")
    numbers = {name: np.round(_floats(raw[name]), 6) for name in names}
    return Table(Features(numbers, {}), _named(raw["class"], {"0": "down", "1": "up"}), _VICTORIA_JOINS)


def _columns(name: str) -> dict[str, tuple[str, ...]]:
    with files("service.demo").joinpath("data", name).open("rb") as packed, gzip.open(packed) as unpacked:
        header, *rows = csv.reader(TextIOWrapper(unpacked, "utf-8", newline=""))
    return dict(zip(header, zip(*rows, strict=True), strict=True))


def _floats(cells: tuple[str, ...]) -> FloatArray:
    return np.array(cells, np.float64)


def _named(cells: tuple[str, ...], names: Mapping[str, str]) -> TextArray:
    return np.array([names[cell] for cell in cells])
