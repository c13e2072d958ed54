"""What changes from one monitor to the next: as lines of YAML, and as sentences for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from difflib import unified_diff
from typing import Any

from service.monitor import Budget, FeatureOverride, Monitor, format_duration, key_of, to_document
from service.monitor_file import dump_monitors


def lines_between(before: Monitor | None, after: Monitor) -> str:
    """A unified diff of the YAML of both, as it is stored; empty where nothing changes."""
    old = [] if before is None else dump_monitors([before]).splitlines(keepends=True)
    new = dump_monitors([after]).splitlines(keepends=True)
    return "".join(unified_diff(old, new, "stored", "new"))


def changes_between(before: Monitor | None, after: Monitor) -> tuple[str, ...]:
    """One sentence for each thing that changes."""
    if before is None:
        return (f"model {after.model} is watched from now on: {_watched(after)}",)
    return tuple(_changes(before, after))


def taken_by_default(monitor: Monitor) -> dict[str, object]:
    """What was not written and holds all the same, by key; plain values as YAML and JSON hold them."""
    written, usual = to_document(monitor), Monitor(monitor.model)
    return {
        key_of(one.name): _plain(one.name, value)
        for one in fields(usual)
        if one.name not in {"model", "features", "contract"} and key_of(one.name) not in written
        if (value := getattr(usual, one.name)) not in (None, ())
    }


def _plain(name: str, value: Any) -> object:
    if name.endswith("_ms"):
        return None if value is None else format_duration(value)
    if name == "windows":
        return [spec.name for spec in value]
    if value is None or isinstance(value, bool | int | float | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, tuple):
        return list(value)
    return {
        key_of(one.name): _plain(one.name, getattr(value, one.name))
        for one in fields(value)
    }  # fmt: skip


# ---------------------------------------------------------------- sentences
def _changes(before: Monitor, after: Monitor) -> Iterator[str]:
    for one in fields(after):
        old, new = getattr(before, one.name), getattr(after, one.name)
        if old != new:
            said = _SAID.get(one.name)
            yield from said(old, new) if said else _plainly(one.name, old, new)


def _plainly(name: str, old: Any, new: Any, above: str = "") -> Iterator[str]:
    if is_dataclass(new):
        for one in fields(new):
            was, is_now = getattr(old, one.name), getattr(new, one.name)
            if was != is_now:
                yield from _plainly(one.name, was, is_now, f"{key_of(name)}.")
    else:
        yield f"{above}{key_of(name)}: {_text(name, old)} becomes {_text(name, new)}"


def _text(name: str, value: Any) -> str:
    plain = _plain(name, value)
    if plain is None or plain == []:
        return "learned" if name == "silence_after_ms" else "none"
    return ", ".join(map(str, plain)) if isinstance(plain, list) else str(plain)


def _windows(old: Any, new: Any) -> Iterator[str]:
    for spec in new:
        if spec not in old:
            yield f"windows of {spec.name} are scored, too"
    for spec in old:
        if spec not in new:
            yield f"windows of {spec.name} are not scored any more"


def _pane(old: int, new: int) -> Iterator[str]:
    yield f"events are counted in panes of {format_duration(new)} instead of {format_duration(old)}"


def _budget(old: Budget, new: Budget) -> Iterator[str]:
    louder = new.false_pages / new.per_ms > old.false_pages / old.per_ms
    more = "it rings sooner and is wrong more often" if louder else "it rings later and is wrong less often"
    yield f"{budget_said(new)} instead of {budget_said(old)}: {more}"


def budget_said(budget: Budget) -> str:
    """The budget in words."""
    pages = "page" if budget.false_pages == 1 else "pages"
    return f"at most {budget.false_pages:g} false {pages} in {format_duration(budget.per_ms)}"


def _reference(old: str | None, new: str | None) -> Iterator[str]:
    if new is None:
        yield f"nothing is compared with a reference any more (it was {old}): only silence and volume ring"
    elif old is None:
        yield f"traffic is compared with the reference {new} from then on"
    else:
        yield f"the reference {new} replaces {old}"


def _segments(old: Any, new: Any) -> Iterator[str]:
    for name in new:
        if name not in old:
            yield f"each value of {name} is watched by itself, too"
    for name in old:
        if name not in new:
            yield f"{name} is not watched by segment any more"


def _features(old: Mapping[str, FeatureOverride], new: Mapping[str, FeatureOverride]) -> Iterator[str]:
    for name in sorted({*old, *new}):
        before, after = old.get(name, FeatureOverride()), new.get(name, FeatureOverride())
        if before == after:
            continue
        if after.ignore != before.ignore:
            yield f"feature {name} is {'not watched any more' if after.ignore else 'watched'}"
        for one in fields(after):
            was, is_now = getattr(before, one.name), getattr(after, one.name)
            if one.name != "ignore" and was != is_now:
                usual = "as usual" if is_now is None else _text(one.name, is_now)
                yield f"feature {name}: {one.name} becomes {usual}"


def _contract(old: Any, new: Any) -> Iterator[str]:
    if new is None:
        yield "rows are not held against a contract any more"
        return
    count = len(new.features) + len(new.rules)
    words = "is held" if old is None else "changes; rows are held"
    yield f"the contract {words} against {count} {'promise' if count == 1 else 'promises'} and rules"


_SAID: Mapping[str, Callable[[Any, Any], Iterator[str]]] = {
    "windows": _windows,
    "pane_ms": _pane,
    "budget": _budget,
    "reference": _reference,
    "segments": _segments,
    "features": _features,
    "contract": _contract,
}


def _watched(monitor: Monitor) -> str:
    windows = " and ".join(spec.name for spec in monitor.windows)
    against = f"against the reference {monitor.reference}" if monitor.reference else "without a reference"
    return f"windows of {windows}, {against}, {budget_said(monitor.budget)}"
