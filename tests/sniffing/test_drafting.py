"""Drafts are monitors that can be applied as they are, and say what was chosen."""

from __future__ import annotations

from typing import Any

import pytest

from service.monitor import Budget, FeatureOverride, Task, WindowSpec
from service.monitor_file import parse_monitors
from service.sniffing.drafting import Choices, advice_on, draft, draft_yaml, likely_segments
from service.sniffing.found import ModelFound
from tests.sniffing.records import TOPIC, label, model_in, prediction

HOSTILE = [
    "a: b",
    "- x",
    "'quote\"",
    "#no",
    "{model}",
    "\u202e\u0441",
    "漢字 🔔",
    "null",
    "1.5",
    "yes",
    "*a",
    "!!x",
]


def usual(**more: Any) -> ModelFound:
    events = [
        prediction(
            n,
            {"label": "yes", "score": 0.1},
            amount=n + 0.5,
            country="DE" if n % 3 else "FR",
            session=f"s{n}",
            **more,
        )
        for n in range(60)
    ]
    return model_in(*events, *(label(n, "yes" if n % 2 else "no") for n in range(10)))


def test_a_draft_follows_from_what_was_found() -> None:
    monitor = draft(usual(), Choices())
    assert (monitor.model, monitor.task, monitor.reference) == ("churn", Task.BINARY, None)
    assert (monitor.pane_ms, [one.name for one in monitor.windows]) == (300_000, ["30m", "6h"])
    assert monitor.segments == ("country",)
    assert monitor.features == {"session": FeatureOverride(ignore=True)}
    assert monitor.labels.positive == "yes"


def test_what_was_chosen_holds() -> None:
    chosen = Choices(
        Task.NONE, "spring", 1_000, (WindowSpec.tumbling(2_000),), 3_000, 500, Budget(3.0), (), ("amount",),
    )  # fmt: skip
    monitor = draft(usual(), chosen)
    assert (monitor.task, monitor.reference, monitor.pane_ms) == (Task.NONE, "spring", 1_000)
    assert (monitor.allowed_lateness_ms, monitor.disorder_ms, monitor.budget.false_pages) == (3_000, 500, 3.0)
    assert (monitor.segments, list(monitor.features)) == ((), ["amount"])


def test_a_short_window_asks_for_a_short_pane() -> None:
    monitor = draft(usual(), Choices(windows=(WindowSpec.tumbling(2_000), WindowSpec.tumbling(60_000))))
    assert monitor.pane_ms == 2_000


@pytest.mark.parametrize("name", HOSTILE)
def test_a_draft_is_read_back_as_the_same_monitor_whatever_the_names_are(name: str) -> None:
    events = [prediction(n, 0.5, **{name: "DE" if n % 2 else "FR", f"{name}!": f"s{n}"}) for n in range(30)]
    found = model_in(*(one | {"model": name} for one in events))
    monitor = draft(found, Choices(reference="spring"))
    assert parse_monitors(draft_yaml(monitor, TOPIC), "draft") == (monitor,)
    assert monitor.segments == (found.features[0].name,)


def test_what_a_newcomer_looks_for_stands_in_it_though_usual() -> None:
    text = draft_yaml(draft(usual(), Choices()), TOPIC)
    assert text.startswith(
        f"# Drafted from the topic {TOPIC}; every key may be changed.\nmodels:\n  churn:\n"
    )
    for key in (
        "task: binary",
        "pane: 5m",
        "windows:",
        "allowed_lateness: 10m",
        "false_pages: 1\n",
        "per: 30d",
    ):
        assert key in text


def test_few_segments_are_taken_those_with_the_fewest_values_first() -> None:
    events = [prediction(n, **{f"s{k}": f"v{n % k}" for k in range(2, 9)}) for n in range(100)]
    assert likely_segments(model_in(*events)) == ("s2", "s3", "s4")


def test_what_was_taken_is_explained() -> None:
    found = usual(empty=None)
    said = "\n".join(advice_on(found, draft(found, Choices())))
    for words in ("task binary: predictions have a score", "tell rows apart: session", "by segment: country",
                  "never filled: empty", "without a reference only silence and volume ring"):  # fmt: skip
        assert words in said
    assert "without a reference" not in "\n".join(advice_on(found, draft(found, Choices(reference="r"))))
