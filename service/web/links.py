"""The addresses of pages and of what they draw, relative to ours: written here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

Value = str | int | None


def overview_page(**chosen: Value) -> str:
    """All models; `chosen` are state, q, limit and cursor."""
    return _with("./", chosen)


def model_page(model: str, **chosen: Value) -> str:
    """The page of one model; `chosen` are version, segment, window, since and until."""
    return _with(f"models/{quote(model, safe='')}", chosen)


def feature_page(model: str, role: str, feature: str, **chosen: Value) -> str:
    """The page of one column: a feature, the prediction, the score or the label."""
    return _with("feature", {"model": model, "role": role, "feature": feature} | chosen)


def incidents_page(**chosen: Value) -> str:
    """The list of incidents; `chosen` are model and state."""
    return _with("incidents", chosen)


def incident_page(incident: str) -> str:
    """The page of one incident."""
    return f"incidents/{quote(incident, safe='')}"


def monitor_page(model: str) -> str:
    """Where the monitor of one model is looked at and changed."""
    return _with("monitors/edit", {"model": model})


def monitors_page(**chosen: Value) -> str:
    """All monitors; `chosen` is cursor."""
    return _with("monitors", chosen)


def setup_page() -> str:
    """Where a model is set up."""
    return "setup"


def pipeline_page() -> str:
    """How far the log is read."""
    return "pipeline"


def dead_letters_page(**chosen: Value) -> str:
    """The list of dead letters; `chosen` are reason, topic, since and cursor."""
    return _with("pipeline/dead-letters", chosen)


def dead_letter_page(topic: str, partition: int, offset: int) -> str:
    """The page of one dead letter."""
    return f"pipeline/dead-letters/{quote(topic, safe='')}/{partition}/{offset}"


def api(path: str, *names: str, **chosen: Value) -> str:
    """What a chart is drawn from, or a table as JSON; `names` stand in the path, whatever they hold."""
    return _with("/".join(["api/v1", path, *(quote(name, safe="") for name in names)]), chosen)


def _with(path: str, chosen: Mapping[str, Value]) -> str:
    query = urlencode({name: value for name, value in chosen.items() if value is not None})
    return f"{path}?{query}" if query else path
