"""Who hears of a model's alerts: what can be known of it, and what cannot."""

from __future__ import annotations

from typing import NamedTuple

from service.messages import iso
from service.readiness.readiness import Notification


class Pushed(NamedTuple):
    """An Alertmanager that incidents are pushed to: when it last took them, and whether it still does."""

    name: str
    reached_ms: int | None
    takes: bool


class Outbox(NamedTuple):
    """Alerts of all models: when one left last, and those that were tried and wait for a webhook, the oldest since."""

    left_ms: int | None = None
    failed: int = 0
    failing_since_ms: int | None = None
    pushed: tuple[Pushed, ...] = ()


class Prometheus(NamedTuple):
    """What a Prometheus says: which rules of models' alerts it does not evaluate, and how many receivers it has."""

    missing_rules: tuple[str, ...]
    alertmanagers: int
    sees_the_model: bool


def notification_of(outbox: Outbox, *, webhook: bool, prometheus: Prometheus | None = None) -> Notification:
    """By the outbox, a webhook in this process's environment, and a Prometheus that was asked (None: none was)."""
    posted, said = _posted(outbox, webhook=webhook)
    scraped, told = _scraped(prometheus)
    reaches = posted or scraped or any(one.takes for one in outbox.pushed)
    return Notification(reaches, (said, told, *map(_pushed, outbox.pushed)))


def _pushed(to: Pushed) -> str:
    last = "never" if to.reached_ms is None else f"last at {iso(to.reached_ms)}"
    said = f"incidents are pushed to the Alertmanager {to.name}, which took them {last}"
    return f"{said}; {'whom it tells is not known here' if to.takes else '`driftbell doctor` says why'}"


def _posted(outbox: Outbox, *, webhook: bool) -> tuple[bool, str]:
    if outbox.failed and outbox.failing_since_ms is not None:
        return False, (
            f"{outbox.failed:,} alerts wait since {iso(outbox.failing_since_ms)}: the webhook does not take them "
            "(the evaluator's log says why)"
        )
    if not webhook:
        return False, (
            "this environment names no webhook: set DRIFTBELL_ALERT_WEBHOOK_URL for the evaluator, and here; without "
            "one alerts go into the evaluator's log, where somebody has to look"
        )
    left = (
        "none had to leave yet" if outbox.left_ms is None else f"the last one left at {iso(outbox.left_ms)}"
    )
    return True, (
        f"alerts are posted to the webhook of DRIFTBELL_ALERT_WEBHOOK_URL, as this environment has it; {left}"
    )


def _scraped(prometheus: Prometheus | None) -> tuple[bool, str]:
    if prometheus is None:
        return False, (
            "whether Prometheus scrapes /metrics and an Alertmanager tells somebody cannot be known from here: "
            "`driftbell score MODEL --prometheus http://prometheus:9090` asks it"
        )
    lacks = _lacks(prometheus)
    if lacks:
        return False, f"Prometheus tells nobody: {'; '.join(lacks)}"
    return True, (
        f"Prometheus scrapes the model, evaluates the rules of its alerts, and hands them to "
        f"{prometheus.alertmanagers} Alertmanager(s); whether these answer, and whom they tell, is not known here"
    )


def _lacks(prometheus: Prometheus) -> list[str]:
    lacks = []
    if not prometheus.sees_the_model:
        lacks.append("it has no series of this model (scrape `serve`, see deploy/prometheus/prometheus.yml)")
    if prometheus.missing_rules:
        rules = ", ".join(prometheus.missing_rules)
        lacks.append(f"it does not evaluate {rules} (load deploy/prometheus/rules.yml)")
    if not prometheus.alertmanagers:
        lacks.append("it knows no Alertmanager (`alerting:` in its configuration)")
    return lacks
