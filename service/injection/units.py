"""Pairs of units, and what a value is multiplied by, and what is added, from the one to the other."""

from __future__ import annotations

from typing import NamedTuple

from service.errors import ConfigurationError
from service.parsers import suggestion


class Affine(NamedTuple):
    """x becomes factor * x + offset."""

    factor: float
    offset: float = 0.0

    def inverted(self) -> Affine:
        """The way back."""
        return Affine(1.0 / self.factor, -self.offset / self.factor)


_PAIRS = {
    "kg:lb": Affine(2.2046226218), "g:oz": Affine(0.0352739619), "km:mi": Affine(0.6213711922),
    "m:ft": Affine(3.280839895), "cm:in": Affine(0.3937007874), "m:yd": Affine(1.0936132983),
    "m:km": Affine(0.001), "cm:m": Affine(0.01), "mps:kmh": Affine(3.6), "mps:mph": Affine(2.2369362921),
    "kmh:kn": Affine(0.5399568035), "l:gal": Affine(0.2641720524), "c:f": Affine(1.8, 32.0),
    "c:k": Affine(1.0, 273.15), "eur:cent": Affine(100.0), "one:k": Affine(0.001), "one:m": Affine(1e-6),
    "ratio:percent": Affine(100.0), "s:ms": Affine(1e3), "s:us": Affine(1e6), "s:min": Affine(1 / 60.0),
    "min:h": Affine(1 / 60.0), "h:d": Affine(1 / 24.0), "d:week": Affine(1 / 7.0), "month:year": Affine(1 / 12.0),
    "kwh:mj": Affine(3.6), "kcal:kj": Affine(4.184), "hp:kw": Affine(0.745699872), "bar:psi": Affine(14.503773773),
    "atm:hpa": Affine(1013.25), "mmhg:hpa": Affine(1.333223684), "deg:rad": Affine(0.01745329252),
}  # fmt: skip


def between(pair: str) -> Affine:
    """The change from one unit to another ('kg:lb', 'f:c'). Raises ConfigurationError."""
    source, _, target = pair.lower().partition(":")
    if f"{source}:{target}" in _PAIRS:
        return _PAIRS[f"{source}:{target}"]
    if f"{target}:{source}" in _PAIRS:
        return _PAIRS[f"{target}:{source}"].inverted()
    known = [*_PAIRS, *(":".join(reversed(name.split(":"))) for name in _PAIRS)]
    raise ConfigurationError(f"there is no pair of units {pair!r}; {suggestion(pair, known)}")
