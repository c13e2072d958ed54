"""A first page with every state a model can be in, for looking at."""

from __future__ import annotations

from service.monitor import HOUR_MS, MINUTE_MS
from tests.web.conftest import Add
from tests.web.seeding import (
    HOSTILE_NAMES,
    NOW_MS,
    add_alert,
    add_model,
    add_pane,
    add_partition,
    add_window,
)

STATES = ("silent", "alert", "warning", "unscored", "waiting", "learning", "suspicion", "well")


def fill(add: Add) -> None:
    """One model in each state, one with every kind of trouble, and one with a hostile name."""
    for model in STATES:
        add(add_model, f"{model}-model", reference_name=None if model == "learning" else f"{model}-ref")
        if model not in {"waiting", "silent"}:
            add(add_pane, f"{model}-model", NOW_MS - 12_000)
        if model not in {"waiting", "silent", "unscored"}:
            add(add_window, f"{model}-model", NOW_MS - 4 * MINUTE_MS)
    add(add_pane, "silent-model", NOW_MS - 3 * HOUR_MS)
    add(add_window, "silent-model", NOW_MS - 3 * HOUR_MS)
    add(add_window, "unscored-model", NOW_MS - 2 * HOUR_MS)
    _add_alerts(add)
    hostile = HOSTILE_NAMES[2]
    add(add_model, hostile)
    add(add_pane, hostile, NOW_MS - MINUTE_MS)
    add(add_window, hostile, NOW_MS - 2 * MINUTE_MS, version=HOSTILE_NAMES[3])
    add(add_partition, "inference-log", 3, halted="the topic was deleted and made anew; its id differs")


def _add_alerts(add: Add) -> None:
    add(
        add_alert, "a1", "alert-model", cause="unit_change", feature="weight_kg",
        summary="weight_kg: values are 2.2046 times as large since 09:40, as if pounds came for kilograms",
    )  # fmt: skip
    add(
        add_alert, "a2", "alert-model", cause="rename", feature="email", severity="ticket",
        summary="email is absent from all events since 09:40; user_email is new and has the same values",
    )  # fmt: skip
    for number in range(3, 8):
        add(
            add_alert,
            f"a{number}",
            "alert-model",
            state="pending",
            summary=f"feature_{number} is over its limit",
        )
    add(
        add_alert,
        "b1",
        "warning-model",
        severity="ticket",
        summary="country: a new category, XK, in 4 % of rows",
    )
    add(add_alert, "c1", "suspicion-model", state="pending", summary="amount is over its limit in one window")
