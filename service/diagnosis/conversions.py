"""The conversions of numbers that are known by name: unit pairs, and other transforms that programs apply by mistake.

Ratios are those of the International System's brochure (BIPM, 9th edition) and of NIST SP 811, appendix B.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Linear:
    """Values became `ratio` * value + `offset`; `names` say what that may be, likeliest first.

    `rarity` is how many nats less likely it is, before any data, than the commonest ones.
    """

    ratio: float
    offset: float
    names: tuple[str, ...]
    rarity: float = 0.0

    def undo(self, values: FloatArray) -> FloatArray:
        """The values before."""
        return (values - self.offset) / self.ratio

    def apply(self, values: FloatArray) -> FloatArray:
        """The values after."""
        return values * self.ratio + self.offset


@dataclass(frozen=True, slots=True)
class Curved:
    """Values became a monotone function of themselves; `undo` says which they were."""

    name: str
    undo: Callable[[FloatArray], FloatArray]
    least: float
    """The transform needs values above this."""
    rarity: float = 2.0


_RARE = 3.0
_PAIRS: Sequence[tuple[str, str, float, float]] = (
    ("kilograms", "pounds", 2.2046226218, 0.0),
    ("miles", "kilometres", 1.609344, 0.0),
    ("metres", "feet", 3.280839895, 0.0),
    ("inches", "centimetres", 2.54, 0.0),
    ("metres", "inches", 39.37007874, _RARE),
    ("yards", "metres", 0.9144, 2 * _RARE),
    ("feet", "inches", 12.0, _RARE),
    ("nautical miles", "kilometres", 1.852, _RARE),
    ("knots", "km/h", 1.852, _RARE),
    ("m/s", "km/h", 3.6, 0.0),
    ("m/s", "miles an hour", 2.2369362921, 0.5),
    ("ounces", "grams", 28.349523125, 0.0),
    ("US gallons", "litres", 3.785411784, 0.0),
    ("imperial gallons", "litres", 4.54609, _RARE),
    ("kilowatt hours", "megajoules", 3.6, 0.5),
    ("kilocalories", "kilojoules", 4.184, 0.5),
    ("horsepower", "kilowatts", 0.745699872, _RARE),
    ("bar", "psi", 14.503773773, 0.5),
    ("psi", "kilopascals", 6.894757293, 1.0),
    ("atmospheres", "hectopascals", 1013.25, _RARE),
    ("mmHg", "hectopascals", 1.33322387, _RARE),
    ("mmol/l of glucose", "mg/dl", 18.0156, _RARE),
    ("square metres", "square feet", 10.763910417, 0.5),
    ("hectares", "acres", 2.4710538147, _RARE),
    ("radians", "degrees", 57.295779513, 0.0),
    ("whole currency units", "cents", 100.0, 0.0),
    ("shares", "percent", 100.0, 0.0),
    ("metres", "centimetres", 100.0, 0.0),
    ("units", "tenths", 10.0, 1.0),
    ("thousands", "units", 1000.0, 0.0),
    ("seconds", "milliseconds", 1000.0, 0.0),
    ("kilograms", "grams", 1000.0, 0.0),
    ("units", "ten-thousandths (basis points)", 10_000.0, 1.0),
    ("seconds", "microseconds", 1e6, 0.0),
    ("millions", "units", 1e6, 0.0),
    ("seconds", "nanoseconds", 1e9, 0.0),
    ("kibibytes", "bytes", 1024.0, 0.5),
    ("mebibytes", "bytes", 1024.0**2, 0.5),
    ("gibibytes", "bytes", 1024.0**3, 1.0),
    ("minutes", "seconds", 60.0, 0.0),
    ("hours", "seconds", 3600.0, 0.0),
    ("days", "hours", 24.0, 0.0),
    ("days", "minutes", 1440.0, 1.0),
    ("days", "seconds", 86_400.0, 0.5),
    ("weeks", "days", 7.0, 0.5),
    ("years", "weeks", 52.1775, 1.5),
    ("months", "days", 30.436875, 1.0),
    ("years", "months", 12.0, 0.0),
    ("years", "days", 365.25, 0.0),
    ("years", "days", 365.0, 1.0),
)
_DEGREES: Sequence[tuple[str, str, float, float, float]] = (
    ("degrees Celsius", "Fahrenheit", 1.8, 32.0, 0.0),
    ("degrees Celsius in hundreds", "Fahrenheit in hundreds", 1.8, 0.32, 1.0),
    ("degrees Celsius", "kelvin", 1.0, 273.15, 0.0),
    ("degrees Fahrenheit", "kelvin", 5 / 9, 273.15 - 160 / 9, _RARE),
)
_REFLECTIONS: Sequence[tuple[float, float, str, float]] = (
    (-1.0, 0.0, "the sign was turned", 0.0),
    (-1.0, 1.0, "x became 1 - x, the complement", 2.0),
    (-1.0, 100.0, "x became 100 - x, the complement", 5.0),
)


@lru_cache(maxsize=1)
def linear_conversions() -> tuple[Linear, ...]:
    """All linear conversions in both directions; those of one ratio are one, with all its names."""
    found: dict[tuple[float, float], list[tuple[float, str]]] = {}
    for one, other, ratio, rarity in _PAIRS:
        found.setdefault((ratio, 0.0), []).append((rarity, f"{one} became {other}"))
        found.setdefault((1 / ratio, 0.0), []).append((rarity, f"{other} became {one}"))
    for one, other, ratio, offset, rarity in _DEGREES:
        found.setdefault((ratio, offset), []).append((rarity, f"{one} became {other}"))
        found.setdefault((1 / ratio, -offset / ratio), []).append((rarity, f"{other} became {one}"))
    for ratio, offset, name, rarity in _REFLECTIONS:
        found.setdefault((ratio, offset), []).append((rarity, name))
    return tuple(
        Linear(ratio, offset, tuple(name for _, name in sorted(names, key=itemgetter(0))), min(names)[0])
        for (ratio, offset), names in found.items()
    )


@lru_cache(maxsize=1)
def curved_conversions() -> tuple[Curved, ...]:
    """Logarithms, exponentials, roots and squares."""
    return (
        Curved("its natural logarithm", np.exp, 0.0),
        Curved("its logarithm to base 10", lambda x: np.power(10.0, x), 0.0),
        Curved("its logarithm to base 2", lambda x: np.power(2.0, x), 0.0),
        Curved("the logarithm of one plus it", np.expm1, -1.0),
        Curved("its exponential", lambda x: np.log(np.maximum(x, 0.0)), -np.inf),
        Curved("the exponential of it, less one", lambda x: np.log1p(np.maximum(x, -1.0)), -np.inf),
        Curved("its square root", lambda x: np.sign(x) * np.square(x), 0.0),
        Curved("its square", lambda x: np.sqrt(np.maximum(x, 0.0)), 0.0),
    )


def roundings_of(ratio: float) -> FloatArray:
    """The ratio as programs write it: exactly, to 2 to 8 significant digits, or one over such a number."""
    made = {ratio}
    for digits in range(2, 9):
        made |= {float(f"{ratio:.{digits}g}"), 1 / float(f"{1 / ratio:.{digits}g}")}
    return np.array(sorted(one for one in made if abs(one / ratio - 1) < 0.006))
