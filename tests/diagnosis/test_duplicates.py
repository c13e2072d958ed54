"""Repeated events are said when there are more of them than usual."""

from __future__ import annotations

import pytest

from service.diagnosis.duplicates import diagnose_duplicates
from service.messages import Cause


def test_a_fifth_of_repeats_is_said():
    found = diagnose_duplicates(1_000, 250, 0.001)
    assert found is not None
    assert found.cause is Cause.PIPELINE
    assert "20 % of the events are repeats of earlier ones, usual is 0.1 %" in found.sentence


def test_everything_sent_twice_is_said_so():
    found = diagnose_duplicates(1_000, 990, 0.0)
    assert found is not None
    assert "nearly every event is sent twice" in found.sentence


@pytest.mark.parametrize(
    ("accepted", "duplicates", "usual"),
    [(0, 0, 0.0), (1_000, 0, 0.0), (1_000, 10, 0.01), (1_000, 25, 0.01), (50, 1, 0.0)],
)
def test_a_burst_as_usual_is_not(accepted: int, duplicates: int, usual: float):
    assert diagnose_duplicates(accepted, duplicates, usual) is None
