"""Dashboards in Grafana's wording: JSON that its provisioning reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from deploy.grafana.panels import (
    GRID_COLUMNS,
    Annotation,
    Choice,
    Column,
    Dashboard,
    Link,
    Panel,
    Query,
    Row,
    Word,
)

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
DRIFTBELL_URL = "http://127.0.0.1:8765"
TAG = "driftbell"
_REFS = "ABCDEFGH"
_OVER_TIME = {"timeseries", "state-timeline", "status-history"}

Json = dict[str, Any]


def text_of(dashboard: Dashboard) -> str:
    """The written file."""
    return json.dumps(document_of(dashboard), indent=2, ensure_ascii=False) + "\n"


def document_of(dashboard: Dashboard) -> Json:
    """The dashboard as Grafana reads it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": f"{dashboard.explanation} Written by deploy/grafana/{dashboard.name}.py; changes here are lost.",
        "tags": [TAG],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [*_given_variables(), *map(_variable, dashboard.choices)]},
        "annotations": {"list": [_annotation(one) for one in dashboard.annotations]},
        "links": [_to_the_others()],
        "panels": list(_laid_out(dashboard.rows)),
    }


# ---------------------------------------------------------------- what is chosen at the top of the page
def _given_variables() -> Iterator[Json]:
    yield {"name": "datasource", "label": "data source", "type": "datasource", "query": "prometheus"}
    yield {
        "name": "driftbell_url",
        "label": "driftbell is at",
        "type": "textbox",
        "query": DRIFTBELL_URL,
        "current": _option(DRIFTBELL_URL, DRIFTBELL_URL),
        "options": [_option(DRIFTBELL_URL, DRIFTBELL_URL)],
    }


def _variable(choice: Choice) -> Json:
    made: Json = {
        "name": choice.label,
        "label": choice.title or choice.label,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": choice.query,
        "query": {"query": choice.query, "refId": choice.label},
        "refresh": 2,
        "sort": 1,
        "multi": choice.several,
        "includeAll": choice.several,
    }
    if choice.several:
        made |= {"allValue": choice.all_is, "current": _option(["All"], ["$__all"])}
    return made


def _option(text: str | list[str], value: str | list[str]) -> Json:
    return {"selected": True, "text": text, "value": value}


def _annotation(one: Annotation) -> Json:
    return {
        "name": one.name,
        "datasource": DATASOURCE,
        "enable": True,
        "iconColor": one.colour,
        "expr": one.expression,
        "titleFormat": one.title,
        "textFormat": one.text,
    }


def _to_the_others() -> Json:
    return {
        "title": "driftbell",
        "type": "dashboards",
        "tags": [TAG],
        "icon": "external link",
        "tooltip": "",
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
    }


# ---------------------------------------------------------------- panels
def _laid_out(rows: tuple[Row, ...]) -> Iterator[Json]:
    number = top = 0
    for row in rows:
        number += 1
        yield _heading(row, number, top)
        top += 1
        left = tallest = 0
        for panel in row.panels:
            if left + panel.width > GRID_COLUMNS:
                top, left, tallest = top + tallest, 0, 0
            number += 1
            position = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            yield {"id": number, "gridPos": position, **_panel(panel)}
            left, tallest = left + panel.width, max(tallest, panel.height)
        top += tallest


def _heading(row: Row, number: int, top: int) -> Json:
    position = {"x": 0, "y": top, "w": GRID_COLUMNS, "h": 1}
    return {
        "id": number, "type": "row", "title": row.title, "collapsed": False, "panels": [], "gridPos": position,
    }  # fmt: skip


def _panel(panel: Panel) -> Json:
    targets = [_target(query, ref, panel.kind) for query, ref in zip(panel.queries, _REFS, strict=False)]
    made: Json = {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.explanation,
        "datasource": DATASOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": list(_overrides(panel))},
        "options": _options(panel),
    }
    if panel.kind == "table":
        made["transformations"] = list(_transformations(panel))
    return made


def _target(query: Query, ref: str, kind: str) -> Json:
    return {
        "refId": ref,
        "datasource": DATASOURCE,
        "expr": query.expression,
        "legendFormat": query.legend or "__auto",
        "instant": query.instant,
        "range": not query.instant,
        "format": "table" if kind == "table" else "time_series",
    }


def _defaults(panel: Panel) -> Json:
    defaults: Json = {
        "unit": panel.unit,
        "thresholds": _thresholds(panel.red_from),
        "links": [_link(one) for one in panel.links],
    }
    if panel.words:
        defaults["mappings"] = [_mapping(panel.words)]
    if panel.kind == "timeseries":
        defaults["custom"] = _lines(panel)
    else:
        defaults["color"] = {"mode": "thresholds"}
    if panel.kind in {"timeseries", "bargauge"} and panel.unit != "s":
        defaults["min"] = 0
    return defaults


def _lines(panel: Panel) -> Json:
    # A gap stays a gap: what is not there must not look like what was there before.
    lines: Json = {"spanNulls": False, "lineWidth": 1, "fillOpacity": 0, "showPoints": "auto"}
    if panel.red_from is not None:
        lines["thresholdsStyle"] = {"mode": "line"}
    if panel.stretched:
        lines["scaleDistribution"] = {"type": "symlog", "log": 10, "linearThreshold": 1}
    return lines


def _thresholds(red_from: float | None) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if red_from is not None:
        steps.append({"color": "red", "value": red_from})
    return {"mode": "absolute", "steps": steps}


def _mapping(words: tuple[Word, ...]) -> Json:
    return {
        "type": "value",
        "options": {
            str(one.value): {"text": one.text, "color": one.colour, "index": place}
            for place, one in enumerate(words)
        },
    }


def _link(one: Link) -> Json:
    return {"title": one.title, "url": one.url, "targetBlank": False}


def _overrides(panel: Panel) -> Iterator[Json]:
    for query, ref in zip(panel.queries, _REFS, strict=False):
        if query.dashed:
            dashes = {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 6]}}
            yield {"matcher": {"id": "byFrameRefID", "options": ref}, "properties": [dashes]}
    for column in panel.columns:
        properties = list(_properties(column))
        if properties:
            yield {"matcher": {"id": "byName", "options": column.title}, "properties": properties}


def _properties(column: Column) -> Iterator[Json]:
    if column.unit:
        yield {"id": "unit", "value": column.unit}
    if column.links:
        yield {"id": "links", "value": [_link(one) for one in column.links]}
    if column.words:
        yield {"id": "mappings", "value": [_mapping(column.words)]}
    if column.red_from is not None:
        yield {"id": "thresholds", "value": _thresholds(column.red_from)}
    if column.words or column.red_from is not None:
        yield {"id": "custom.cellOptions", "value": {"type": "color-text"}}


def _transformations(panel: Panel) -> Iterator[Json]:
    """One table of all queries, with the columns that are wanted, in their order."""
    names = [column.name for column in panel.columns]
    if len(panel.queries) > 1:
        yield {"id": "merge", "options": {}}
    yield {"id": "filterFieldsByName", "options": {"include": {"names": names}}}
    yield {
        "id": "organize",
        "options": {
            "excludeByName": {},
            "indexByName": {name: place for place, name in enumerate(names)},
            "renameByName": {column.name: column.title for column in panel.columns},
        },
    }


def _options(panel: Panel) -> Json:
    if panel.kind == "timeseries":
        return {
            "legend": {"displayMode": "table", "placement": "right", "calcs": ["lastNotNull"]},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    if panel.kind in _OVER_TIME:
        legend = {"displayMode": "list", "placement": "bottom"}
        return {
            "showValue": "auto",
            "rowHeight": 0.9,
            "legend": legend,
            "tooltip": {"mode": "single", "sort": "none"},
        }
    if panel.kind == "table":
        return {"showHeader": True, "cellHeight": "sm"}
    reduced: Json = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    return reduced | (
        {"orientation": "horizontal"} if panel.kind == "bargauge" else {"colorMode": "background"}
    )
