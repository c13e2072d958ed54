"""What can go wrong in the demo's traffic: each fault changes the events as such accidents do in life."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

import numpy as np

from service.demo.tables import Features

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from numpy.random import Generator

RENAMED = {"nswdemand": "nsw_demand"}
SILENT_MARKET = "day-ahead"
_NULL_SHARE = 0.3


class Fault(Enum):
    """One thing that goes wrong."""

    FAHRENHEIT = auto()
    NULL_HUMIDITY = auto()
    RENAMED_DEMAND = auto()
    SILENT_MARKET = auto()
    VICTORIA_JOINS = auto()
    SECOND_YEAR = auto()


LATER_ROWS = frozenset({Fault.VICTORIA_JOINS, Fault.SECOND_YEAR})
"""These are real: the events come from the table's rows after the change."""


def spoil(features: Features, faults: AbstractSet[Fault], random: Generator) -> Features:
    """The features as they arrive under these faults."""
    for fault, change in _CHANGES.items():
        if fault in faults:
            features = change(features, random)
    return features


def _in_fahrenheit(features: Features, _: Generator) -> Features:
    fahrenheit = np.round(features.numbers["temp"] * 1.8 + 32.0, 1)
    return replace(features, numbers={**features.numbers, "temp": fahrenheit})


def _without_some_humidity(features: Features, random: Generator) -> Features:
    humidity = features.numbers["hum"].copy()
    humidity[random.random(len(humidity)) < _NULL_SHARE] = np.nan
    return replace(features, numbers={**features.numbers, "hum": humidity})


def _renamed(features: Features, _: Generator) -> Features:
    return replace(
        features, numbers={RENAMED.get(name, name): column for name, column in features.numbers.items()}
    )


_CHANGES: Mapping[Fault, Callable[[Features, Generator], Features]] = {
    Fault.FAHRENHEIT: _in_fahrenheit,
    Fault.NULL_HUMIDITY: _without_some_humidity,
    Fault.RENAMED_DEMAND: _renamed,
}
