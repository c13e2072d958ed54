"""Alerts on their way out, judged: a webhook that takes them, and none that waits."""

from __future__ import annotations

from dataclasses import dataclass

from service.doctor.check import Check, failure, not_checked, warning, well
from service.doctor.phrasing import lasting, number_of
from service.messages import iso
from service.monitor import MINUTE_MS

PATIENCE_MS = MINUTE_MS


@dataclass(frozen=True, slots=True)
class OutboxSeen:
    """Alerts that wait, the oldest for so long, those that were tried before; and when the last one left."""

    waiting: int = 0
    oldest_ms: int = 0
    tried: int = 0
    left_ms: int | None = None


def webhook_check(*, webhook: bool) -> Check:
    """Whether this environment names one."""
    if webhook:
        return well("webhook", "one is set")
    said = "none is set here; alerts leave through Prometheus, or only into the evaluator's log"
    return not_checked("webhook", said)


def outbox_check(seen: OutboxSeen) -> Check:
    """What waits, or when the last one left: to the webhook where one is set, else into the log."""
    if not seen.waiting:
        left = (
            "none had to leave yet" if seen.left_ms is None else f"the last one left at {iso(seen.left_ms)}"
        )
        return well("outbox", f"no alert waits; {left}")
    said = f"{number_of(seen.waiting, 'alert')} not delivered, the oldest for {lasting(seen.oldest_ms)}"
    if seen.tried:
        advice = "the webhook does not take them: the evaluator's log says why, DRIFTBELL_ALERT_WEBHOOK_URL where to"
        return (failure if seen.oldest_ms > PATIENCE_MS else warning)("outbox", said, advice)
    if seen.oldest_ms > PATIENCE_MS:
        return failure("outbox", said, "nobody has tried: see that an evaluator runs (`driftbell evaluate`)")
    return well("outbox", said)
