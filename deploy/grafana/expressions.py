"""PromQL that several dashboards share, and what numbers mean in words."""

from __future__ import annotations

from deploy.grafana.panels import Annotation, Choice, Word

# A zero for what has no series while all is well; with serve down "no data" is the truth.
ZERO_IF_ALIVE = '0 * max(up{job="driftbell-serve"} == 1)'

ALERT_LABELS = "model, version, segment, feature, cause, severity"
SCORE_LABELS = "model, version, segment, feature, method, window"

STATES = (
    Word(0, "fine", "green"),
    Word(1, "ticket", "yellow"),
    Word(2, "PAGE", "red"),
    Word(3, "SILENT", "purple"),
)

# No label is the empty label: `()` matches that alone, the whole model without its segments.
WHOLE_MODEL = "()"


def models(*, several: bool) -> Choice:
    """Which model."""
    return Choice("model", "driftbell_last_event_timestamp_seconds", several=several)


def versions(model: str) -> Choice:
    """Which of its versions."""
    return Choice("version", f"driftbell_window_events{{{model}}}", several=True)


def segments(model: str) -> Choice:
    """Which of its segments; the whole model if none is chosen."""
    return Choice(
        "segment", f"driftbell_window_events{{{model}}}", several=True, all_is=WHOLE_MODEL,
        title="segment (All: no segment, the whole model)",
    )  # fmt: skip


def windows(model: str) -> Choice:
    """Which kinds of windows."""
    return Choice("window", f"driftbell_window_events{{{model}}}", several=True)


def firing(where: str) -> str:
    """Alerts that fire, once: replicas of serve export the same series."""
    return f"max by ({ALERT_LABELS}) (driftbell_alert_firing{{{where}}}) == 1"


def known(model: str) -> str:
    """A zero for each model that was ever heard of."""
    return f"0 * max by (model) (driftbell_last_event_timestamp_seconds{{{model}}})"


def over_limit(where: str) -> str:
    """Scores above their limits, each once, as alerts."""
    return f"max by ({SCORE_LABELS}) (driftbell_score{{{where}}} > driftbell_limit{{{where}}})"


def times_the_limit(where: str) -> str:
    """Scores as shares of their limits. A clause that allows nothing has the limit 0 and no such share."""
    return f"driftbell_score{{{where}}} / (driftbell_limit{{{where}}} > 0)"


def state(model: str) -> str:
    """The worst of what a model does, as one of `STATES`."""
    return (
        "max by (model) ("
        f'3 * driftbell_alert_firing{{{model}, cause="silence", segment="", feature="", severity="page"}}'
        f' or 2 * driftbell_alert_firing{{{model}, severity="page"}}'
        f' or driftbell_alert_firing{{{model}, severity="ticket"}}'
        f" or 0 * driftbell_last_event_timestamp_seconds{{{model}}})"
    )


def age(metric: str, where: str, by: str = "model") -> str:
    """Seconds since the time that a metric tells."""
    return f"time() - max by ({by}) ({metric}{{{where}}})"


def alarms(where: str) -> tuple[Annotation, ...]:
    """Pages and tickets while they fire."""
    text = "{{segment}} {{version}} (model {{model}})"
    return tuple(
        Annotation(
            name,
            f'max by ({ALERT_LABELS}) (driftbell_alert_firing{{{where}, severity="{severity}"}})',
            "{{cause}} {{feature}}",
            text,
            colour,
        )
        for name, severity, colour in (("Pages", "page", "red"), ("Tickets", "ticket", "yellow"))
    )
