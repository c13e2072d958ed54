"""How a model is, in one word and one sentence. Silence is never taken for health."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from service.errors import ConfigurationError
from service.monitor import Monitor
from service.monitor_file import parse_monitors
from service.plurals import counted
from service.store.gauge_queries import WINDOWS_UNTIL_STALE
from service.store.queries import ModelRow
from service.web.wording import age


class ModelState(StrEnum):
    """From the worst to the best; the first that holds is the model's."""

    SILENT = "silent"
    ALERT = "alert"
    WARNING = "warning"
    UNSCORED = "unscored"
    WAITING = "waiting"
    LEARNING = "learning"
    SUSPICION = "suspicion"
    WELL = "well"


STATE_WORDS = {
    ModelState.SILENT: "Silent",
    ModelState.ALERT: "Alert",
    ModelState.WARNING: "Warning",
    ModelState.UNSCORED: "Not scored",
    ModelState.WAITING: "Waiting",
    ModelState.LEARNING: "Learning",
    ModelState.SUSPICION: "Suspicion",
    ModelState.WELL: "Well",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """The state, and the sentence that says what it rests on."""

    state: ModelState
    sentence: str


@lru_cache(maxsize=4096)
def monitor_of(model: str, document: str) -> Monitor:
    """The monitor in a stored YAML text; the defaults where an older driftbell wrote what we cannot read."""
    try:
        monitors = parse_monitors(document, model)
    except ConfigurationError:
        return Monitor(model)
    return next((monitor for monitor in monitors if monitor.model == model), Monitor(model))


def silence_after_ms(monitor: Monitor) -> int:
    """After what pause pages call a model silent: as set, else three of its shortest windows."""
    if monitor.silence_after_ms is not None:
        return monitor.silence_after_ms
    return stale_after_ms(monitor)


def condition_of(model: ModelRow, now_ms: int) -> Condition:
    """The model's condition at this time."""
    monitor = monitor_of(model.model, model.monitor)
    for judge in (_silence, _alerts, _scoring, _suspicion):
        condition = judge(model, monitor, now_ms)
        if condition is not None:
            return condition
    return Condition(ModelState.WELL, "The last window holds nothing over its limit.")


def _silence(model: ModelRow, monitor: Monitor, now_ms: int) -> Condition | None:
    last_ms = model.last_event_ms
    if last_ms is None:
        if model.alerts.silence:
            return Condition(ModelState.SILENT, "No event has come yet, though they were expected.")
        return None if model.alerts.total else Condition(ModelState.WAITING, "No event has come yet.")
    if model.alerts.silence or now_ms - last_ms > silence_after_ms(monitor):
        sentence = f"No event for {age(now_ms - last_ms)}: nobody can say how it is."
        return Condition(ModelState.SILENT, sentence)
    return None


def _alerts(model: ModelRow, _: Monitor, __: int) -> Condition | None:
    alerts = model.alerts
    if alerts.page:
        return Condition(ModelState.ALERT, f"{counted(alerts.page, 'alert')} worth waking somebody.")
    if alerts.ticket:
        return Condition(ModelState.WARNING, f"{counted(alerts.ticket, 'alert')} for working hours.")
    if alerts.info:
        recorded = counted(alerts.info, "alert is", "alerts are")
        return Condition(ModelState.WARNING, f"Neither page nor ticket rings; {recorded} only recorded.")
    return None


def _scoring(model: ModelRow, monitor: Monitor, now_ms: int) -> Condition | None:
    last_ms = model.last_window_end_ms
    if last_ms is not None and now_ms - last_ms > stale_after_ms(monitor):
        return Condition(
            ModelState.UNSCORED, f"Events come, but no window was scored for {age(now_ms - last_ms)}."
        )
    if model.reference_name is None:
        return Condition(ModelState.LEARNING, "Without a reference only silence and volume are watched.")
    if last_ms is None:
        return Condition(ModelState.LEARNING, "Its first window is not complete yet.")
    return None


def _suspicion(model: ModelRow, _: Monitor, __: int) -> Condition | None:
    if not model.alerts.pending:
        return None
    pending = counted(model.alerts.pending, "finding")
    return Condition(ModelState.SUSPICION, f"{pending} over the limit, not for long enough to ring.")


def stale_after_ms(monitor: Monitor) -> int:
    """After what pause windows are overdue, and what the last one said is no news any more."""
    shortest_ms = min(window.length_ms for window in monitor.windows)
    return WINDOWS_UNTIL_STALE * shortest_ms + monitor.allowed_lateness_ms
