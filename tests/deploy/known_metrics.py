"""The names that rules and dashboards may lean on."""

from __future__ import annotations

MODEL_METRICS = frozenset(
    {
        "driftbell_score",
        "driftbell_limit",
        "driftbell_alert_firing",
        "driftbell_missing_ratio",
        "driftbell_performance",
        "driftbell_label_coverage_ratio",
        "driftbell_window_events",
        "driftbell_window_end_timestamp_seconds",
        "driftbell_last_event_timestamp_seconds",
        "driftbell_last_label_timestamp_seconds",
        "driftbell_false_alarm_budget_ratio",
        "driftbell_false_alarm_budget_pages",
        "driftbell_incidents",
    }
)

PIPELINE_METRICS = frozenset(
    {
        "driftbell_events_total",
        "driftbell_dead_letters_total",
        "driftbell_consumer_lag_records",
        "driftbell_commits_total",
        "driftbell_records_lost_total",
        "driftbell_records_truncated_total",
        "driftbell_build_info",
        "driftbell_series_dropped",
    }
)

KNOWN_METRICS = MODEL_METRICS | PIPELINE_METRICS
