"""What is usual: the reference and the rows before, known as well as windows were steady."""

from __future__ import annotations

import numpy as np

from tests.diagnosis.number_views import real_column, setting, skewed


def test_rows_before_of_the_same_form_say_that_windows_are_steady():
    assert setting(skewed(10_000), skewed(2000, 1), skewed(100, 2)).usual[0].known > 3000


def test_rows_before_of_another_season_say_that_windows_vary():
    temperatures = real_column("temp")
    assert setting(temperatures[:8000], temperatures[9000:9400], temperatures[9400:9500]).usual[0].known < 100


def test_a_handful_of_rows_before_is_not_asked():
    assert [one.name for one in setting(skewed(500), skewed(10, 1), skewed(100, 2)).usual] == ["reference"]
    assert len(setting(skewed(500), skewed(50, 1), skewed(100, 2)).usual) == 2


def test_values_that_became_frequent_are_kept_and_those_that_always_were_are_not():
    zeros = np.where(np.arange(5000) % 3 == 0, 0.0, skewed(5000))
    current = np.where(np.arange(300) % 3 == 0, 0.0, skewed(300, 2))
    current[1::10] = 9.75
    repeated = setting(zeros, zeros[:500], current).repeated
    assert 9.75 in repeated
    assert 0.0 not in repeated or len(repeated) > 1
