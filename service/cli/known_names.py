"""Names that people type, held against those that there are: that nothing is known of a misspelt one is no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detectors.performance.catalogue import OF_A_CLASS, OF_ALL_CLASSES, OF_SCORES
from detectors.performance.realized_regression import OF_ERRORS
from service.dead_letters.readable import visible
from service.errors import ConfigurationError
from service.parsers import nearest
from service.store.engine import transaction
from service.store.latest_version import latest_version
from service.store.queries import find_monitor, model_names, topic_names

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Engine

    from service.configuration import ModelVersion

_METRICS = (*OF_ALL_CLASSES, *OF_A_CLASS, *OF_SCORES, *OF_ERRORS)
_MOST_MODELS = 2_000


def no_model(connection: Connection, model: str) -> ConfigurationError:
    """There is none; which was probably meant."""
    advice = "`driftbell export` shows the monitors that there are"
    return _unknown("model", model, model_names(connection, _MOST_MODELS), advice)


def require_model(connection: Connection, model: str) -> None:
    """Raises ConfigurationError for a model without a monitor."""
    if find_monitor(connection, model) is None:
        raise no_model(connection, model)


def known_version(engine: Engine, model: str) -> ModelVersion:
    """The newest version of a model's monitor. Raises ConfigurationError when there is no such model."""
    version = latest_version(engine, model)
    if version is None:
        with transaction(engine) as connection:
            raise no_model(connection, model)
    return version


def require_topic(connection: Connection, topic: str) -> None:
    """Raises ConfigurationError for a topic that no collector has read."""
    known = topic_names(connection)
    if topic not in known:
        read = ", ".join(map(visible, known)) or "none"
        raise _unknown("topic", topic, known, f"those that were read: {read}")


def require_metric(metric: str) -> None:
    """Raises ConfigurationError for a metric that no task has."""
    if metric not in _METRICS:
        raise _unknown("metric", metric, _METRICS, f"there are {', '.join(_METRICS)}")


def _unknown(what: str, name: str, known: Collection[str], advice: str) -> ConfigurationError:
    meant = nearest(name, known)
    guess = "" if meant is None else f" did you mean {visible(meant)!r}?"
    return ConfigurationError(f"there is no {what} {visible(name)!r};{guess} {advice}")
