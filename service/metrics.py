"""What collectors and evaluators do, as Prometheus metrics. What models do is exported by `web`, from results."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from service import __version__
from service.messages import Checkpoint, Outcome, Reason

COMMIT_OUTCOMES = (
    "committed",
    "fenced",
    "rewound",
    "halted",
    "retried",
    "reconfigured",
    "failed",
    "truncated",
)

CAPPED = ("version", "segment", "feature", "category")


class PipelineMetrics:
    """The metrics of one process. All label values are from closed sets, so that every series exists from the start."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.events = Counter(
            "driftbell_events_total", "Records by how they ended.", ["outcome"], registry=registry
        )
        self.dead_letters = Counter(
            "driftbell_dead_letters_total", "Dead letters by reason.", ["reason"], registry=registry
        )
        self.commits = Counter(
            "driftbell_commits_total", "Checkpoints by outcome.", ["outcome"], registry=registry
        )
        self.lost = Counter(
            "driftbell_records_lost_total",
            "Records that retention took before they were read.",
            registry=registry,
        )
        self.truncated = Counter(
            "driftbell_records_truncated_total",
            "Records that were counted and that the log then took back.",
            registry=registry,
        )
        self.capped = Counter(
            "driftbell_capped_total",
            "Rows and cells that were folded into __other__, by what there was too much of.",
            ["what"],
            registry=registry,
        )
        self.restarts = Counter(
            "driftbell_consumer_restarts_total",
            "How often the Kafka client stood still although the log went on, and was made anew.",
            registry=registry,
        )
        self._restarts_told = 0
        self.lag = Gauge(
            "driftbell_consumer_lag_records",
            "Records behind the end of the log.",
            ["topic", "partition"],
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "driftbell_commit_seconds", "Time of a checkpoint's transaction.", registry=registry
        )
        self.evaluation_seconds = Histogram(
            "driftbell_evaluation_seconds", "Time of one model's evaluation step.", registry=registry
        )
        self.windows = Counter(
            "driftbell_windows_evaluated_total", "Windows evaluated or restated.", registry=registry
        )
        self.deliveries = Counter(
            "driftbell_alert_deliveries_total", "Alerts sent out, by outcome.", ["outcome"], registry=registry
        )
        build = Gauge(
            "driftbell_build_info", "1, with the version as a label.", ["version"], registry=registry
        )
        build.labels(__version__).set(1)
        for outcome in Outcome:
            self.events.labels(outcome.value)
        for reason in Reason:
            self.dead_letters.labels(reason.value)
        for what in CAPPED:
            self.capped.labels(what)
        for commit in COMMIT_OUTCOMES:
            self.commits.labels(commit)

    def committed(self, checkpoint: Checkpoint) -> None:
        """Count a checkpoint that is stored."""
        self.commits.labels("committed").inc()
        for outcome in Outcome:
            self.events.labels(outcome.value).inc(getattr(checkpoint.counts, outcome.value))
        for letter in checkpoint.dead:
            self.dead_letters.labels(letter.reason.value).inc()
        self.lost.inc(checkpoint.lost)
        for what, cells in checkpoint.capped.items():
            self.capped.labels(what).inc(cells)

    def restarted(self, times: int) -> None:
        """The source has made its client anew so often since it was made itself."""
        self.restarts.inc(times - self._restarts_told)
        self._restarts_told = times
