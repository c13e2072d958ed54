"""The dashboard of all models: which one is in trouble, and since when."""

from __future__ import annotations

from deploy.grafana import links
from deploy.grafana.expressions import (
    STATES,
    ZERO_IF_ALIVE,
    age,
    alarms,
    firing,
    known,
    models,
    over_limit,
    state,
    times_the_limit,
)
from deploy.grafana.panels import Column, Dashboard, Panel, Query, Row

_MODEL = models(several=True)
_OF = _MODEL.chosen
_TO_MODEL = (links.model_dashboard(links.of_series("model")), links.model_page(links.of_series("model")))
_ROW_TO_MODEL = (links.model_dashboard(links.of_row("model")), links.model_page(links.of_row("model")))
_ROW_TO_FEATURE = (
    links.feature_dashboard(links.of_row("model"), links.of_row("feature")),
    links.feature_page(links.of_row("model"), links.of_row("feature")),
)
_SILENT = f'{_OF}, cause="silence", segment="", feature=""'
_LAST_EVENT = "driftbell_last_event_timestamp_seconds"


def _firing(severity: str) -> str:
    where = f'{_OF}, severity="{severity}"'
    return f"sum({firing(where)}) or {ZERO_IF_ALIVE}"


NOW = Row(
    "Now",
    (
        Panel(
            "Pages", "Alerts that fire and wake somebody.", (Query(_firing("page")),),
            kind="stat", width=4, height=5, red_from=1, links=(links.INCIDENTS,),
        ),
        Panel(
            "Tickets", "Alerts that fire and wait for the morning.", (Query(_firing("ticket")),),
            kind="stat", width=4, height=5, links=(links.INCIDENTS,),
        ),
        Panel(
            "Silent models", "Models that send nothing for much longer than they usually do.",
            (Query(f"count(max by (model) ({firing(_SILENT)})) or {ZERO_IF_ALIVE}"),),
            kind="stat", width=4, height=5, red_from=1,
        ),
        Panel(
            "Models watched", "Models with a monitor that were ever heard of.",
            (Query(f"count(max by (model) ({_LAST_EVENT}{{{_OF}}})) or {ZERO_IF_ALIVE}"),),
            kind="stat", width=4, height=5,
        ),
        Panel(
            "Events a minute", "Records counted into panes, of all models.",
            (Query('60 * sum(rate(driftbell_events_total{outcome="accepted"}[$__rate_interval]))'),),
            kind="stat", width=4, height=5,
        ),
        Panel(
            "Budget spent, worst model", "False pages, as a share of those that the budget allows.",
            (Query(f"max(driftbell_false_alarm_budget_ratio{{{_OF}}})"),),
            kind="stat", unit="percentunit", width=4, height=5, red_from=1,
        ),
        Panel(
            "Models", "A line a model. Above 1 a score has passed its limit. A click leads on.",
            (
                Query(state(_OF), instant=True),
                Query(f"max by (model) ({times_the_limit(_OF)})", instant=True),
                Query(f"count by (model) ({firing(_OF)}) or {known(_OF)}", instant=True),
                Query(age(_LAST_EVENT, _OF), instant=True),
                Query(f"max by (model) (driftbell_false_alarm_budget_ratio{{{_OF}}})", instant=True),
            ),
            kind="table", width=24,
            columns=(
                Column("model", "model", links=_ROW_TO_MODEL),
                Column("Value #A", "state", words=STATES),
                Column("Value #B", "worst score / limit", red_from=1),
                Column("Value #C", "alerts"),
                Column("Value #D", "last event, ago", unit="s"),
                Column("Value #E", "budget spent", unit="percentunit", red_from=1),
            ),
        ),
        Panel(
            "What rings", "Each alert with its cause and place; an empty table is good.",
            (Query(firing(_OF), instant=True),),
            kind="table", width=24,
            columns=(
                Column("model", "model", links=_ROW_TO_MODEL),
                Column("severity", "severity"),
                Column("cause", "cause", links=(links.INCIDENTS,)),
                Column("feature", "feature", links=_ROW_TO_FEATURE),
                Column("segment", "segment"),
                Column("version", "version"),
            ),
        ),
    ),
)  # fmt: skip

TREND = Row(
    "Since when",
    (
        Panel(
            "State", "A band a model: fine, ticket, PAGE or SILENT.",
            (Query(state(_OF), "{{model}}"),),
            kind="state-timeline", width=24, height=6, words=STATES, links=_TO_MODEL,
        ),
        Panel(
            "Worst score / limit", "The furthest score of each model as a share of its limit: above 1 it is passed.",
            (Query(f"max by (model) ({times_the_limit(_OF)})", "{{model}}"),),
            red_from=1, stretched=True, links=_TO_MODEL,
        ),
        Panel(
            "Scores over their limit", "How many columns, methods, segments and windows are over it at once.",
            (Query(f"count by (model) ({over_limit(_OF)}) or {known(_OF)}", "{{model}}"),),
            links=_TO_MODEL,
        ),
        Panel(
            "Alerts firing", "Pages, tickets and what is only told.",
            (Query(
                f"count by (model, severity) ({firing(_OF)}) or on (model) {known(_OF)}",
                "{{model}} {{severity}}",
            ),),
            links=_TO_MODEL,
        ),
        Panel(
            "Incidents of the budget's period", "By what people said of them: `driftbell incidents mark`.",
            (Query(
                f"sum by (model, severity, verdict) (max by (model, severity, state, verdict)"
                f" (driftbell_incidents{{{_OF}}}))",
                "{{model}} {{severity}} {{verdict}}",
            ),),
            links=(links.INCIDENTS,),
        ),
        Panel(
            "False-alarm budget spent", "Pages marked false, as a share of the pages allowed.",
            (Query(f"max by (model) (driftbell_false_alarm_budget_ratio{{{_OF}}})", "{{model}}"),),
            kind="bargauge", unit="percentunit", red_from=1, links=_TO_MODEL,
        ),
        Panel(
            "False pages allowed and had", "What the budget allows in its period, and what was marked false.",
            (
                Query(
                    f"max by (model) (driftbell_false_alarm_budget_pages{{{_OF}}})", "{{model}} allowed",
                    dashed=True,
                ),
                Query(
                    f"max by (model) (driftbell_false_alarm_budget_ratio{{{_OF}}})"
                    f" * max by (model) (driftbell_false_alarm_budget_pages{{{_OF}}})",
                    "{{model}} had",
                ),
            ),
        ),
    ),
)  # fmt: skip

SILENCE = Row(
    "Silence and volume",
    (
        Panel(
            "Time since the last event", "A line that climbs is a model nobody uses, or nobody logs.",
            (Query(age(_LAST_EVENT, _OF), "{{model}}"),), unit="s", width=8, links=_TO_MODEL,
        ),
        Panel(
            "Age of the last finished window",
            "Saw teeth as high as the window and its lateness are healthy; a line that climbs is not.",
            (Query(
                age("driftbell_window_end_timestamp_seconds", _OF, "model, window"), "{{model}} {{window}}"
            ),),
            unit="s", width=8, links=_TO_MODEL,
        ),
        Panel(
            "Events in the newest window", "Of the whole model, by kind of window.",
            (Query(
                "sum by (model, window) (max by (model, window, version)"
                f' (driftbell_window_events{{{_OF}, segment=""}}))',
                "{{model}} {{window}}",
            ),),
            width=8, links=_TO_MODEL,
        ),
    ),
)  # fmt: skip

DASHBOARD = Dashboard(
    "fleet",
    "driftbell / all models",
    "Which model is in trouble, and since when.",
    (_MODEL,),
    alarms(_OF),
    (NOW, TREND, SILENCE),
)
