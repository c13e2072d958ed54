"""Asks a Prometheus what Grafana would ask it: dashboards' queries with their variables filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from deploy.grafana.panels import Choice, Dashboard

Chosen = Mapping[str, str]


def quoted(value: str) -> str:
    """A single value as Grafana writes it between double quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"')


def quoted_pattern(value: str) -> str:
    """One of several values as Grafana writes it: its signs are no pattern, and the pattern is in quotes."""
    escaped = value.replace("\\", "\\\\\\\\").replace('"', '\\\\\\"')
    return re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", escaped)


def filled(expression: str, chosen: Chosen) -> str:
    """The expression with what is chosen; a short stretch where Grafana takes four scrapes."""
    values = {**chosen, "__rate_interval": "10s"}
    return re.sub(r"\$(\w+)", lambda found: values[found[1]], expression)


class NothingOfferedError(LookupError):
    """A variable has no values to choose from."""


class Asked:
    """A Prometheus over the time since `start_s`."""

    def __init__(self, url: str, start_s: float, end_s: float, step_s: float = 2.0) -> None:
        self._client = httpx.Client(base_url=url, timeout=30)
        self._span = {"start": start_s, "end": end_s}
        self._step_s = step_s

    def values(self, choice: Choice, chosen: Chosen) -> list[str]:
        """What a variable offers."""
        match = {"match[]": filled(choice.selector, chosen)}
        found: list[str] = self._get(f"label/{choice.label}/values", match | self._span)
        return found

    def has_data(self, expression: str) -> bool:
        """Whether the expression has a value that is a number at any time."""
        asked = {"query": expression, "step": self._step_s} | self._span
        series = self._get("query_range", asked)["result"]
        return any(value != "NaN" for one in series for _, value in one["values"])

    def choices(self, dashboard: Dashboard) -> Iterator[Chosen]:
        """Every way to choose single values, with All where several may be chosen."""
        yield from self._choices(dashboard.choices, {})

    def _choices(self, left: tuple[Choice, ...], chosen: Chosen) -> Iterator[Chosen]:
        if not left:
            yield chosen
            return
        choice, *others = left
        offered = self.values(choice, chosen)
        if not offered:
            raise NothingOfferedError(f"variable {choice.label}: {filled(choice.selector, chosen)}")
        values = [choice.all_is] if choice.several else [quoted(value) for value in offered]
        for value in values:
            yield from self._choices(tuple(others), {**chosen, choice.label: value})

    def _get(self, path: str, asked: Mapping[str, Any]) -> Any:
        answer = self._client.get(f"/api/v1/{path}", params=dict(asked))
        assert answer.status_code == 200, f"{asked}: {answer.text}"
        return answer.json()["data"]


def without_data(asked: Asked, dashboard: Dashboard) -> list[str]:
    """The queries of panels and annotations without data, whatever is chosen; or the variable that offers nothing."""
    queries = {
        f"panel {p.title!r}: {q.expression}": q.expression for p in dashboard.panels() for q in p.queries
    }
    queries |= {f"annotation {one.name!r}": one.expression for one in dashboard.annotations}
    missing = dict(queries)
    try:
        for chosen in asked.choices(dashboard):
            missing = {name: e for name, e in missing.items() if not asked.has_data(filled(e, chosen))}
            if not missing:
                break
    except NothingOfferedError as why:
        return [f"{dashboard.name}: {why}"]
    return [f"{dashboard.name}: {name}" for name in missing]
