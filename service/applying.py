"""Monitors as a person writes them, held against what is stored: every mistake at once, each with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detectors.catalogue import NUMERIC
from service.contract.names import unknown_names
from service.errors import FormatError
from service.monitor_file import line_of, read_monitors
from service.monitor_yaml import Mistake

if TYPE_CHECKING:
    from service.monitor import Monitor
    from service.reference.profile import ReferenceProfile

Profiles = Callable[[str], "ReferenceProfile | None"]


@dataclass(frozen=True, slots=True)
class Written:
    """The monitors of a text, or the mistakes in the order of their lines."""

    monitors: tuple[Monitor, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is wrong with a monitor that can be read, and below which keys of it."""

    model: str
    keys: tuple[str, ...]
    sentence: str


def read_text(text: str, stored: Profiles) -> Written:
    """The monitors of a text whose references are stored ones."""
    monitors, mistakes = read_monitors(text)
    if mistakes:
        return Written((), mistakes)
    doubts = [doubt for one in monitors for doubt in (*doubts_of(one), *_of_reference(one, stored))]
    if not doubts:
        return Written(monitors)
    found = [Mistake(line_of(text, d.model, *d.keys), f"model {d.model!r} {d.sentence}") for d in doubts]
    return Written((), tuple(sorted(found, key=lambda mistake: mistake.line)))


def doubts_of(monitor: Monitor) -> Iterator[Doubt]:
    """What is wrong with it whatever its reference is: methods that there are not."""
    known = ", ".join(sorted(NUMERIC))
    named = [(("methods",), monitor.methods or ())] + [
        (("features", name, "methods"), one.methods or ()) for name, one in monitor.features.items()
    ]
    for keys, methods in named:
        for method in sorted({*methods} - NUMERIC.keys()):
            yield Doubt(monitor.model, keys, f"there is no method {method!r}; methods are {known}")


def doubts_about(monitor: Monitor, profile: ReferenceProfile) -> Iterator[Doubt]:
    """What is wrong with it beside its reference."""
    if profile.model != monitor.model:
        said = f"the reference {profile.name!r} was built for model {profile.model!r}"
        yield Doubt(monitor.model, ("reference",), said)
    if monitor.contract is not None:
        for said in unknown_names(monitor.contract, profile.grid):
            yield Doubt(monitor.model, ("contract", "rules"), said)


def _of_reference(monitor: Monitor, stored: Profiles) -> Iterator[Doubt]:
    if not monitor.reference:
        return
    try:
        profile = stored(monitor.reference)
    except FormatError as why:
        yield Doubt(
            monitor.model, ("reference",), f"the reference {monitor.reference!r} cannot be read: {why}"
        )
        return
    if profile is None:
        said = f"there is no reference {monitor.reference!r}; upload one, learn one, or leave the key out"
        yield Doubt(monitor.model, ("reference",), said)
    else:
        yield from doubts_about(monitor, profile)
