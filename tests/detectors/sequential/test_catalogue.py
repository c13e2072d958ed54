"""One battery over every sequential detector: what a row of the catalogue promises."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.sequential.catalogue import DEFAULT, SELF_TAUGHT, SEQUENTIAL, WITH_REFERENCE
from tests.detectors.sequential.streams import DETECTORS, NAMES, errors

every = pytest.mark.parametrize("name", NAMES)
COLUMNS = ("drift", "warning", "statistic", "limit", "judged", "n")


def _panes(seed, size):
    random = np.random.default_rng(seed)
    rows = random.integers(1, 60, size).astype(float)
    rates = np.repeat([0.1, 0.5, 0.2], [size // 2, size // 4, size - size // 2 - size // 4])
    return random.binomial(rows.astype(int), rates) / rows, rows


def _assert_same(ours, theirs):
    for column in COLUMNS:
        assert np.array_equal(getattr(ours, column), getattr(theirs, column)), column


def test_the_catalogue_names_each_detector_as_it_names_itself():
    assert {name: method.name for name, method in SEQUENTIAL.items()} == {name: name for name in SEQUENTIAL}
    assert {detector.name for detector in DETECTORS.values()} == set(SEQUENTIAL)


def test_the_default_is_one_that_keeps_a_budget():
    assert DEFAULT in WITH_REFERENCE


def test_what_teaches_itself_needs_no_parameters():
    for method in SELF_TAUGHT.values():
        assert method() == method()


@every
def test_an_array_gives_to_the_last_bit_what_single_values_give(name):
    detector, stream = DETECTORS[name], errors(1, 0.1, 0.6, size=400)
    kept, steps = detector.run(stream)
    state = detector.begin()
    for index, value in enumerate(stream.tolist()):
        state, step = detector.update(state, value)
        assert step == steps.at(index)
    assert detector.to_bytes(state) == detector.to_bytes(kept)


@every
@settings(max_examples=8, deadline=None, derandomize=True)
@given(cuts=st.lists(st.integers(0, 600), max_size=6))
def test_panes_may_come_in_any_parts_with_the_state_kept_as_bytes_between(name, cuts):
    detector, (values, rows) = DETECTORS[name], _panes(2, 600)
    whole, steps = detector.run(values, rows)
    state, found = detector.begin(), []
    for places in np.split(np.arange(600), sorted(cuts)):
        state, part = detector.run(
            values[places], rows[places], detector.from_bytes(detector.to_bytes(state))
        )
        found.append(part)
    for column in COLUMNS:
        assert np.array_equal(
            np.concatenate([getattr(part, column) for part in found]), getattr(steps, column)
        )
    assert detector.to_bytes(state) == detector.to_bytes(whole)


@every
def test_a_state_is_not_changed_by_the_values_that_come_after_it(name):
    detector = DETECTORS[name]
    state, _ = detector.run(errors(3, 0.1, size=150))
    before = detector.to_bytes(state)
    first = detector.run(errors(4, 0.3), state=state)[1]
    assert detector.to_bytes(state) == before
    _assert_same(first, detector.run(errors(4, 0.3), state=state)[1])


@every
def test_an_empty_stream_says_nothing_and_changes_nothing(name):
    detector = DETECTORS[name]
    state, steps = detector.run([])
    assert len(steps.n) == 0
    assert detector.to_bytes(state) == detector.to_bytes(detector.begin())


@every
def test_the_first_value_is_judged_by_nobody_or_is_no_drift(name):
    _, step = DETECTORS[name].update(DETECTORS[name].begin(), 1.0)
    assert not step.drift
    assert step.n == 1


USUAL_RATE = {"rate_evidence": 0.1, "mean_evidence": 0.1, "mean_evidence up": 0.1}


@every
@pytest.mark.parametrize("constant", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("rows", [1.0, 30.0])
def test_a_constant_stream_never_rings(name, constant, rows):
    usual = USUAL_RATE.get(name, constant)
    _, steps = DETECTORS[name].run(np.full(5_000, usual), np.full(5_000, rows))
    assert not steps.drift.any()
    assert not steps.warning.any()


@every
def test_a_planted_change_is_found_soon(name):
    low, high = (0.9, 0.1) if name == "cusum down" else (0.1, 0.9)
    _, steps = DETECTORS[name].run(errors(5, low, high))
    after = steps.drifts[steps.drifts >= 1_000]
    assert after.size
    assert after[0] < 1_150


@every
def test_it_begins_anew_after_a_drift(name):
    detector = DETECTORS[name]
    stream = errors(6, 0.1, 0.9) if name != "cusum down" else errors(6, 0.9, 0.1)
    _, steps = detector.run(stream)
    first = int(steps.drifts[0])
    state, _ = detector.run(stream[: first + 1])
    assert detector.to_bytes(state) == detector.to_bytes(detector.begin())
    _assert_same(detector.run(stream[first + 1 : first + 200])[1], _rest(steps, first + 1, first + 200))


def _rest(steps, start, end):
    return type(steps)(*(getattr(steps, column)[start:end] for column in COLUMNS))


@every
def test_nan_and_panes_without_rows_are_skipped(name):
    detector, stream = DETECTORS[name], errors(7, 0.1, 0.7)
    holes = np.sort(np.random.default_rng(8).integers(0, len(stream), 300))
    values, rows = np.insert(stream, holes, np.nan), np.insert(np.ones(len(stream)), holes, 1.0)
    emptied = np.flatnonzero(np.isnan(values))[::2]
    values[emptied], rows[emptied] = 0.5, 0.0
    there = ~np.isnan(values) & (rows > 0)

    state, steps = detector.run(values, rows)
    plain_state, plain = detector.run(stream)
    assert detector.to_bytes(state) == detector.to_bytes(plain_state)
    _assert_same(_only(steps, there), plain)
    assert not steps.judged[~there].any()
    assert not steps.drift[~there].any()


def _only(steps, there):
    return type(steps)(*(getattr(steps, column)[there] for column in COLUMNS))


@every
def test_a_skipped_value_has_no_statistic_and_the_observations_of_the_one_before(name):
    detector = DETECTORS[name]
    state, _ = detector.run([0.0, 1.0, 0.0])
    after, step = detector.update(state, float("nan"))
    assert step == (False, False, None, None, 3.0)
    assert after is state
    assert detector.run([0.0, float("nan"), 1.0], [2.0, 1.0, 0.0])[1].n.tolist() == [2.0, 2.0, 2.0]


def test_a_value_that_is_skipped_after_a_drift_has_seen_nothing():
    detector = DETECTORS["rate_evidence"]
    _, steps = detector.run([0.1, 0.9, np.nan, 0.1], [100.0] * 4)
    assert steps.drifts.tolist() == [1]
    assert steps.n.tolist() == [100.0, 200.0, 0.0, 100.0]
    state, _ = detector.run([0.1, 0.9], [100.0] * 2)
    assert detector.update(state, float("nan"))[1].n == 0


@every
@pytest.mark.parametrize(
    ("value", "weight"),
    [(np.inf, 1.0), (-np.inf, 1.0), (0.5, -1.0), (0.5, 1e-9), (0.5, np.nan), (0.5, np.inf)],
)
def test_what_no_observation_can_be_is_refused(name, value, weight):
    with pytest.raises(ValueError, match=r"takes values|a weight must"):
        DETECTORS[name].update(DETECTORS[name].begin(), value, weight)


def test_values_and_weights_of_different_length_are_refused():
    with pytest.raises(ValueError, match="one column each"):
        DETECTORS["ddm"].run([0.0, 1.0], [1.0])


@pytest.mark.parametrize(
    "name", ["ddm", "eddm", "hddm_a", "hddm_w", "rate_evidence", "adwin of rates", "cusum of rates"]
)
def test_a_share_above_one_is_refused(name):
    with pytest.raises(ValueError, match="takes values from 0 to 1"):
        DETECTORS[name].run([0.0, 1.5])


extreme_values = st.sampled_from([0.0, 1.0, -1.0, 0.5, 5e-324, 1e-300, 1e50, 1e100, -1e100]) | st.floats(
    -1e100, 1e100
)
extreme_rows = st.sampled_from([0.0, 1e-6, 0.5, 1.0, 3.0, 1e15]) | st.floats(1e-6, 1e15)


@every
@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(extreme_values, extreme_rows), min_size=1, max_size=30), st.integers(1, 40))
def test_no_values_let_nan_out_or_an_unfounded_alarm(name, pairs, times):
    values, rows = np.tile(np.array(pairs), (times, 1)).T
    low, high = DETECTORS[name].bounds
    _, steps = DETECTORS[name].run(np.abs(values) % 1.0 if (low, high) == (0.0, 1.0) else values, rows)
    for column in (steps.statistic, steps.limit, steps.n):
        assert not np.isnan(column).any()
    assert np.array_equal(steps.drift, steps.judged & (steps.statistic > steps.limit))
    assert not (steps.drift & steps.warning).any()


@every
def test_its_state_stays_small(name):
    state, _ = DETECTORS[name].run(np.full(30_000, USUAL_RATE.get(name, 0.5)))
    assert len(DETECTORS[name].to_bytes(state)) < 2_500


@every
def test_its_configuration_cannot_be_changed(name):
    with pytest.raises(FrozenInstanceError):
        DETECTORS[name].rates = True


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("adwin", {"delta": 0.0}), ("adwin", {"clock": 0}), ("adwin", {"max_buckets": 0}),
        ("adwin", {"grace_period": -1}), ("adwin", {"min_window_length": 0}), ("ddm", {"warm_start": 0}),
        ("ddm", {"warning_threshold": -1.0}), ("ddm", {"warning_threshold": 4.0}), ("eddm", {"warm_start": 0}),
        ("eddm", {"alpha": 1.5}), ("eddm", {"beta": 0.96}), ("hddm_a", {"drift_confidence": 0.1}),
        ("hddm_a", {"warning_confidence": 1.0}), ("hddm_w", {"lambda_val": 1.0}),
        ("hddm_w", {"drift_confidence": 0.0}), ("page_hinkley", {"alpha": 0.0}),
        ("page_hinkley", {"mode": "sideways"}), ("page_hinkley", {"delta": -0.1}),
        ("page_hinkley", {"threshold": float("nan")}), ("cusum", {"min_instances": 1}),
        ("cusum", {"threshold": 0.0}), ("cusum", {"slack": -1.0}), ("cusum", {"mode": ""}),
        ("ewma", {"alpha": 0.0}), ("ewma", {"threshold": 0.0}), ("ewma", {"min_instances": 0}),
        ("kswin", {"alpha": 1.0}), ("kswin", {"stat_size": 0}), ("kswin", {"window_size": 59}),
        ("kswin", {"seed": -1}), ("rate_evidence", {"reference_hits": 11, "reference_rows": 10}),
        ("rate_evidence", {"reference_hits": 0, "reference_rows": 0}),
        ("rate_evidence", {"reference_hits": 1, "reference_rows": 10, "tolerance": 1.0}),
        ("rate_evidence", {"reference_hits": 1, "reference_rows": 10, "run_length": 1.0}),
        ("rate_evidence", {"reference_hits": 1, "reference_rows": 10, "standard_errors": -1.0}),
        ("mean_evidence", {"reference_mean": float("nan"), "scale": 1.0, "reference_rows": 10}),
        ("mean_evidence", {"reference_mean": 0.0, "scale": 0.0, "reference_rows": 10}),
        ("mean_evidence", {"reference_mean": 0.0, "scale": 1.0, "reference_rows": 10, "tolerance": -0.1}),
        ("mean_evidence", {"reference_mean": 0.0, "scale": 1.0, "reference_rows": 10, "mode": "left"}),
    ],
)  # fmt: skip
def test_a_parameter_that_means_nothing_is_refused(name, parameters):
    with pytest.raises(ValueError, match="must be"):
        SEQUENTIAL[name](**parameters)


FIRST_JUDGED = {
    "rate_evidence": 0,
    "mean_evidence": 0,
    "hddm_a": 0,
    "hddm_w": 0,
    "adwin": 10,
    "page_hinkley": 29,
    "cusum": 29,
    "ewma": 29,
    "ddm": 30,
    "eddm": 30,
    "kswin": 99,
}


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_nothing_is_said_of_the_first_values_of_methods_that_learn(name):
    _, steps = DETECTORS[name].run(np.full(200, USUAL_RATE.get(name, 1.0)))
    assert np.flatnonzero(steps.judged)[0] == FIRST_JUDGED[name]
