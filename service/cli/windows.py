"""Kinds of windows by the names that people type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.cli.known_names import no_model
from service.dead_letters.readable import visible
from service.errors import ConfigurationError
from service.monitor_file import parse_monitors
from service.performance.windows import judged_spec
from service.store.queries import find_monitor

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.monitor import Monitor, WindowSpec


def spec_named(monitor: Monitor, name: str) -> WindowSpec:
    """The monitor's windows of this name. Raises ConfigurationError with the names that there are."""
    found = next((spec for spec in monitor.windows if spec.name == name), None)
    if found is None:
        kinds = ", ".join(spec.name for spec in monitor.windows)
        raise ConfigurationError(
            f"{visible(monitor.model)} has no windows of {visible(name)}, but of {kinds}"
        )
    return found


def require_known(connection: Connection, model: str, window: str | None) -> None:
    """Raises ConfigurationError of a name that is misspelt: that nothing is known of it is no answer."""
    stored = find_monitor(connection, model)
    if stored is None:
        raise no_model(connection, model)
    monitor = parse_monitors(stored.monitor, f"stored monitor {visible(model)}")[0]
    if window is not None and window != judged_spec(monitor).name:
        spec_named(monitor, window)
