from __future__ import annotations

import numpy as np

from detectors.sequential.eddm import Eddm


def test_between_errors_the_statistic_stays():
    random = np.random.default_rng(91)
    wrong = (random.random(2_000) < 0.2).astype(float)
    _, steps = Eddm(alpha=0.02, beta=0.01).run(wrong)
    quiet = np.flatnonzero((wrong == 0) & steps.judged)
    assert np.array_equal(steps.statistic[quiet], steps.statistic[quiet - 1])


def test_nothing_is_said_before_enough_errors():
    _, steps = Eddm(warm_start=30).run(np.tile([0.0, 1.0], 100))
    assert np.flatnonzero(steps.judged)[0] == 61  # the 31st error


def test_a_model_that_is_never_wrong_is_never_judged():
    assert not Eddm().run(np.zeros(5_000))[1].judged.any()
