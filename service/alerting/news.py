"""What of some alert changes nobody was told yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.messages import Alert, State


def untold(told: Mapping[str, State], alerts: Sequence[Alert]) -> list[Alert]:
    """The changes that are news, given the state of each alert that was told last, by id.

    A restated window folds again what was told before: that is all up to an alert's last change into the told state.
    An alert that was withdrawn and fires again is news again.
    """
    told_at = {a.id: i for i, a in enumerate(alerts) if told.get(a.id) is a.state}
    return [a for i, a in enumerate(alerts) if i > told_at.get(a.id, -1)]
