"""Who saves what somebody else has changed meanwhile saves nothing, whoever comes first; looking keeps nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine

from service.monitor import Monitor
from service.store.configuration import apply_monitors, load_configuration
from service.store.queries import MonitorRow
from service.store.saving import Saved, look_at_monitors, save_monitors

pytestmark = pytest.mark.postgres

NOW_MS = 1_795_305_600_000


def newest(engine: Engine) -> Monitor:
    found = load_configuration(engine).latest("churn")
    assert found is not None
    return found.monitor


def test_of_two_who_save_at_once_one_is_told_of_the_other(engine: Engine) -> None:
    apply_monitors(engine, [Monitor("churn")], [], 0)
    together = Barrier(4)

    def save(name: str) -> tuple[Saved, ...] | MonitorRow:
        together.wait(10)
        return save_monitors(engine, [Monitor("churn", segments=(name,))], {"churn": 1}, NOW_MS)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(save, "abcd"))
    (won,) = [one for one in done if isinstance(one, tuple)]
    lost = [one for one in done if isinstance(one, MonitorRow)]
    assert (won[0].number, [one.number for one in lost]) == (2, [2, 2, 2])
    assert all(f"- {newest(engine).segments[0]}" in one.monitor for one in lost)


def test_looking_says_what_saving_then_does_and_keeps_nothing(engine: Engine) -> None:
    apply_monitors(engine, [Monitor("churn")], [], 0)
    changed = [Monitor("churn", segments=("country",)), Monitor("new")]
    before = load_configuration(engine)
    looked = look_at_monitors(engine, changed, NOW_MS)
    after = load_configuration(engine)
    assert (after.revision, after.models.keys()) == (before.revision, before.models.keys())
    assert save_monitors(engine, changed, {}, NOW_MS) == looked
    assert [(one.model, one.action, one.number) for one in looked] == [
        ("churn", "changed", 2),
        ("new", "created", 1),
    ]
    assert looked[1].since_ms is None


def test_one_that_is_saved_first_needs_no_number_to_be_free(engine: Engine) -> None:
    (saved,) = save_monitors(engine, [Monitor("churn")], {"churn": 0}, NOW_MS)  # type: ignore[misc]
    assert saved.action == "created"
    assert isinstance(save_monitors(engine, [Monitor("churn")], {"churn": 0}, NOW_MS), MonitorRow)
