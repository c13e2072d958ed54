"""The table of conversions: both directions, one entry for each ratio, every ratio as others know it."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.conversions import curved_conversions, linear_conversions, roundings_of


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("kilograms became pounds", 70.0, 154.32358),
        ("miles became kilometres", 26.21876, 42.195),
        ("degrees Celsius became Fahrenheit", 100.0, 212.0),
        ("Fahrenheit became degrees Celsius", -40.0, -40.0),
        ("degrees Fahrenheit became kelvin", 32.0, 273.15),
        ("years became months", 1.5, 18.0),
        ("degrees became radians", 180.0, np.pi),
    ],
)
def test_conversions_agree_with_what_everybody_knows(name, before, after):
    one = next(one for one in linear_conversions() if name in one.names)
    assert one.apply(np.array([before]))[0] == pytest.approx(after, rel=1e-6)
    assert one.undo(np.array([after]))[0] == pytest.approx(before, rel=1e-6)


def test_every_conversion_has_its_way_back():
    known = [(one.ratio, one.offset) for one in linear_conversions()]
    for ratio, offset in known:
        back = (1 / ratio, -offset / ratio)
        assert any(np.allclose(back, other, rtol=1e-9) for other in known)


def test_no_two_entries_are_the_same():
    known = sorted((round(one.ratio, 12), round(one.offset, 9)) for one in linear_conversions())
    assert len(known) == len(set(known))


def test_curved_conversions_undo_what_they_are_named_after():
    x = np.array([0.3, 1.7, 4.0])
    transforms = (np.log, np.log10, np.log2, np.log1p, np.exp, np.expm1, np.sqrt, np.square)
    for one, transform in zip(curved_conversions(), transforms, strict=True):
        assert one.undo(transform(x)) == pytest.approx(x)


def test_a_ratio_is_tried_as_programs_write_it():
    written = roundings_of(2.2046226218)
    for ratio in (2.2, 2.205, 2.2046, 2.20462, 2.2046226218, 1 / 0.4536, 1 / 0.454):
        assert np.min(np.abs(written / ratio - 1)) < 1e-9
