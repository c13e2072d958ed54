"""Pairs of units."""

from __future__ import annotations

import pytest

from service.errors import ConfigurationError
from service.injection.units import Affine, between


@pytest.mark.parametrize(
    ("pair", "value", "expected"),
    [
        ("kg:lb", 1.0, 2.2046226218), ("lb:kg", 2.2046226218, 1.0), ("C:F", 100.0, 212.0), ("f:c", 212.0, 100.0),
        ("c:k", 0.0, 273.15), ("mi:km", 1.0, 1.609344), ("s:ms", 1.5, 1500.0), ("cent:eur", 250.0, 2.5),
        ("year:month", 2.0, 24.0),
    ],
)  # fmt: skip
def test_a_pair_converts_in_both_directions(pair: str, value: float, expected: float) -> None:
    by = between(pair)
    assert by.factor * value + by.offset == pytest.approx(expected)


def test_the_way_back_undoes_the_way_there() -> None:
    there, back = Affine(1.8, 32.0), Affine(1.8, 32.0).inverted()
    assert back.factor * (there.factor * 21.0 + there.offset) + back.offset == pytest.approx(21.0)


@pytest.mark.parametrize("pair", ["kg", "kg:kg", ":", "kg:lb:g"])
def test_what_is_no_pair_is_said(pair: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^there is no pair of units '{pair}'; "):
        between(pair)
