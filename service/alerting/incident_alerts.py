"""Incidents as alerts of an Alertmanager: labels that route, group and inhibit, annotations that people read.

The same incident has the same labels wherever they are made, so that what is sent again, or by two of us, is one alert.
It ends by itself soon after nobody sends it any more: driftbell that died is no reason to ring for ever, nor never.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import xxhash

from service.alerting.runbooks import RUNBOOKS, runbook_of
from service.messages import iso
from service.monitor import MINUTE_MS

ALERT_NAME, GUARD_NAME = "DriftbellIncident", "DriftbellIncidentsPushed"
OUTLIVES_MS = 5 * MINUTE_MS
"""So long after it was sent last an alert ends in Alertmanager."""
NO_SEVERITY = "none"
_LONGEST_LABEL, _LONGEST_ANNOTATION = 200, 2_000
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that people should hear of; `effect` is what was seen of the answers, `facts` what it rests on."""

    id: str
    model: str
    cause: str
    severity: str
    segment: str
    feature: str
    version: str
    summary: str
    since_ms: int
    confidence: float | None = None
    effect: str | None = None
    facts: tuple[tuple[str, float | str], ...] = ()
    acknowledged_by: str | None = None


def labels_of(one: OpenIncident) -> dict[str, str]:
    """What Alertmanager tells it by; what is empty is not there."""
    named = {
        "alertname": ALERT_NAME, "model": one.model, "cause": one.cause, "severity": one.severity, "incident": one.id,
        "segment": one.segment, "feature": one.feature,
    }  # fmt: skip
    return {name: text for name, value in named.items() if (text := _cleaned(value, _LONGEST_LABEL))}


def annotations_of(one: OpenIncident, public_url: str | None) -> dict[str, str]:
    """What people read: the sentence, what it rests on, where to look, and who has it."""
    runbook = runbook_of(one.cause, one.severity)
    said = {
        "summary": one.summary or f"{one.cause} in model {one.model}",
        "description": _described(one),
        "runbook_url": f"{RUNBOOKS}/{runbook}",
        "incident_url": address_of(one.id, public_url) or "",
        "version": one.version,
        "acknowledged_by": one.acknowledged_by or "",
    }
    return {name: text for name, value in said.items() if (text := _cleaned(value, _LONGEST_ANNOTATION))}


def address_of(incident: str, public_url: str | None) -> str | None:
    """The page of an incident, where people reach the pages at all."""
    return None if public_url is None else f"{public_url.rstrip('/')}/incidents/{quote(incident, safe='')}"


def alert_of(one: OpenIncident, public_url: str | None, now_ms: int) -> Document:
    """The alert as Alertmanager takes it, firing until it is not sent any more."""
    address = address_of(one.id, public_url)
    return {
        "labels": labels_of(one), "annotations": annotations_of(one, public_url),
        "startsAt": iso(min(one.since_ms, now_ms)), "endsAt": iso(now_ms + OUTLIVES_MS),
    } | ({} if address is None else {"generatorURL": address})  # fmt: skip


def ended(labels: Mapping[str, str], since_ms: int, now_ms: int) -> Document:
    """That an alert is over, by the labels that it was sent with."""
    return {"labels": dict(labels), "startsAt": iso(min(since_ms, now_ms)), "endsAt": iso(now_ms)}


def guards(models: Iterable[str], now_ms: int) -> list[Document]:
    """One alert a model that says its incidents are pushed: what Prometheus finds of it is hushed by that, and rings
    again when we are gone.
    """
    said = "driftbell itself pushes the incidents of this model; route this to nobody, it only inhibits"
    return [
        {
            "labels": {"alertname": GUARD_NAME, "model": name, "severity": NO_SEVERITY},
            "annotations": {"summary": said}, "startsAt": iso(now_ms), "endsAt": iso(now_ms + OUTLIVES_MS),
        }
        for model in sorted(set(models))
        if (name := _cleaned(model, _LONGEST_LABEL))
    ]  # fmt: skip


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """One word for a set of labels."""
    return xxhash.xxh3_64_hexdigest("\x1f".join(f"{k}\x1e{v}" for k, v in sorted(labels.items())).encode())


def in_batches(alerts: Sequence[Document], most: int = 200) -> Iterable[Sequence[Document]]:
    """Few enough for one request."""
    return (alerts[at : at + most] for at in range(0, len(alerts), most))


def _described(one: OpenIncident) -> str:
    facts = ", ".join(f"{name.replace('_', ' ')} {_fact(value)}" for name, value in one.facts)
    sure = "" if one.confidence is None else f"Confidence {one.confidence:.2f} of 1."
    about = ", ".join(filter(None, (f"version {one.version}" if one.version else "", one.segment)))
    effect = "" if one.effect is None else f"{one.effect[:1].upper()}{one.effect[1:]}."
    parts = (
        f"Since {iso(one.since_ms)}{f', {about}' if about else ''}.",
        sure,
        f"{facts}." if facts else "",
        effect,
    )
    return " ".join(filter(None, parts))


def _fact(value: float | str) -> str:
    return f"{value:.6g}" if isinstance(value, int | float) else str(value)


def _cleaned(text: str, longest: int) -> str:
    """On one line, and without what cannot be seen."""
    spaced = " ".join(text[: 4 * longest].split())
    seen = "".join(mark for mark in spaced if unicodedata.category(mark) not in _UNSEEN)
    return seen if len(seen) <= longest else f"{seen[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"
