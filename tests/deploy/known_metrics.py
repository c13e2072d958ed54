"""The names that rules and dashboards may lean on: what the code exports."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from service.metrics import PipelineMetrics
from service.web.metrics_endpoint import COLLECT_ERRORS, SERIES_DROPPED
from service.web.series import FAMILIES

MODEL_METRICS = frozenset(FAMILIES)

PIPELINE_METRICS = frozenset(
    (family.name + "_total" if family.type == "counter" else family.name)
    for family in PipelineMetrics(CollectorRegistry()).registry.collect()
) | {SERIES_DROPPED, f"{COLLECT_ERRORS}_total"}

KNOWN_METRICS = MODEL_METRICS | PIPELINE_METRICS
"""A histogram by the name before `_bucket`, `_sum` and `_count`."""
