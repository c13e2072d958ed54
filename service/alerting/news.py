"""What of some alert changes nobody was told yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from service.messages import Alert, Cause, Severity, State


class Told(NamedTuple):
    """What people know of an alert."""

    state: State
    cause: Cause
    severity: Severity

    @classmethod
    def of(cls, alert: Alert) -> Told:
        """What an alert tells."""
        return cls(alert.state, alert.cause, alert.severity)


def untold(told: Mapping[str, Told], alerts: Sequence[Alert]) -> list[Alert]:
    """The changes that are news, given what was told last of each alert, by id.

    A restated window folds again what was told before: that is all up to an alert's last change into what was told.
    An alert that was withdrawn and fires again is news again, and so is one whose cause is better known.
    """
    told_at = {a.id: i for i, a in enumerate(alerts) if told.get(a.id) == Told.of(a)}
    return [a for i, a in enumerate(alerts) if i > told_at.get(a.id, -1)]
