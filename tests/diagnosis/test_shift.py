"""Drift is described by the part of the distribution that moved, and always by something."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from service.diagnosis.shift import describe_shift
from service.messages import Cause
from tests.diagnosis.number_views import skewed, views


def said(reference, current):
    reference, _, current = views(reference, None, current)
    made = describe_shift(reference, current)
    assert (made.cause, made.confidence) == (Cause.DATA_DRIFT, 0.5)
    return made


NORMAL = np.random.default_rng(0).normal(10, 2, 20_000)


def test_a_column_that_moved_as_a_whole_is_told_by_its_mean():
    made = said(NORMAL, NORMAL + 0.5)
    assert "its mean is 0.25 standard deviations higher" in made.sentence
    assert made.evidence["mean"] - made.evidence["usual mean"] == pytest.approx(0.5, abs=0.05)


def test_an_upper_end_that_moved_is_told_by_its_95_percent_point():
    grown = np.where(NORMAL > 11.5, 11.5 + (NORMAL - 11.5) * 2, NORMAL)
    made = said(NORMAL, grown)
    assert "its upper quarter went up" in made.sentence
    assert "the 95 % point from 13.27 to 15.05" in made.sentence


def test_a_lower_end_that_moved_is_told_as_the_lower():
    made = said(NORMAL, np.where(NORMAL < 8.5, NORMAL - 2, NORMAL))
    assert "its lower quarter went down" in made.sentence


def test_a_wider_column_is_told_by_its_deviation():
    assert (
        "it is wider, its standard deviation went from 2" in said(NORMAL, 10 + (NORMAL - 10) * 1.5).sentence
    )


def test_a_value_that_became_frequent_is_told():
    zeros = np.where(np.random.default_rng(1).random(20_000) < 0.02, 0.0, skewed(20_000) * 1e-3)
    fewer = np.where(np.random.default_rng(2).random(20_000) < 0.08, 0.0, skewed(20_000) * 1e-3)
    assert "0" in said(zeros, fewer).sentence


def test_a_column_that_was_constant_is_told_by_where_it_is_now():
    assert "it was always 3, now 1 to 9" in said(np.full(100, 3.0), np.linspace(1, 9, 50)).sentence


def test_without_numbers_there_is_still_a_sentence():
    reference, _, current = views(NORMAL, None, NORMAL[:100])
    assert "no numbers" in describe_shift(reference, replace(current, numbers=None)).sentence
