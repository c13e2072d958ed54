"""All rows converted: which conversion, proven by values on the lattice, found by form without one."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.conversions import linear_conversions
from service.diagnosis.drifts import drifts_of
from service.diagnosis.units import judge, unit_changes
from tests.diagnosis.number_views import setting, skewed


def best(reference, before, current):
    made = setting(reference, before, current)
    usual = made.usual[0]
    judged = judge(made, usual, linear_conversions())
    return max(unit_changes(made, usual, drifts_of(made, usual), judged), key=lambda one: one.weight), made


def integers(rows, seed=0):
    return np.rint(skewed(rows, seed) * 50)


@pytest.mark.parametrize("ratio", [2.2, 2.205, 2.2046, 2.20462, 2.2046226, 1 / 0.4536, 1 / 0.45359237])
def test_on_a_lattice_the_ratio_is_found_as_it_was_written(ratio):
    fault, _ = best(integers(5000), integers(500, 1), integers(200, 2) * ratio)
    told = fault.tell()
    assert fault.proven
    assert "kilograms became pounds" in told.brief
    assert told.evidence["ratio"] == pytest.approx(ratio, rel=3e-7)


def test_a_conversion_that_was_rounded_afterwards_is_still_found():
    fault, _ = best(integers(5000), integers(500, 1), np.round(integers(500, 2) * 2.2046226, 1))
    assert "kilograms became pounds" in fault.tell().brief


def test_without_a_lattice_nothing_is_proven():
    fault, _ = best(skewed(5000), skewed(500, 1), skewed(500, 2) * 100)
    assert "x100" in fault.tell().brief
    assert not fault.proven


@pytest.mark.parametrize(
    ("transform", "said"),
    [
        (np.log, "its natural logarithm"),
        (np.log10, "its logarithm to base 10"),
        (np.log1p, "the logarithm of one plus it"),
        (np.sqrt, "its square root"),
        (np.square, "its square"),
    ],
)
def test_a_curved_transform_is_named(transform, said):
    fault, _ = best(skewed(5000), skewed(500, 1), transform(skewed(500, 2)))
    assert fault.tell().brief == said


def test_the_figures_say_how_well_it_fits_before_and_after():
    fault, _ = best(skewed(5000), skewed(500, 1), skewed(500, 2) * 100)
    figures = fault.tell().evidence
    assert figures["psi after undoing it"] < 0.05
    assert figures["psi before undoing it"] > 2.0
    assert figures["lowest ratio"] < 100 < figures["highest ratio"]
    assert figures["share of rows"] == 1.0


def test_zero_stays_zero_under_every_scale():
    zeros = np.random.default_rng(0).random(6500) < 0.6
    values = np.where(zeros, 0.0, integers(6500))
    fault, made = best(values[:5000], values[5000:6000], values[6000:] * 100)
    assert "x100" in fault.tell().brief
    assert made.misfit(fault.usual, fault.shares) < 3


def test_a_sentinel_that_is_converted_with_the_rest_lands_on_one_value():
    values = np.where(np.random.default_rng(0).random(6500) < 0.8, -1.0, integers(6500))
    fault, made = best(values[:5000], values[5000:6000], values[6000:] * 100)
    assert "x100" in fault.tell().brief
    assert made.misfit(fault.usual, fault.shares) < 3
