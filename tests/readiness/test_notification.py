"""Who is told of alerts: a webhook that is set and takes them, or a Prometheus that was asked; nobody is assumed."""

from __future__ import annotations

import pytest

from service.readiness.notification import Outbox, Prometheus, Pushed, notification_of

WELL = Prometheus((), 1, sees_the_model=True)


def test_without_a_webhook_nobody_is_known_to_be_told_and_prometheus_may_be_asked() -> None:
    told = notification_of(Outbox(), webhook=False)
    assert not told.reaches
    assert "DRIFTBELL_ALERT_WEBHOOK_URL" in told.sentences[0]
    assert "cannot be known from here" in told.sentences[1]


def test_a_webhook_that_is_set_counts_until_it_takes_no_alerts() -> None:
    assert notification_of(Outbox(), webhook=True).reaches
    assert (
        "the last one left at 1970-01-01T00:00:01Z"
        in notification_of(Outbox(1_000), webhook=True).sentences[0]
    )
    failing = notification_of(Outbox(1_000, 3, 2_000), webhook=True)
    assert not failing.reaches
    assert failing.sentences[0].startswith("3 alerts wait since 1970-01-01T00:00:02Z")


def test_an_alertmanager_that_takes_incidents_counts_and_one_that_does_not_is_named() -> None:
    told = notification_of(Outbox(pushed=(Pushed("am-1:9093", 1_000, takes=True),)), webhook=False)
    assert told.reaches
    assert "the Alertmanager am-1:9093, which took them last at 1970-01-01T00:00:01Z" in told.sentences[2]
    silent = Outbox(pushed=(Pushed("am-1:9093", 1_000, takes=False), Pushed("am-2:9093", None, takes=False)))
    told = notification_of(silent, webhook=False)
    assert not told.reaches
    assert "am-1:9093, which took them last at 1970-01-01T00:00:01Z; `driftbell doctor`" in told.sentences[2]
    assert "am-2:9093, which took them never" in told.sentences[3]


def test_a_prometheus_with_rules_series_and_an_alertmanager_tells_somebody() -> None:
    assert notification_of(Outbox(), webhook=False, prometheus=WELL).reaches
    assert notification_of(Outbox(None, 3, 2_000), webhook=True, prometheus=WELL).reaches


@pytest.mark.parametrize(
    ("prometheus", "lack"),
    [
        (WELL._replace(sees_the_model=False), "no series of this model"),
        (WELL._replace(missing_rules=("DriftbellModelAlert",)), "does not evaluate DriftbellModelAlert"),
        (WELL._replace(alertmanagers=0), "no Alertmanager"),
    ],
)
def test_a_prometheus_that_lacks_something_tells_nobody(prometheus: Prometheus, lack: str) -> None:
    told = notification_of(Outbox(), webhook=False, prometheus=prometheus)
    assert not told.reaches
    assert lack in told.sentences[1]
