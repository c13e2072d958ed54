"""Which columns a game day takes."""

from __future__ import annotations

import numpy as np

from service.injection.columns import Columns
from service.monitor import FeatureOverride, Monitor
from tests.injection.logs import Event, row, surveyed


def events(count: int = 400) -> list[Event]:
    """Columns of many kinds; `twin` goes with `x`."""
    random = np.random.default_rng(3)
    x, noise, far = random.normal(0, 1, count), random.normal(0, 1, count), random.normal(900, 1, count)
    return [
        row(
            i, x=x[i], twin=x[i] + 0.1 * noise[i], far=far[i], whole=int(i % 5), constant=1.0, flag=i % 2,
            color="red" if i % 4 else "blue", serial=f"s-{i}", same="one",
        )
        for i in range(count)
    ]  # fmt: skip


LOG = surveyed(events())


def columns(monitor: Monitor | None = None, only: tuple[str, ...] = ()) -> Columns:
    """The columns under a monitor."""
    return Columns(LOG, monitor or Monitor("churn"), only)


def names(chosen: object) -> list[str]:
    """Their names."""
    return [c.name for c in chosen]  # type: ignore[attr-defined]


def test_numbers_vary_and_texts_are_categories() -> None:
    assert set(names(columns().numbers)) == {"amount", "x", "twin", "far", "whole"}
    assert set(names(columns().fine)) == {"x", "twin", "far"}
    assert set(names(columns().texts)) == {"country", "color"}


def test_what_matters_most_comes_first_and_what_is_ignored_never() -> None:
    overrides = {
        "whole": FeatureOverride(importance=5.0), "x": FeatureOverride(ignore=True),
        "amount": FeatureOverride(importance=0.0),
    }  # fmt: skip
    chosen = names(columns(Monitor("churn", features=overrides)).numbers)
    assert (chosen[0], chosen[-1]) == ("whole", "amount")
    assert "x" not in chosen
    assert names(columns(only=("color", "far")).watched) == ["far", "color"]


def test_columns_that_go_together_and_columns_that_are_unlike_are_found() -> None:
    assert columns().related in {"x", "twin"}
    assert columns(only=("x", "far")).related is None
    assert columns(only=("x",)).related is None
    assert set(columns(only=("x", "far", "twin")).unlike or ()) & {"far"}
    assert columns(only=("x", "twin")).unlike is None


def test_a_segment_has_at_most_half_of_the_events() -> None:
    assert columns(Monitor("churn", segments=("channel", "color"))).segment == ("color", "blue")
    assert columns(Monitor("churn", segments=("nowhere",))).segment is None
    assert columns().segment is None
