"""Which messages a silence keeps from being sent, and what becomes of them when it is over."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from service.messages import State


class Letter(NamedTuple):
    """A message about an alert that waits.

    `told`: that it fires has been sent before; `superseded`: there is a later one, sent or not.
    """

    id: int
    alert: str
    state: str
    incident: str
    held: bool
    told: bool
    superseded: bool = False


class Settled(NamedTuple):
    """Ids of messages: held from now on, sent after all, and never to be sent since nobody needs to hear it now."""

    hold: tuple[int, ...] = ()
    release: tuple[int, ...] = ()
    drop: tuple[int, ...] = ()


def settle(letters: Sequence[Letter], silent: Collection[str]) -> Settled:
    """Of messages in their order, with the incidents that are silent now.

    The end of what somebody was told of is told at once. After a silence the last word on each alert goes out, and
    nothing where the alert is over that nobody had heard of. What a later word has overtaken meanwhile is never sent.
    """
    hold: list[int] = []
    release: list[int] = []
    drop: list[int] = []
    unheard: set[str] = set()
    for one in letters:
        is_silent, is_over = one.incident in silent, one.state == State.RESOLVED
        if is_over and one.told and not (one.held and one.superseded):
            release += [one.id] if one.held else []
        elif one.superseded and (one.held or is_silent):
            drop.append(one.id)
            unheard.add(one.alert)
        elif is_silent:
            hold += [] if one.held else [one.id]
        elif is_over and (one.held or one.alert in unheard):
            drop.append(one.id)
        elif one.held:
            release.append(one.id)
    return Settled(tuple(hold), tuple(release), tuple(drop))
