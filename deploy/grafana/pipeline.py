"""The dashboard of driftbell itself: is everything read, counted, judged and shown."""

from __future__ import annotations

from deploy.grafana.expressions import ZERO_IF_ALIVE, age
from deploy.grafana.panels import Annotation, Column, Dashboard, Panel, Query, Row, Word

_RATE = "$__rate_interval"
_EVENTS = "driftbell_events_total"
_COMMITS = "driftbell_commits_total"
_FIRST_OR_MORE = "({0} unless {0} offset 1h) or increase({0}[1h])"
"""What a counter gained in an hour; increase() alone does not see the one with which a series appears."""


def _in_an_hour(counter: str) -> str:
    return f"sum({_FIRST_OR_MORE.format(counter)}) or {ZERO_IF_ALIVE}"


def _quantile(share: float, histogram: str) -> str:
    return f"histogram_quantile({share}, sum by (le, job) (rate({histogram}_bucket[{_RATE}])))"


def _times(histogram: str) -> tuple[Query, ...]:
    return (
        Query(_quantile(0.5, histogram), "half within, {{job}}"),
        Query(_quantile(0.95, histogram), "95 in 100 within, {{job}}"),
    )


NOW = Row(
    "Now",
    (
        Panel(
            "Processes down", "Targets that Prometheus cannot scrape.",
            (Query('count(up{job=~"driftbell-.+"} == 0) or 0 * count(up{job=~"driftbell-.+"})'),),
            kind="stat", width=4, height=5, red_from=1,
        ),
        Panel(
            "Lag", "Records in Kafka that no collector has read yet.",
            (Query("sum(driftbell_consumer_lag_records)"),), kind="stat", width=4, height=5,
        ),
        Panel(
            "Time to catch up", "What waits in Kafka, at the pace of the last minutes.",
            (Query(f"sum(driftbell_consumer_lag_records) / (sum(rate({_EVENTS}[{_RATE}])) > 0) or {ZERO_IF_ALIVE}"),),
            kind="stat", unit="s", width=4, height=5, red_from=900,
        ),
        Panel(
            "Partitions halted", "Each waits for a person: `driftbell doctor` says why and what to do.",
            (Query('max(driftbell_partitions{state="halted"})'),), kind="stat", width=4, height=5, red_from=1,
        ),
        Panel(
            "Records lost in an hour", "Deleted by the topic's retention before they were read.",
            (Query(_in_an_hour("driftbell_records_lost_total")),), kind="stat", width=4, height=5, red_from=1,
        ),
        Panel(
            "Records taken back in an hour", "Counted, and then cut off by the log.",
            (Query(_in_an_hour("driftbell_records_truncated_total")),), kind="stat", width=4, height=5, red_from=1,
        ),
    ),
)  # fmt: skip

READING = Row(
    "Reading",
    (
        Panel(
            "Lag by partition", "Records behind the end of the log.",
            (Query("sum by (topic, partition) (driftbell_consumer_lag_records)", "{{topic}} {{partition}}"),),
        ),
        Panel(
            "Events by outcome", "Every record ends in exactly one of accepted, duplicate, late, dead, tombstone.",
            (Query(f"sum by (outcome) (rate({_EVENTS}[{_RATE}]))", "{{outcome}}"),), unit="ops",
        ),
        Panel(
            "Dead letters by reason", "Records that could not be used: `driftbell dead-letters list`.",
            (Query(f"sum by (reason) (rate(driftbell_dead_letters_total[{_RATE}]))", "{{reason}}"),),
            unit="ops",
        ),
        Panel(
            "Share of dead letters", "Above 1 % a producer has probably changed its format.",
            (Query(
                f'sum(rate({_EVENTS}{{outcome="dead"}}[{_RATE}])) / (sum(rate({_EVENTS}[{_RATE}])) > 0)'
                f" or {ZERO_IF_ALIVE}",
                "dead / all",
            ),),
            unit="percentunit", red_from=0.01,
        ),
        Panel(
            "Commits by outcome", "Anything but `committed` is rare; `halted` waits for a person.",
            (Query(f"sum by (outcome) (rate({_COMMITS}[{_RATE}]))", "{{outcome}}"),), unit="ops", width=8,
        ),
        Panel(
            "Time of a commit", "Of a checkpoint's transaction: a slow database shows here first.",
            _times("driftbell_commit_seconds"), unit="s", width=8,
        ),
        Panel(
            "Clients made anew, cells folded", "A Kafka client that stood still; what there was too much of.",
            (
                Query(f"sum(increase(driftbell_consumer_restarts_total[{_RATE}])) or {ZERO_IF_ALIVE}", "clients"),
                Query(
                    f"sum by (what) (increase(driftbell_capped_total[{_RATE}]))", "folded: {{what}}"
                ),
            ),
            width=8,
        ),
    ),
)  # fmt: skip

JUDGING = Row(
    "Judging and telling",
    (
        Panel(
            "Windows evaluated", "Judged or restated, a second.",
            (Query(f"sum by (job) (rate(driftbell_windows_evaluated_total[{_RATE}]))", "{{job}}"),),
            unit="ops", width=8,
        ),
        Panel(
            "Time of an evaluation", "Of one model's step.", _times("driftbell_evaluation_seconds"), unit="s", width=8,
        ),
        Panel(
            "Event time behind the clock",
            "How far the watermark is back: windows are evaluated up to it. The slowest partition holds it,"
            " and one that nobody reads.",
            (Query(age("driftbell_watermark_timestamp_seconds", ""), "{{model}}"),), unit="s", width=8,
        ),
        Panel(
            "Age of the newest window", "How far evaluators are behind now, by model and kind of window.",
            (Query(age("driftbell_window_end_timestamp_seconds", "", "model, window"), "{{model}} {{window}}"),),
            unit="s", width=8,
        ),
        Panel(
            "Partitions", "Halted ones wait for a person, unread ones for a collector.",
            (Query("max by (state) (driftbell_partitions)", "{{state}}"),), width=8,
        ),
        Panel(
            "Labels before the join", "Grows while no evaluator runs.",
            (Query("max by (model) (driftbell_join_inbox_rows)", "{{model}}"),), width=8,
        ),
        Panel(
            "Predictions and labels that wait for each other", "Labels that come late, or not at all.",
            (Query("max by (model) (driftbell_join_waiting_rows)", "{{model}}"),), width=8,
        ),
        Panel(
            "Share of ids that are joined", "Less than 1 once too much has waited.",
            (Query("max by (model) (driftbell_join_share_ratio)", "{{model}}"),), unit="percentunit", width=8,
        ),
        Panel(
            "Alerts sent", "To the webhook and to Alertmanagers, by outcome; none where neither is set.",
            (Query(
                f"sum by (outcome) (increase(driftbell_alert_deliveries_total[{_RATE}])) or on () {ZERO_IF_ALIVE}",
                "{{outcome}}",
            ),),
        ),
        Panel(
            "Series left out", "More series than DRIFTBELL_MAX_SERIES lets through: the least bad ones are not shown.",
            (Query(f"max(driftbell_series_dropped) or {ZERO_IF_ALIVE}", "left out"),), red_from=1,
        ),
    ),
)  # fmt: skip

SCRAPES = Row(
    "Scrapes",
    (
        Panel(
            "Processes", "A band a process that Prometheus scrapes.",
            (Query('max by (job, instance) (up{job=~"driftbell-.+"})', "{{job}} {{instance}}"),),
            kind="state-timeline", words=(Word(0, "DOWN", "red"), Word(1, "up", "green")),
        ),
        Panel(
            "Time of a scrape", "Of the page of metrics; above 10 s it is given up.",
            (Query('max by (job, instance) (scrape_duration_seconds{job=~"driftbell-.+"})', "{{job}} {{instance}}"),),
            unit="s", red_from=10,
        ),
        Panel(
            "Parts of the page that failed", "Families that could not be read when /metrics was made.",
            (Query(f"sum(increase(driftbell_collect_errors_total[{_RATE}])) or {ZERO_IF_ALIVE}", "failed"),),
            red_from=1,
        ),
        Panel(
            "What runs", "Processes and their versions.",
            (Query("max by (job, instance, version) (driftbell_build_info)", instant=True),),
            kind="table",
            columns=(Column("job", "role"), Column("instance", "instance"), Column("version", "version")),
        ),
    ),
)  # fmt: skip

_OF_MODELS = "DriftbellModel.+|DriftbellLabelsSilent|DriftbellFalseAlarmBudget"

DASHBOARD = Dashboard(
    "pipeline",
    "driftbell / pipeline",
    "Is everything read, counted, judged and shown.",
    (),
    (
        Annotation(
            "Alerts about driftbell",
            f'ALERTS{{alertname=~"Driftbell.+", alertname!~"{_OF_MODELS}", alertstate="firing"}}',
            "{{alertname}}",
            "{{job}} {{instance}}",
            "orange",
        ),
    ),
    (NOW, READING, JUDGING, SCRAPES),
)
