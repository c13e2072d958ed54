"""How the false-alarm budget is shared."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.messages import SCORE, Column, Role
from service.monitor import Budget, FeatureOverride, Monitor, WindowSpec
from service.scoring.budget import (
    FAMILIES,
    MARGIN,
    SIGNALS,
    VOLUME,
    Slices,
    alpha_for,
    column_shares,
    nats_of,
    volume_alpha_for,
)
from service.scoring.groups import RATES

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
HOURLY = WindowSpec.tumbling(HOUR)


def feature(name: str) -> Column:
    return Column(Role.FEATURE, name)


def test_the_budget_is_divided_by_the_windows_of_its_period_and_kept_many_times_over() -> None:
    monitor = Monitor("m", windows=(HOURLY,), budget=Budget(1.0, 30 * DAY))
    assert alpha_for(monitor, HOURLY, 1.0) == pytest.approx(1 / 720 / MARGIN)
    assert alpha_for(monitor, HOURLY, 0.003) == pytest.approx(0.003 / 720 / MARGIN)


def test_one_page_a_month_of_hourly_windows_is_one_in_ten_thousand_windows() -> None:
    monitor = Monitor("m", windows=(HOURLY,), budget=Budget(1.0, 30 * DAY))
    assert 1 / alpha_for(monitor, HOURLY, 1.0) == pytest.approx(10_000, rel=0.01)


def test_each_kind_of_window_has_its_share_however_often_it_is_scored() -> None:
    often = WindowSpec(HOUR, 5 * MINUTE)
    monitor = Monitor("m", windows=(HOURLY, often), budget=Budget(2.0, 30 * DAY))
    assert alpha_for(monitor, HOURLY, 1) == pytest.approx(2 / 2 / 720 / MARGIN)
    assert alpha_for(monitor, often, 1) == pytest.approx(2 / 2 / (720 * 12) / MARGIN)


def test_all_tests_of_all_windows_together_spend_the_budget_and_no_more() -> None:
    kinds = (HOURLY, WindowSpec.tumbling(5 * MINUTE), WindowSpec(HOUR, MINUTE))
    monitor = Monitor("m", windows=kinds, budget=Budget(1.0, 30 * DAY))
    spent = sum(alpha_for(monitor, kind, 1 / 77) * 77 * (30 * DAY / kind.every_ms) for kind in kinds)
    assert spent * MARGIN == pytest.approx(1.0)


def test_a_test_never_has_a_probability_of_nothing_nor_of_more_than_a_twentieth() -> None:
    strict = Monitor("m", windows=(HOURLY,), budget=Budget(1e-9, 365 * DAY))
    lavish = Monitor("m", windows=(HOURLY,), budget=Budget(1e6, DAY))
    assert alpha_for(strict, HOURLY, 1e-9) > 0
    assert alpha_for(lavish, HOURLY, 1.0) == 0.05


def test_the_limit_in_nats_is_the_logarithm_of_the_mean_windows_between_false_alarms() -> None:
    assert nats_of(1e-4) == pytest.approx(math.log(10_000))
    assert nats_of(1e-6) > nats_of(1e-4)


def test_the_families_of_a_slice_and_the_signals_of_a_column_share_one_whole() -> None:
    assert VOLUME + sum(FAMILIES.values()) / MARGIN <= 1.0
    assert sum(FAMILIES.values()) <= 1.0
    assert SIGNALS["distribution"] + RATES * SIGNALS["rate"] == pytest.approx(1.0)


@given(st.integers(1, 50), st.integers(0, 500))
def test_all_slices_of_a_window_share_one_whole(whole: int, segments: int) -> None:
    slices = Slices(whole, segments)
    spent = whole * slices.share(is_segment=False) + segments * slices.share(is_segment=True)
    assert spent == pytest.approx(1.0)


def test_all_traffic_keeps_half_of_the_budget_however_many_segments_there_are() -> None:
    assert Slices(1, 0).share(is_segment=False) == 1.0
    for segments in (1, 7, 400):
        assert Slices(1, segments).share(is_segment=False) == 0.5


NAMES = [f"f{i}" for i in range(12)]
IMPORTANCES = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(st.none(), st.floats(0.0, 100.0), st.just("ignore")),
)


def watching(importances: dict[str, object], windows: tuple[WindowSpec, ...] = (HOURLY,)) -> Monitor:
    features = {
        name: FeatureOverride(ignore=True) if value == "ignore" else FeatureOverride(importance=value)  # type: ignore[arg-type]
        for name, value in importances.items()
    }
    return Monitor("m", windows=windows, budget=Budget(1.0, 30 * DAY), features=features)


SPECS = st.lists(
    st.sampled_from([WindowSpec.tumbling(5 * MINUTE), HOURLY, WindowSpec.tumbling(DAY), WindowSpec(HOUR, MINUTE)]),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(IMPORTANCES, SPECS, st.integers(1, 12), st.integers(1, 9), st.integers(0, 300))
def test_the_limits_of_all_tests_together_never_spend_more_than_the_budget(
    importances: dict[str, object], specs: list[WindowSpec], columns: int, versions: int, segments: int
) -> None:
    monitor, slices = watching(importances, tuple(specs)), Slices(versions, segments)
    shares = column_shares(monitor, tuple(feature(name) for name in NAMES[:columns]))
    assert sum(shares) <= 1 + 1e-9
    expected = volumes = 0.0
    for spec in specs:
        windows = 30 * DAY / spec.every_ms
        slices_watched = 1 + versions + segments
        volumes += windows * slices_watched * volume_alpha_for(monitor, spec, slices_watched)
        for count, is_segment in ((versions, False), (segments, True)):
            share = slices.share(is_segment=is_segment)
            parts = [
                one * signal * FAMILIES["columns"] * share
                for one in shares if one
                for signal in (SIGNALS["distribution"], *[SIGNALS["rate"]] * RATES)
            ]  # fmt: skip
            parts += [FAMILIES[name] * share for name in FAMILIES if name != "columns"]
            limits = [nats_of(alpha_for(monitor, spec, part)) for part in parts]
            expected += windows * count * sum(math.exp(-limit) for limit in limits)
    assert expected * MARGIN <= 1 + 1e-6
    assert expected + volumes <= 1 + 1e-6


def test_what_the_model_leans_on_has_a_lower_limit_and_what_it_does_not_a_higher_one() -> None:
    columns = tuple(feature(name) for name in ("f0", "f1", "f2", "f3"))
    shares = column_shares(watching({"f0": 5.0, "f1": 0.0}), columns)
    limits = [nats_of(alpha_for(watching({}), HOURLY, share)) for share in shares]
    assert limits[0] < limits[2] == limits[3] < limits[1] < math.inf
    assert shares[0] == pytest.approx(5 * shares[2])
    assert shares[1] == pytest.approx(shares[2] / 10)


def test_what_is_ignored_takes_nothing_from_the_others() -> None:
    columns = tuple(feature(name) for name in ("f0", "f1", "f2"))
    assert column_shares(watching({"f0": "ignore"}), columns) == pytest.approx((0.0, 0.5, 0.5))
    assert column_shares(watching(dict.fromkeys(NAMES, "ignore")), columns) == (0.0, 0.0, 0.0)


def test_an_importance_is_of_the_feature_and_not_of_the_score_of_the_same_name() -> None:
    monitor = watching({"score": 9.0})
    assert column_shares(monitor, (SCORE, feature("f0"))) == pytest.approx((0.5, 0.5))
