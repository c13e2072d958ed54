"""The dashboard of one feature: its scores against their limits, what is missing of it, and what rings about it."""

from __future__ import annotations

from deploy.grafana import links
from deploy.grafana.expressions import (
    age,
    alarms,
    firing,
    known,
    models,
    segments,
    times_the_limit,
    versions,
    windows,
)
from deploy.grafana.panels import Choice, Column, Dashboard, Panel, Query, Row, Word

_MODEL = models(several=False)
_M = _MODEL.chosen
_FEATURE = Choice("feature", f"driftbell_score{{{_M}}}")
_F = f"{_M}, {_FEATURE.chosen}"
_METHOD = Choice("method", f"driftbell_score{{{_F}}}", several=True)
_VERSION, _SEGMENT, _WINDOW = versions(_M), segments(_M), windows(_M)
_PLACES = f"{_F}, {_VERSION.chosen}, {_WINDOW.chosen}"
_OF = f"{_PLACES}, {_SEGMENT.chosen}"
_BY = "max by (method, version, segment, window)"
_NAMED = "{{method}} {{version}} {{segment}} {{window}}"
_KNOWN = known(_M)
_LINKS = (
    links.feature_page(links.chosen("model"), links.chosen("feature")),
    links.model_dashboard(links.chosen("model")),
    links.INCIDENTS,
)

SCORES = Row(
    "$feature of $model",
    (
        Panel(
            "Worst score / limit", "Above 1 a limit is passed.", (Query(f"max({times_the_limit(_OF)})"),),
            kind="stat", width=4, height=6, red_from=1, links=_LINKS,
        ),
        Panel(
            "Alerts", "That fire about this feature, in any segment.",
            (Query(f"count({firing(_F)}) or on () {_KNOWN}"),),
            kind="stat", width=4, height=6, red_from=1, links=_LINKS,
        ),
        Panel(
            "What rings", "Each alert about this feature; an empty table is good.",
            (Query(firing(_F), instant=True),),
            kind="table", width=16, height=6,
            columns=(
                Column("severity", "severity"), Column("cause", "cause", links=(links.INCIDENTS,)),
                Column("segment", "segment"), Column("version", "version"),
            ),
        ),
        Panel(
            "Score / limit by method", "As a share of its limit: from 1 on it is passed.",
            (Query(f"{_BY} ({times_the_limit(f'{_OF}, {_METHOD.chosen}')})", _NAMED),),
            width=24, height=9, red_from=1, stretched=True, links=_LINKS,
        ),
        Panel(
            "Scores and limits", "In the unit of the method; the dashed line is the score's limit.",
            (
                Query(f"{_BY} (driftbell_score{{{_OF}, {_METHOD.chosen}}})", f"{_NAMED} score"),
                Query(f"{_BY} (driftbell_limit{{{_OF}, {_METHOD.chosen}}})", f"{_NAMED} limit", dashed=True),
            ),
            width=24, height=9, links=_LINKS,
        ),
    ),
)  # fmt: skip

PLACES = Row(
    "Where",
    (
        Panel(
            "By segment", "The worst score / limit of each segment, whichever is chosen above; the ten worst.",
            (Query(f"topk(10, max by (segment) ({times_the_limit(_PLACES)}))", "{{segment}}"),),
            red_from=1, stretched=True, links=_LINKS,
        ),
        Panel(
            "By version", "The worst score / limit of each version of the model.",
            (Query(f"max by (version) ({times_the_limit(_OF)})", "{{version}}"),),
            red_from=1, stretched=True, links=_LINKS,
        ),
        Panel(
            "Missing by kind", "Absent, null, NaN, infinite, empty and wrong type are six different things.",
            (Query(
                f"max by (kind, version, segment, window) (driftbell_missing_ratio{{{_OF}}})",
                "{{kind}} {{version}} {{segment}} {{window}}",
            ),),
            unit="percentunit", links=_LINKS,
        ),
        Panel(
            "Rows", "Events in the windows that the scores are of: few rows need a large change to ring.",
            (Query(
                f"max by (version, segment, window) (driftbell_window_events"
                f"{{{_M}, {_VERSION.chosen}, {_WINDOW.chosen}, {_SEGMENT.chosen}}})",
                "{{version}} {{segment}} {{window}}",
            ),),
        ),
        Panel(
            "Alerts over time", "A band an alert, while it fires.",
            (Query(
                f"max by (cause, severity, segment, version) (driftbell_alert_firing{{{_F}}}) or on () {_KNOWN}",
                "{{severity}} {{cause}} {{segment}} {{version}}",
            ),),
            kind="state-timeline", width=16, words=(Word(0, "quiet", "green"), Word(1, "fires", "red")), links=_LINKS,
        ),
        Panel(
            "Time since the last event", "Without events nothing here can be news.",
            (Query(age("driftbell_last_event_timestamp_seconds", _M), "{{model}}"),), unit="s", width=8,
        ),
    ),
)  # fmt: skip

DASHBOARD = Dashboard(
    "feature",
    "driftbell / feature",
    "One feature of a model: its scores against their limits, what is missing of it, and what rings about it.",
    (_MODEL, _FEATURE, _METHOD, _VERSION, _SEGMENT, _WINDOW),
    alarms(_F),
    (SCORES, PLACES),
)
