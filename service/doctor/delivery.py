"""Alerts on their way out, judged: a webhook that takes them, and none that waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from service.alerting.incident_alerts import OUTLIVES_MS
from service.doctor.check import Check, failure, not_checked, warning, well
from service.doctor.phrasing import lasting
from service.messages import iso
from service.monitor import MINUTE_MS
from service.plurals import counted

PATIENCE_MS = MINUTE_MS


@dataclass(frozen=True, slots=True)
class OutboxSeen:
    """Alerts that wait, the oldest for so long, those that were tried before, when the last one left, those that
    silences keep back, and since when the oldest of those waits that were tried.
    """

    waiting: int = 0
    oldest_ms: int = 0
    tried: int = 0
    left_ms: int | None = None
    held: int = 0
    tried_since_ms: int | None = None


def webhook_check(*, webhook: bool) -> Check:
    """Whether this environment names one."""
    if webhook:
        return well("webhook", "one is set")
    said = "none is set here; alerts leave through Prometheus, or only into the evaluator's log"
    return not_checked("webhook", said)


@dataclass(frozen=True, slots=True)
class AlertmanagerSeen:
    """One that incidents are pushed to: when it last took them, since when it does not, and why."""

    name: str
    reached_ms: int | None
    failing_since_ms: int | None = None
    trouble: str | None = None

    def takes_them(self, now_ms: int) -> bool:
        """Whether what it was told last has not ended by itself yet, and it took that."""
        is_told = self.reached_ms is not None and now_ms - self.reached_ms <= OUTLIVES_MS
        return is_told and self.failing_since_ms is None


def alertmanager_checks(
    configured: Sequence[str], seen: Sequence[AlertmanagerSeen], now_ms: int
) -> list[Check]:
    """Each that is named here, or where none is each that an evaluator has told something."""
    known = {one.name: one for one in seen}
    names = configured or sorted(known)
    if not names:
        return [not_checked("alertmanager", "none is set here; incidents are not pushed to any")]
    return [_alertmanager(known.get(name, AlertmanagerSeen(name, None)), now_ms) for name in names]


def _alertmanager(one: AlertmanagerSeen, now_ms: int) -> Check:
    named, run = f"alertmanager {one.name}", "see that an evaluator runs with DRIFTBELL_ALERTMANAGER_URL"
    if one.failing_since_ms is not None:
        lasts = now_ms - one.failing_since_ms
        said = f"takes no incidents for {lasting(lasts)}: {one.trouble}"
        advice = (
            "see that it runs there; what is open is told once it is back; Prometheus' rules ring meanwhile"
        )
        return (failure if lasts > PATIENCE_MS else warning)(named, said, advice)
    if one.reached_ms is None:
        return warning(named, "no evaluator has told it anything yet", run)
    if not one.takes_them(now_ms):
        return failure(named, f"nobody has told it anything for {lasting(now_ms - one.reached_ms)}", run)
    return well(named, f"took what is open at {iso(one.reached_ms)}")


def outbox_check(seen: OutboxSeen) -> Check:
    """What waits, or when the last one left: to the webhook where one is set, else into the log."""
    if not seen.waiting:
        left = (
            "none had to leave yet" if seen.left_ms is None else f"the last one left at {iso(seen.left_ms)}"
        )
        held = f"; silences keep {counted(seen.held, 'alert')} back" if seen.held else ""
        return well("outbox", f"no alert waits; {left}{held}")
    said = f"{counted(seen.waiting, 'alert')} not delivered, the oldest for {lasting(seen.oldest_ms)}"
    if seen.tried:
        advice = "the webhook does not take them: the evaluator's log says why, DRIFTBELL_ALERT_WEBHOOK_URL where to"
        return (failure if seen.oldest_ms > PATIENCE_MS else warning)("outbox", said, advice)
    if seen.oldest_ms > PATIENCE_MS:
        return failure("outbox", said, "nobody has tried: see that an evaluator runs (`driftbell evaluate`)")
    return well("outbox", said)
