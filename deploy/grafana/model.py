"""The dashboard of one model: what drifts, how well it answers, and whether anything comes at all."""

from __future__ import annotations

from deploy.grafana import links
from deploy.grafana.expressions import (
    STATES,
    age,
    alarms,
    firing,
    known,
    models,
    over_limit,
    segments,
    state,
    times_the_limit,
    versions,
    windows,
)
from deploy.grafana.panels import Choice, Column, Dashboard, Panel, Query, Row

_MODEL = models(several=False)
_M = _MODEL.chosen
_VERSION, _SEGMENT, _WINDOW = versions(_M), segments(_M), windows(_M)
_METRIC = Choice("metric", f"driftbell_performance{{{_M}}}", title="performance metric")
_SLICE = f"{_M}, {_VERSION.chosen}, {_SEGMENT.chosen}"
_OF = f"{_SLICE}, {_WINDOW.chosen}"
_FEATURES = f'{_OF}, feature!=""'
_WHOLE = f'{_OF}, feature=""'
_KNOWN = known(_M)
_PLACE = "{{version}} {{segment}} {{window}}"
_HERE = links.chosen("model")
_TO_FEATURE = (
    links.feature_dashboard(_HERE, links.of_series("feature")),
    links.feature_page(_HERE, links.of_series("feature")),
)
_ROW_TO_FEATURE = (
    links.feature_dashboard(_HERE, links.of_row("feature")),
    links.feature_page(_HERE, links.of_row("feature")),
)
_TO_MODEL = (links.model_page(_HERE), links.INCIDENTS)

NOW = Row(
    "Now",
    (
        Panel(
            "State", "The worst that it does: fine, ticket, PAGE or SILENT.", (Query(state(_M)),),
            kind="stat", width=4, height=5, words=STATES, links=_TO_MODEL,
        ),
        Panel(
            "Worst score / limit", "Above 1 a limit is passed.", (Query(f"max({times_the_limit(_M)})"),),
            kind="stat", width=4, height=5, red_from=1, links=_TO_MODEL,
        ),
        Panel(
            "Last event, ago", "Event time of the last prediction until now.",
            (Query(age("driftbell_last_event_timestamp_seconds", _M)),), kind="stat", unit="s", width=4, height=5,
        ),
        Panel(
            "Last label, ago", "Event time of the last label until now.",
            (Query(age("driftbell_last_label_timestamp_seconds", _M)),), kind="stat", unit="s", width=4, height=5,
        ),
        Panel(
            "Budget spent", "Pages marked false, as a share of the pages allowed.",
            (Query(f"max(driftbell_false_alarm_budget_ratio{{{_M}}})"),),
            kind="stat", unit="percentunit", width=4, height=5, red_from=1, links=(links.INCIDENTS,),
        ),
        Panel(
            "False pages allowed", "In the budget's period.",
            (Query(f"max(driftbell_false_alarm_budget_pages{{{_M}}})"),), kind="stat", width=4, height=5,
        ),
        Panel(
            "What rings", "Each alert with its cause and place, of all segments; an empty table is good.",
            (Query(firing(_M), instant=True),),
            kind="table", width=24,
            columns=(
                Column("severity", "severity"),
                Column("cause", "cause", links=(links.INCIDENTS,)),
                Column("feature", "feature", links=_ROW_TO_FEATURE),
                Column("segment", "segment"),
                Column("version", "version"),
            ),
        ),
    ),
)  # fmt: skip

DRIFT = Row(
    "Drift",
    (
        Panel(
            "Score / limit by feature",
            "The worst of its methods, versions and windows, as a share of its limit: from 1 on it is passed.",
            (Query(f"max by (feature) ({times_the_limit(_FEATURES)})", "{{feature}}"),),
            kind="status-history", width=24, height=12, red_from=1, links=_TO_FEATURE,
        ),
        Panel(
            "The twenty worst", "Score / limit by feature and method.",
            (Query(
                f"topk(20, max by (feature, method, version, segment, window) ({times_the_limit(_OF)}))",
                "{{feature}} {{method}} " + _PLACE,
            ),),
            width=24, height=10, red_from=1, stretched=True, links=_TO_FEATURE,
        ),
        Panel(
            "By segment", "The worst score / limit of each segment, whichever is chosen above; the ten worst.",
            (Query(
                f'topk(10, max by (segment) ({times_the_limit(f"{_M}, {_VERSION.chosen}, {_WINDOW.chosen}")}))',
                "{{segment}}",
            ),),
            red_from=1, stretched=True, links=_TO_MODEL,
        ),
        Panel(
            "Scores over their limit", "How many features and methods are over it at once, by window.",
            (Query(f"count by (window) ({over_limit(_OF)}) or on () {_KNOWN}", "{{window}}"),),
            links=_TO_MODEL,
        ),
        Panel(
            "Missing values", "The ten features that are missing most, by kind: absent, null, NaN and so on.",
            (Query(
                f"topk(10, max by (feature, kind) (driftbell_missing_ratio{{{_OF}}}) > 0) or on () {_KNOWN}",
                "{{feature}} {{kind}}",
            ),),
            unit="percentunit", width=24, links=_TO_FEATURE,
        ),
    ),
)  # fmt: skip

PERFORMANCE = Row(
    "Performance",
    (
        Panel(
            "Performance: $metric",
            "realized: by labels; estimated: before they come, if there is no concept drift; usual, last, seasonal:"
            " what a naive model would have made of the labels. A model worse than those is of no use.",
            (Query(
                f"max by (basis, version, segment, window) (driftbell_performance{{{_OF}, {_METRIC.chosen}}})",
                "{{basis}} " + _PLACE,
            ),),
            width=16, height=10, links=_TO_MODEL,
        ),
        Panel(
            "All metrics", "The newest of each metric and basis.",
            (Query(
                f"max by (metric, basis, version, segment, window) (driftbell_performance{{{_OF}}})", instant=True
            ),),
            kind="table", width=8, height=10,
            columns=(
                Column("metric", "metric"), Column("basis", "basis"), Column("window", "window"),
                Column("segment", "segment"), Column("version", "version"), Column("Value", "value"),
            ),
        ),
        Panel(
            "Performance / limit", "How far realized performance fell, as a share of what rings.",
            (Query(
                f"max by (method, version, segment, window) ({times_the_limit(_WHOLE)})",
                "{{method}} " + _PLACE,
            ),),
            width=8, red_from=1, stretched=True, links=_TO_MODEL,
        ),
        Panel(
            "Label coverage", "Share of the newest ripe window's predictions that have a label.",
            (Query(f"max by (version, segment, window) (driftbell_label_coverage_ratio{{{_OF}}})", _PLACE),),
            unit="percentunit", width=8,
        ),
        Panel(
            "Label delay", "By when half, nine in ten and 99 in 100 of the labels have come.",
            (Query(f"max by (quantile) (driftbell_label_delay_seconds{{{_M}}})", "{{quantile}}"),),
            unit="s", width=8,
        ),
    ),
)  # fmt: skip

VOLUME = Row(
    "Volume and silence",
    (
        Panel(
            "Events in the newest window", "Of what is chosen above.",
            (Query(f"max by (version, segment, window) (driftbell_window_events{{{_OF}}})", _PLACE),),
            links=_TO_MODEL,
        ),
        Panel(
            "Time since the last event and label", "A line that climbs is a model nobody uses, or nobody logs.",
            (
                Query(age("driftbell_last_event_timestamp_seconds", _M), "event"),
                Query(age("driftbell_last_label_timestamp_seconds", _M), "label"),
            ),
            unit="s",
        ),
        Panel(
            "Age of the last finished window",
            "Saw teeth as high as the window and its lateness are healthy; a line that climbs is not.",
            (Query(age("driftbell_window_end_timestamp_seconds", _OF, "window"), "{{window}}"),),
            unit="s",
        ),
        Panel(
            "Incidents of the budget's period", "By what people said of them: `driftbell incidents mark`.",
            (Query(
                f"sum by (severity, state, verdict) (max by (severity, state, verdict) (driftbell_incidents{{{_M}}}))"
                f" or on () {_KNOWN}",
                "{{severity}} {{state}} {{verdict}}",
            ),),
            links=(links.INCIDENTS,),
        ),
    ),
)  # fmt: skip

DASHBOARD = Dashboard(
    "model",
    "driftbell / model",
    "What drifts in one model, how well it answers, and whether anything comes at all.",
    (_MODEL, _VERSION, _SEGMENT, _WINDOW, _METRIC),
    alarms(_M),
    (NOW, DRIFT, PERFORMANCE, VOLUME),
)
