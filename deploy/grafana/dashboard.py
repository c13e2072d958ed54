#!/usr/bin/env python3
"""Writes driftbell's Grafana dashboard.

    python deploy/grafana/dashboard.py            writes deploy/grafana/dashboards/driftbell.json
    python deploy/grafana/dashboard.py --check    only says whether the written file is up to date

Needs nothing but Python. ROWS is the whole dashboard, the rest is Grafana's wording.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WRITTEN = Path(__file__).parent / "dashboards" / "driftbell.json"
GRID_COLUMNS = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

# Series without a segment or feature carry the empty label, hence `.*` and not `.+` for All.
OF_MODEL_ALONE = '{model=~"$model"}'
OF_VERSION = 'model=~"$model", version=~"$version"'
OF_MODEL = f'{OF_VERSION}, segment=~"$segment"'
OF_WINDOW = f'{OF_MODEL}, window=~"$window"'
OF_FEATURE = f'{OF_WINDOW}, feature=~"$feature"'

# Replicas of serve export the same series: `max` makes one of them.
BY_ALERT = "max by (model, version, segment, feature, cause, severity)"
BY_SCORE = "max by (model, segment, feature, method, window)"
AGE_OF_VERSION = "time() - max by (model, version)"
AGE_OF_WINDOW = "time() - max by (model, window)"

# A zero for what has no series while all is well; with serve down "no data" is the truth.
ZERO_IF_ALIVE = '0 * max(up{job="driftbell-serve"} == 1)'

Json = dict[str, Any]


@dataclass(frozen=True)
class Query:
    expression: str
    legend: str = ""
    instant: bool = False


@dataclass(frozen=True)
class Panel:
    title: str
    explanation: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    red_from: float | None = None


@dataclass(frozen=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Variable:
    """A choice at the top of the page: the values of one label in the series of one metric."""

    label: str
    metric: str


VARIABLES = (
    Variable("model", "driftbell_last_event_timestamp_seconds"),
    Variable("version", 'driftbell_last_event_timestamp_seconds{model=~"$model"}'),
    Variable("segment", 'driftbell_score{model=~"$model", version=~"$version"}'),
    Variable("feature", 'driftbell_score{model=~"$model", version=~"$version"}'),
    Variable("window", 'driftbell_window_events{model=~"$model", version=~"$version"}'),
)

ALERTS = Row(
    "What rings",
    (
        Panel(
            "Alerts firing",
            "Alerts that last now, pages and tickets.",
            (Query(f"sum({BY_ALERT} (driftbell_alert_firing{{{OF_MODEL}}})) or {ZERO_IF_ALIVE}"),),
            kind="stat",
            width=4,
            red_from=1,
        ),
        Panel(
            "What and where",
            "Each alert with its cause; empty is good.",
            (Query(f"{BY_ALERT} (driftbell_alert_firing{{{OF_MODEL}}}) == 1", instant=True),),
            kind="table",
            width=14,
        ),
        Panel(
            "False-alarm budget spent",
            "Pages rung as a share of the pages allowed. Above 100 % the model rings too often.",
            (Query(f"max by (model) (driftbell_false_alarm_budget_ratio{OF_MODEL_ALONE})", "{{model}}"),),
            kind="bargauge",
            unit="percentunit",
            width=6,
            red_from=1,
        ),
        Panel(
            "Incidents",
            "Incidents of the budget's period, by what people said of them. Marks come from the API and the CLI.",
            (
                Query(
                    'max by (model, severity, state, verdict) (driftbell_incidents{model=~"$model"})',
                    "{{model}} {{severity}} {{state}} {{verdict}}",
                ),
            ),
        ),
        Panel(
            "False pages promised and observed",
            "What the budget allows in its period, and how many pages were marked false in it.",
            (
                Query(
                    f"max by (model) (driftbell_false_alarm_budget_pages{OF_MODEL_ALONE})",
                    "{{model}} promised",
                ),
                Query(
                    f"max by (model) (driftbell_false_alarm_budget_ratio{OF_MODEL_ALONE})"
                    f" * max by (model) (driftbell_false_alarm_budget_pages{OF_MODEL_ALONE})",
                    "{{model}} observed",
                ),
            ),
        ),
    ),
)

DRIFT = Row(
    "Drift",
    (
        Panel(
            "Score / limit per feature",
            "Drift as a share of its limit: above 1 the limit is passed. The twenty worst.",
            (
                Query(
                    f"topk(20, {BY_SCORE} (driftbell_score{{{OF_FEATURE}}} / driftbell_limit))",
                    "{{model}} {{segment}} {{feature}} {{method}} {{window}}",
                ),
            ),
            width=24,
            height=10,
            red_from=1,
        ),
        Panel(
            "Scores",
            "Larger is more drift, in the unit of its method.",
            (
                Query(
                    f"{BY_SCORE} (driftbell_score{{{OF_FEATURE}}})",
                    "{{model}} {{segment}} {{feature}} {{method}} {{window}}",
                ),
            ),
        ),
        Panel(
            "Limits",
            "What a score may reach: follows from the budget, the sample size and the number of tests.",
            (
                Query(
                    f"{BY_SCORE} (driftbell_limit{{{OF_FEATURE}}})",
                    "{{model}} {{segment}} {{feature}} {{method}} {{window}}",
                ),
            ),
        ),
    ),
)

QUALITY = Row(
    "Data quality and performance",
    (
        Panel(
            "Missing by kind",
            "Absent, null, NaN, infinite, empty and wrong type are six different things.",
            (
                Query(
                    f"max by (model, feature, kind) (driftbell_missing_ratio{{{OF_FEATURE}}}) > 0",
                    "{{model}} {{feature}} {{kind}}",
                ),
            ),
            unit="percentunit",
        ),
        Panel(
            "Performance",
            "Estimated without labels, realized once they come. A gap between the two is news in itself.",
            (
                Query(
                    f"max by (model, version, segment, metric, basis) (driftbell_performance{{{OF_MODEL}}})",
                    "{{model}} {{version}} {{segment}} {{metric}} {{basis}}",
                ),
            ),
        ),
        Panel(
            "Label coverage",
            "Share of predictions whose label has come.",
            (
                Query(
                    f"max by (model, version, segment) (driftbell_label_coverage_ratio{{{OF_MODEL}}})",
                    "{{model}} {{version}} {{segment}}",
                ),
            ),
            unit="percentunit",
        ),
        Panel(
            "Events in a window",
            "How many events the last finished window holds.",
            (
                Query(
                    f"max by (model, version, segment, window) (driftbell_window_events{{{OF_WINDOW}}})",
                    "{{model}} {{version}} {{segment}} {{window}}",
                ),
            ),
        ),
    ),
)

SILENCE = Row(
    "Silence",
    (
        Panel(
            "Time since the last event",
            "A line that climbs is a model nobody uses, or nobody logs.",
            (
                Query(
                    f"{AGE_OF_VERSION} (driftbell_last_event_timestamp_seconds{{{OF_VERSION}}})",
                    "{{model}} {{version}}",
                ),
            ),
            unit="s",
            width=8,
        ),
        Panel(
            "Time since the last label",
            "Without labels performance is only estimated.",
            (
                Query(
                    f"{AGE_OF_VERSION} (driftbell_last_label_timestamp_seconds{{{OF_VERSION}}})",
                    "{{model}} {{version}}",
                ),
            ),
            unit="s",
            width=8,
        ),
        Panel(
            "Age of the last finished window",
            "Saw teeth as high as the window and its lateness are healthy; a line that climbs is not.",
            (
                Query(
                    f"{AGE_OF_WINDOW} (driftbell_window_end_timestamp_seconds{{{OF_WINDOW}}})",
                    "{{model}} {{window}}",
                ),
            ),
            unit="s",
            width=8,
        ),
    ),
)

PIPELINE = Row(
    "Pipeline",
    (
        Panel(
            "Events by outcome",
            "Every record ends in exactly one of accepted, duplicate, late, dead, tombstone.",
            (Query("sum by (outcome) (rate(driftbell_events_total[$__rate_interval]))", "{{outcome}}"),),
            unit="ops",
        ),
        Panel(
            "Consumer lag",
            "Records in Kafka that no collector has read yet.",
            (Query("sum by (topic, partition) (driftbell_consumer_lag_records)", "{{topic}} {{partition}}"),),
        ),
        Panel(
            "Dead letters by reason",
            "Records that could not be read, kept with their reason.",
            (Query("sum by (reason) (rate(driftbell_dead_letters_total[$__rate_interval]))", "{{reason}}"),),
            unit="ops",
        ),
        Panel(
            "Commits by outcome",
            "Anything but `committed` is rare; `halted` waits for a person.",
            (
                Query(
                    "sum by (job, outcome) (rate(driftbell_commits_total[$__rate_interval]))",
                    "{{job}} {{outcome}}",
                ),
            ),
            unit="ops",
        ),
        Panel(
            "Records lost in an hour",
            "Deleted by the topic's retention before they were read, or taken back by the log after.",
            (
                Query(
                    "sum(increase(driftbell_records_lost_total[1h]))"
                    f" + sum(increase(driftbell_records_truncated_total[1h])) or {ZERO_IF_ALIVE}"
                ),
            ),
            kind="stat",
            width=6,
            red_from=1,
        ),
        Panel(
            "Series left out",
            "More series than the limit allows: the quietest are not shown.",
            (Query(f"max(driftbell_series_dropped) or {ZERO_IF_ALIVE}"),),
            kind="stat",
            width=6,
            red_from=1,
        ),
        Panel(
            "What runs",
            "Processes and their versions.",
            (Query("max by (job, instance, version) (driftbell_build_info)", instant=True),),
            kind="table",
            width=12,
        ),
    ),
)

ROWS = (ALERTS, DRIFT, QUALITY, SILENCE, PIPELINE)


def expressions() -> list[str]:
    """Return every PromQL expression of the dashboard, those of its variables included."""
    of_panels = [query.expression for row in ROWS for panel in row.panels for query in panel.queries]
    return [*of_panels, *(variable.metric for variable in VARIABLES)]


def dashboard() -> Json:
    """Return the dashboard as Grafana reads it."""
    return {
        "uid": "driftbell",
        "title": "driftbell",
        "description": "Written by deploy/grafana/dashboard.py; changes made here are lost.",
        "tags": ["driftbell"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_datasource_variable(), *map(_label_variable, VARIABLES)]},
        "annotations": {"list": [_alerts_annotation()]},
        "links": [],
        "panels": _laid_out(ROWS),
    }


def rendered() -> str:
    """Return the text of the written file."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def _datasource_variable() -> Json:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _label_variable(variable: Variable) -> Json:
    query = f"label_values({variable.metric}, {variable.label})"
    return {
        "name": variable.label,
        "label": variable.label,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": variable.label},
        "refresh": 2,
        "sort": 1,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def _alerts_annotation() -> Json:
    return {
        "name": "Pages",
        "datasource": DATASOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": 'ALERTS{alertname=~"Driftbell.+", alertstate="firing", severity="page"}',
        "titleFormat": "{{alertname}}",
        "textFormat": "{{model}} {{cause}} {{feature}}",
    }


def _laid_out(rows: tuple[Row, ...]) -> list[Json]:
    placed: list[Json] = []
    top = 0
    for row in rows:
        placed.append(
            {
                "id": len(placed) + 1,
                "type": "row",
                "title": row.title,
                "collapsed": False,
                "panels": [],
                "gridPos": {"x": 0, "y": top, "w": GRID_COLUMNS, "h": 1},
            }
        )
        top += 1
        left = tallest = 0
        for panel in row.panels:
            if left + panel.width > GRID_COLUMNS:
                top, left, tallest = top + tallest, 0, 0
            position = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            placed.append({"id": len(placed) + 1, "gridPos": position, **_panel(panel)})
            left, tallest = left + panel.width, max(tallest, panel.height)
        top += tallest
    return placed


def _panel(panel: Panel) -> Json:
    described = {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.explanation,
        "datasource": DATASOURCE,
        "targets": [
            _target(query, ref, panel.kind) for query, ref in zip(panel.queries, "ABCDEFGH", strict=False)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel.kind),
    }
    if panel.kind == "table":
        described["transformations"] = [
            {"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}},
        ]
    return described


def _defaults(panel: Panel) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if panel.red_from is not None:
        steps.append({"color": "red", "value": panel.red_from})
    defaults: Json = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind == "timeseries":
        # A gap stays a gap: what is not there must not look like what was there before.
        custom: Json = {"spanNulls": False, "lineWidth": 1, "fillOpacity": 0, "showPoints": "auto"}
        if panel.red_from is not None:
            custom["thresholdsStyle"] = {"mode": "line"}
        defaults["custom"] = custom
    if panel.kind in {"timeseries", "bargauge"} and panel.unit != "s":
        defaults["min"] = 0
    return defaults


def _options(kind: str) -> Json:
    if kind == "timeseries":
        return {
            "legend": {"displayMode": "table", "placement": "right", "calcs": ["lastNotNull"]},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    if kind == "table":
        return {"showHeader": True}
    reduced: Json = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    return reduced | ({"orientation": "horizontal"} if kind == "bargauge" else {"colorMode": "background"})


def _target(query: Query, ref_id: str, kind: str) -> Json:
    return {
        "refId": ref_id,
        "datasource": DATASOURCE,
        "expr": query.expression,
        "legendFormat": query.legend or "__auto",
        "instant": query.instant,
        "range": not query.instant,
        "format": "table" if kind == "table" else "time_series",
    }


def main(arguments: list[str]) -> int:
    """Write the dashboard, or with ``--check`` return 1 when the written one is not up to date."""
    if "--check" in arguments:
        return int(not WRITTEN.exists() or WRITTEN.read_text(encoding="utf-8") != rendered())
    WRITTEN.parent.mkdir(parents=True, exist_ok=True)
    WRITTEN.write_text(rendered(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
