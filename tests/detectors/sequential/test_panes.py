"""A pane's mean with its rows as weight, beside the rows one by one."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.sequential.adwin import Adwin
from detectors.sequential.cusum import Cusum
from detectors.sequential.ddm import Ddm
from detectors.sequential.eddm import Eddm
from detectors.sequential.ewma import Ewma
from detectors.sequential.hddm_a import HddmA
from detectors.sequential.hddm_w import HddmW
from detectors.sequential.mean_evidence import MeanEvidence
from detectors.sequential.page_hinkley import PageHinkley
from detectors.sequential.rate_evidence import RateEvidence
from tests.detectors.sequential.streams import errors

# rows that are alike within each pane:  1 | 0 x 40 | 1 | 0 x 25 | 1 1 | 0 x 60 | 1 | 0 x 12 | ...
EQUAL = np.tile([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0], 3)
ROWS = np.tile([1.0, 40.0, 1.0, 25.0, 2.0, 60.0, 1.0, 12.0], 3)
SINGLE = np.repeat(EQUAL, ROWS.astype(int))
ENDS = np.cumsum(ROWS).astype(int) - 1
PANE = 25


def _panes(values, rows=PANE):
    means = values.reshape(-1, rows).mean(axis=1)
    return means, np.full(len(means), float(rows))


@pytest.mark.parametrize(
    ("detector", "fields"),
    [
        (Ddm(drift_threshold=100.0), ("n", "hits")),
        (Eddm(alpha=0.02, beta=0.01), ("n", "errors", "last")),
        (HddmA(), ("n", "total", "lower", "lower_n", "lower_mean")),
        (HddmW(), ("n", "mean", "squares")),
        (Adwin(rates=True), ("n", "squares")),
    ],
)
def test_a_pane_of_equal_rows_leaves_what_its_single_rows_leave(detector, fields):
    panes, _ = detector.run(EQUAL, ROWS)
    single, steps = detector.run(SINGLE)
    assert not steps.drift.any()
    for field in fields:
        assert getattr(panes, field) == pytest.approx(getattr(single, field), rel=1e-9), field


def test_a_pane_that_is_one_row_is_a_single_row():
    for detector in (
        Ddm(drift_threshold=100.0),
        Adwin(),
        PageHinkley(),
        RateEvidence(10, 100),
        Eddm(beta=0.01),
    ):
        state, steps = detector.run(SINGLE, np.ones(len(SINGLE)))
        assert detector.to_bytes(state) == detector.to_bytes(detector.run(SINGLE)[0])
        assert steps.n[-1] == len(SINGLE)


@pytest.mark.parametrize(
    "detector",
    [
        Adwin(rates=True), Ddm(), HddmA(), HddmW(lambda_val=0.01), PageHinkley(threshold=20.0),
        Cusum(rates=True, min_instances=500, slack=0.2, threshold=40.0), RateEvidence(1_000, 10_000),
        MeanEvidence(0.1, 0.5, 10_000),
    ],
)  # fmt: skip
def test_a_change_is_found_in_panes_about_where_it_is_found_in_rows(detector):
    for seed in range(8):
        stream = errors(seed, 0.1, 0.4, size=2_000)
        single = detector.run(stream)[1].drifts
        panes = detector.run(*_panes(stream))[1].drifts
        in_rows = int(single[single >= 2_000][0])
        in_panes = int(panes[panes >= 2_000 // PANE][0]) * PANE
        assert abs(in_panes - in_rows) <= 0.35 * (in_rows - 2_000) + 3 * PANE


def test_eddm_takes_distances_within_a_pane_to_vary_as_those_of_rare_errors_do():
    stream = errors(20, 0.1, size=40_000)
    single, _ = Eddm(beta=0.01, alpha=0.02).run(stream)
    panes, _ = Eddm(beta=0.01, alpha=0.02).run(*_panes(stream, 200))
    assert panes.reach == pytest.approx(single.reach, rel=0.03)
    assert panes.errors == single.errors


def test_eddm_has_no_alarm_in_panes_with_always_the_same_hits():
    for hits in (1.0, 2.0, 7.0):
        _, steps = Eddm().run(np.full(2_000, hits / 100.0), np.full(2_000, 100.0))
        assert not steps.drift.any()
        assert steps.judged.any()


def test_adwin_learns_the_variance_of_a_row_from_panes_of_values():
    random = np.random.default_rng(21)
    values = random.normal(3.0, 2.0, 40_000)
    state, _ = Adwin(delta=1e-9).run(*_panes(values, 40))
    assert state.squares / state.values == pytest.approx(4.0, rel=0.1)


def test_adwin_learns_the_variance_of_rates_from_their_rows():
    stream = errors(22, 0.2, size=4_000)
    single, _ = Adwin(rates=True, delta=1e-9).run(stream)
    for rows in (1, 8, 500):
        state, _ = Adwin(rates=True, delta=1e-9).run(*_panes(stream, rows))
        assert state.squares == pytest.approx(single.squares, rel=1e-9)


def test_adwin_looks_whenever_a_pane_passes_the_clock():
    _, steps = Adwin(rates=True, clock=100, grace_period=0).run(
        [0.1, 0.3, 0.1, 0.9], [60.0, 60.0, 60.0, 60.0]
    )
    # rows:        60     120     180     240
    # looks:               *               *
    assert steps.statistic[0] == 0
    assert steps.statistic[1] > 0
    assert steps.statistic[2] == steps.statistic[1]
    assert steps.statistic[3] > steps.statistic[2]


def test_cusum_learns_from_panes_what_one_row_deviates():
    random = np.random.default_rng(23)
    values = random.normal(5.0, 3.0, 100_000)
    state, _ = Cusum(min_instances=400, threshold=1e9).run(*_panes(values, 50))
    assert state.learned[-1] == pytest.approx(3.0, rel=0.1)
    rates, _ = Cusum(rates=True).run(*_panes(errors(24, 0.2, size=400), 400))
    assert rates.learned[-1] == pytest.approx(np.std(errors(24, 0.2, size=400), ddof=1))


def test_cusum_adds_up_a_pane_as_its_equal_rows_once_it_has_learned():
    detector = Cusum(rates=True, threshold=1e9, slack=0.1)
    learned, _ = detector.run(np.tile([0.0, 1.0, 0.0], 10))
    panes, _ = detector.run(EQUAL, ROWS, learned)
    single, _ = detector.run(SINGLE, state=learned)
    assert panes[0] == single[0]
    assert panes[2:] == pytest.approx(single[2:], rel=1e-9)


def test_page_hinkley_takes_a_pane_as_many_times_as_it_has_rows():
    random = np.random.default_rng(25)
    values = np.concatenate([random.normal(size=20_000), random.normal(0.4, 1.0, 100)])
    single, _ = PageHinkley(threshold=1e9).run(values)
    panes, _ = PageHinkley(threshold=1e9).run(*_panes(values, 10))
    assert panes.increase == pytest.approx(single.increase, abs=1.0)
    assert panes.origin + panes.total / panes.n == pytest.approx(values.mean())


def test_ewma_takes_a_pane_for_one_value():
    random = np.random.default_rng(26)
    means = random.normal(size=500)
    state, steps = Ewma().run(means, np.full(500, 80.0))
    _, plain = Ewma().run(means)
    assert np.allclose(steps.statistic, plain.statistic)
    assert state.n == 40_000


def test_evidence_of_a_pane_is_that_of_its_rows_since_its_begin():
    for detector, value in ((RateEvidence(100, 1_000), 0.25), (MeanEvidence(0.1, 0.5, 1_000), 0.4)):
        _, one = detector.update(detector.begin(), value, 40.0)
        first = detector.run([value] * 4, [10.0] * 4)[1]
        assert first.statistic[-1] >= one.statistic  # it has four places where the change may have been
        assert first.statistic[-1] <= one.statistic + np.log(4.0)
