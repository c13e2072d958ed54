"""An incident is the same alert wherever it is made, and hostile names in it are harmless labels."""

from __future__ import annotations

from dataclasses import replace

from service.alerting.incident_alerts import (
    OUTLIVES_MS,
    OpenIncident,
    address_of,
    alert_of,
    annotations_of,
    ended,
    fingerprint_of,
    guards,
    in_batches,
    labels_of,
)
from tests.web.seeding import HOSTILE_NAMES, NOW_MS

ONE = OpenIncident(
    "i-1", "churn", "unit_change", "page", "country=DE", "weight", "7", "weight is in pounds", NOW_MS - 60_000,
    confidence=0.97, effect="its predictions moved with it", facts=(("factor", 2.2046), ("unit", "lb")),
)  # fmt: skip


def test_labels_route_and_annotations_are_read() -> None:
    assert labels_of(ONE) == {
        "alertname": "DriftbellIncident", "model": "churn", "cause": "unit_change", "severity": "page",
        "incident": "i-1", "segment": "country=DE", "feature": "weight",
    }  # fmt: skip
    said = annotations_of(ONE, "https://bell.example.com/")
    assert said["summary"] == "weight is in pounds"
    assert said["description"] == (
        "Since 2026-11-21T23:59:00Z, version 7, country=DE. Confidence 0.97 of 1. factor 2.2046, unit lb. "
        "Its predictions moved with it."
    )
    assert said["incident_url"] == "https://bell.example.com/incidents/i-1"
    assert said["runbook_url"].endswith("/DriftbellModelAlert")


def test_labels_do_not_change_with_what_is_said_of_it() -> None:
    other = replace(ONE, summary="other words", acknowledged_by="anna", confidence=0.5, since_ms=0)
    assert fingerprint_of(labels_of(other)) == fingerprint_of(labels_of(ONE))
    assert fingerprint_of(labels_of(replace(ONE, severity="ticket"))) != fingerprint_of(labels_of(ONE))
    assert annotations_of(other, None)["acknowledged_by"] == "anna"


def test_an_alert_ends_by_itself_when_nobody_sends_it_any_more() -> None:
    made = alert_of(ONE, None, NOW_MS)
    assert (made["startsAt"], made["endsAt"]) == ("2026-11-21T23:59:00Z", "2026-11-22T00:05:00Z")
    assert OUTLIVES_MS == 300_000
    assert "generatorURL" not in made
    assert "incident_url" not in made["annotations"]


def test_an_alert_never_begins_after_it_ends() -> None:
    ahead = alert_of(replace(ONE, since_ms=NOW_MS + 10**9), None, NOW_MS)
    assert ahead["startsAt"] <= ahead["endsAt"]
    assert ended({"incident": "i-1"}, NOW_MS + 10**9, NOW_MS)["startsAt"] == "2026-11-22T00:00:00Z"


def test_hostile_names_are_visible_text_on_one_line_and_bounded() -> None:
    for name in (*HOSTILE_NAMES, "\x00\x1b[31m", "x" * 10_000, "\ud800"):
        named = replace(ONE, model=name, feature=name, segment=f"{name}={name}", summary=name)
        for text in (*labels_of(named).values(), *annotations_of(named, None).values()):
            text.encode()
            assert text.isprintable()
            assert len(text) <= 2_000
        assert all(len(text) <= 200 for text in labels_of(named).values())


def test_the_address_of_an_incident_is_no_other() -> None:
    assert address_of("../../x?y#z", "https://bell.example.com/x") == (
        "https://bell.example.com/x/incidents/..%2F..%2Fx%3Fy%23z"
    )
    assert address_of("i-1", None) is None


def test_each_model_has_one_guard() -> None:
    assert [one["labels"]["model"] for one in guards(["b", "a", "b", "\x00"], NOW_MS)] == ["a", "b"]


def test_many_alerts_go_in_several_requests() -> None:
    assert [len(batch) for batch in in_batches([{}] * 450)] == [200, 200, 50]
