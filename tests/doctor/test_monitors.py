"""A monitor is held against its reference, its grid, and the events that came."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from service.doctor.check import Condition
from service.doctor.monitors import OLD_MS, MonitorSeen, ReferenceSeen, monitor_checks
from service.messages import LABEL, Column, Role
from service.monitor import LabelPolicy, Monitor, Task
from service.monitor_file import dump_monitors
from service.sketches.grids import CategoryGrid, Grid, default_number_grid

NOW_MS = 1_795_305_600_000


def grid_of(*classes: str) -> Grid:
    """One feature, and labels of these classes."""
    amount = default_number_grid(Column(Role.FEATURE, "amount"))
    return Grid((amount,), (CategoryGrid(LABEL, classes),) if classes else ())


OLD = ReferenceSeen("train", 1, NOW_MS - OLD_MS - 1, grid_of())
DAMAGED = ReferenceSeen("train", 1, 0, damage="checksum")


def seen_of(monitor: Monitor | None = None, grid: Grid | None = None, **changes: Any) -> MonitorSeen:
    monitor, grid = monitor or Monitor("churn"), grid or grid_of()
    reference = ReferenceSeen("train", 10_000, NOW_MS - 7_200_000, grid)
    usual = MonitorSeen("churn", dump_monitors([monitor]), grid.id, "train", reference, events=True)
    return replace(usual, **changes)


def judged(seen: MonitorSeen) -> dict[str, tuple[Condition, str]]:
    return {
        one.name: (one.condition, f"{one.sentence}; {one.advice}") for one in monitor_checks([seen], NOW_MS)
    }


def test_a_monitor_on_its_references_grid_is_well_and_tells_the_references_age() -> None:
    assert judged(seen_of()) == {
        "monitor churn": (Condition.OK, "it can be read; "),
        "reference of churn": (Condition.OK, "train, 10,000 rows, stored 2 h ago; "),
    }


def test_a_monitor_that_cannot_be_read_is_a_failure_and_its_reference_not_judged() -> None:
    found = judged(seen_of(document="models: {churn: {pane: 7x}}"))
    assert found["monitor churn"][0] is Condition.FAILURE
    assert found["reference of churn"][0] is Condition.NOT_CHECKED


@pytest.mark.parametrize(
    ("changes", "condition", "said"),
    [
        ({"reference_name": None, "reference": None}, Condition.WARNING, "held against their own past only"),
        ({"reference": None}, Condition.FAILURE, "no reference train; `driftbell reference build"),
        ({"reference": DAMAGED}, Condition.FAILURE, "cannot be read: checksum"),
        ({"grid_id": "another"}, Condition.WARNING, "stored anew since the monitor was applied"),
        ({"reference": OLD}, Condition.WARNING, "stored 365 d ago; if the model"),
    ],
)  # fmt: skip
def test_a_reference_that_is_missing_damaged_changed_or_old_is_told(
    changes: dict[str, Any], condition: Condition, said: str
) -> None:
    found, sentence = judged(seen_of(**changes))["reference of churn"]
    assert found is condition
    assert said in sentence


def test_a_segment_that_no_event_has_is_a_warning_once_there_are_events() -> None:
    seen = seen_of(
        Monitor("churn", segments=("country", "chanel")), segments=frozenset({"country=DE", "chan=x"})
    )
    assert "no late event has chanel, by which" in judged(seen)["monitor churn"][1]
    assert judged(replace(seen, events=False))["monitor churn"][0] is Condition.OK
    assert (
        judged(replace(seen, segments=frozenset({"country=DE", "chanel=web"})))["monitor churn"][0]
        is Condition.OK
    )


@pytest.mark.parametrize(
    ("classes", "positive", "said"),
    [
        (("no", "yes"), None, None),
        (("left", "stayed"), None, "taken to be the probability of stayed, the last by name"),
        (("left", "stayed"), "left", None),
        (("left", "stayed"), "Left", "nobody can say which class"),
        (("a", "b", "c"), None, "nobody can say which class"),
    ],
)
def test_a_binary_model_whose_classes_say_nothing_must_name_the_positive_one(
    classes: tuple[str, ...], positive: str | None, said: str | None
) -> None:
    monitor = Monitor("churn", task=Task.BINARY, labels=LabelPolicy(positive=positive))
    found, sentence = judged(seen_of(monitor, grid_of(*classes), labels=True))["monitor churn"]
    assert found is (Condition.OK if said is None else Condition.WARNING)
    assert (said or "it can be read") in sentence
    assert judged(seen_of(monitor, grid_of(*classes)))["monitor churn"][0] is Condition.OK


def test_a_monitor_that_nobody_wrote_and_no_monitor_at_all_are_warnings() -> None:
    assert "nobody wrote it" in judged(seen_of(learned=True))["monitor churn"][1]
    (check,) = monitor_checks([], NOW_MS)
    assert check.condition is Condition.WARNING
