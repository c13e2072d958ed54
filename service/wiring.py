"""The composition root: the only place that names concrete classes and the host's name."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from service.alerting.alertmanager import Alertmanager
from service.alerting.delivery import webhook
from service.alerting.pushing import Pushing
from service.backtest.backtest import Backtest, Span
from service.backtest.summary import would_have_paged
from service.collector import Collector, CollectorOptions
from service.configuration import Configuration, ModelVersion
from service.contract.grids import grid_for
from service.dead_letters.replaying import Replaying
from service.errors import ConfigurationError
from service.evaluation.evaluation import Evaluation
from service.evaluator import Evaluator
from service.examination import Examination, Ways
from service.intake.decoder import Decoder
from service.intake.file_log import FileLogSource
from service.intake.file_log_reader import FileLogReader
from service.intake.kafka_settings import KafkaSettings
from service.intake.limits import Limits
from service.kafka_variables import KafkaClient
from service.labelling.delivery import AlertsAndFeedback, FeedbackDelivery
from service.metrics import PipelineMetrics
from service.monitor import Monitor
from service.opening import make_engine, now_ms, ready_engine
from service.replay import Replay, Sink
from service.settings import Reading, Settings
from service.sketches.grids import Grid
from service.store.alertmanagers import Alertmanagers
from service.store.checkpoint import PostgresCheckpoints
from service.store.feedback import FeedbackQueue
from service.store.outbox import Outbox
from service.store.profiles import stored_grids, stored_profiles
from service.store.retention import Retention
from service.verification.verifier import Asked, RunTerms, Verifier
from service.verification.verifier import Progress as Verified
from service.web.api.topics import Topics

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.alerting.would_have import WouldHavePaged
    from service.intake.dead_letter_topic import DeadLetterTopic
    from service.intake.log_reader import LogReader
    from service.intake.log_writer import LogWriter
    from service.intake.source import Source
    from service.intake.topic_survey import BrokerSeen
    from service.reference.profile import ReferenceProfile
    from service.web.api.backtests import Backtesting
    from service.web.api.jobs import Progress

ALIVE_SECONDS = 60.0
READY_SECONDS = 10.0
_BROKER_MS = 3_000
"""Less than an examination waits, so that it hears why there is no answer."""


def owner_name() -> str:
    """Who we are, in rows that say who holds what."""
    return f"{socket.gethostname()}:{os.getpid()}"


def kafka_settings(settings: Settings, topics: tuple[str, ...] = ()) -> KafkaSettings:
    """How to reach Kafka, in the clients' words; with these topics in place of the configured ones."""
    kafka, security = settings.kafka, settings.kafka.security
    options = {
        "security.protocol": security.protocol.value,
        "ssl.ca.location": security.ssl_ca_file,
        "ssl.certificate.location": security.ssl_cert_file,
        "ssl.key.location": security.ssl_key_file,
        "ssl.key.password": security.ssl_key_password,
        "sasl.mechanism": security.sasl_mechanism.value if security.sasl_mechanism else None,
        "sasl.username": security.sasl_username,
        "sasl.password": security.sasl_password,
    }
    return KafkaSettings(
        ",".join(kafka.bootstrap_servers), topics or kafka.topics, kafka.group,
        security={name: value for name, value in options.items() if value is not None},
        session_timeout_ms=kafka.session_timeout_ms,
    )  # fmt: skip


def make_examination(reading: Reading) -> Examination:
    """A look at everything that a deployment with these settings rests on."""
    settings = reading.settings

    def ask_broker(topics: Sequence[str]) -> BrokerSeen:
        from service.intake.kafka_python_survey import survey_topics

        return survey_topics(kafka_settings(settings, tuple(topics)), topics, _BROKER_MS)

    return Examination(reading, Ways(partial(make_engine, settings), ask_broker, now_ms))


def make_source(settings: Settings) -> Source:
    """The configured Kafka client. Raises ConfigurationError when it is not installed or not configured."""
    described = kafka_settings(settings)
    if settings.kafka.client is KafkaClient.CONFLUENT:
        from service.intake.confluent import ConfluentSource

        return ConfluentSource(described)
    from service.intake.kafka_python import KafkaPythonSource

    return KafkaPythonSource(described)


def make_log_reader(
    settings: Settings, events: Path | None = None, partitions: int = 1, topics: tuple[str, ...] = ()
) -> LogReader:
    """A reader of the configured Kafka that belongs to no group, or of a file log; connects on first use."""
    if events is not None:
        return FileLogReader(events, partitions)
    from service.intake.kafka_python_log_reader import KafkaPythonLogReader

    return KafkaPythonLogReader(kafka_settings(settings, topics))


def make_topics(settings: Settings) -> Topics | None:
    """The configured topics, to be looked into; None where no Kafka is configured."""
    if not (settings.kafka.bootstrap_servers and settings.kafka.topics):
        return None
    limits = Limits(event_bytes=settings.collector.max_event_bytes)
    return Topics(settings.kafka.topics, partial(make_log_reader, settings), limits)


def make_replaying(settings: Settings, engine: Engine) -> Replaying:
    """Dead letters into the configured Kafka once more; connects on first use."""

    def open_writer() -> LogWriter:
        from service.intake.kafka_log_writer import KafkaLogWriter

        return KafkaLogWriter(kafka_settings(settings))

    limits = Limits(event_bytes=settings.collector.max_event_bytes)
    reader = partial(make_log_reader, settings)
    return Replaying(engine, settings.collector.unknown_models, limits, reader, open_writer)


def make_verifier(settings: Settings, reader: LogReader, asked: Asked, progress: Verified) -> Verifier:
    """A verifier of the configured database against a log."""
    kept, collector = settings.retention, settings.collector
    terms = RunTerms(
        now_ms(), collector.unknown_models, Limits(event_bytes=collector.max_event_bytes), kept.panes_ms,
        kept.dead_letters_ms, kept.dead_letters_kept, kept.results_ms,
    )  # fmt: skip
    return Verifier(ready_engine(settings), reader, terms, asked, progress)


def _dead_letter_topic(settings: Settings) -> DeadLetterTopic | None:
    if settings.kafka.dead_letter_topic is None:
        return None
    from service.intake.kafka_writer import KafkaDeadLetters, KafkaWriter

    return KafkaDeadLetters(KafkaWriter(kafka_settings(settings)), settings.kafka.dead_letter_topic)


def make_collector(settings: Settings, engine: Engine, metrics: PipelineMetrics) -> Collector:
    """A collector on the configured topics."""
    chosen = settings.collector
    options = CollectorOptions(
        owner_name(), chosen.unknown_models, Limits(event_bytes=chosen.max_event_bytes),
        chosen.commit_interval_ms / 1000, chosen.commit_records, most_dead_share=chosen.most_dead_share,
    )  # fmt: skip
    dead_letters = _dead_letter_topic(settings)
    return Collector(
        make_source(settings), PostgresCheckpoints(engine), options, metrics, time.monotonic, dead_letters
    )


def make_evaluator(settings: Settings, engine: Engine, metrics: PipelineMetrics) -> Evaluator:
    """An evaluator of all models."""
    url = settings.evaluator.alert_webhook_url
    delivery = AlertsAndFeedback(
        Outbox(engine),
        webhook(url) if url else None,
        lambda outcome: metrics.deliveries.labels(outcome).inc(),
        feedback=_feedback_delivery(settings, engine),
        pushing=_pushing(settings, engine, metrics),
    )
    kept = settings.retention
    retention = Retention(kept.results_ms, kept.panes_ms, kept.dead_letters_ms, kept.dead_letters_kept)
    return Evaluator(
        engine, owner_name(), metrics, now_ms, delivery, retention, settings.evaluator.interval_ms / 1000
    )


def alertmanagers_of(settings: Settings) -> list[Alertmanager]:
    """The configured ones."""
    urls, token = settings.evaluator.alertmanager_urls, settings.evaluator.alertmanager_token
    return [Alertmanager(url, token) for url in urls or ()]


def _pushing(settings: Settings, engine: Engine, metrics: PipelineMetrics) -> Pushing | None:
    receivers = alertmanagers_of(settings)
    if not receivers:
        return None
    return Pushing(
        Alertmanagers(engine), receivers, now_ms, settings.evaluator.public_url,
        lambda outcome: metrics.deliveries.labels(outcome).inc(),
    )  # fmt: skip


def _feedback_delivery(settings: Settings, engine: Engine) -> FeedbackDelivery | None:
    topic = settings.kafka.feedback_topic
    if topic is None:
        return None
    from service.intake.feedback_topic import KafkaFeedbackTopic

    return FeedbackDelivery(
        FeedbackQueue(engine), KafkaFeedbackTopic(kafka_settings(settings), topic), now_ms
    )


def make_metrics() -> PipelineMetrics:
    """The process's metrics on a registry of their own."""
    return PipelineMetrics(CollectorRegistry())


def make_replay(
    monitors: Sequence[Monitor],
    profiles: Mapping[str, ReferenceProfile],
    events: Path,
    partitions: int,
    sink: Sink,
) -> Replay:
    """A replay of a file log under these monitors; `profiles` by the name that the monitors use."""
    models = {m.model: (ModelVersion(m, _grid(m, profiles), reference_name=m.reference),) for m in monitors}
    configuration = Configuration(models)
    grids = {v[0].grid.id: v[0].grid for v in models.values()}
    evaluation = Evaluation(configuration, profiles.get, grids.__getitem__)
    source = FileLogSource(events, partitions)
    return Replay(source, configuration, evaluation, partial(Decoder, configuration), sink)


def make_backtest(
    engine: Engine,
    monitors: Sequence[Monitor],
    profiles: Mapping[str, ReferenceProfile],
    span: Span,
    sink: Sink,
) -> Backtest:
    """A back-test of these monitors on the stored panes; references that are not given are the stored ones.

    Raises ConfigurationError for a reference that is neither.
    """
    names = {m.reference for m in monitors if m.reference}
    stored, stored_grid = stored_profiles(engine), stored_grids(engine)
    found = {name: profile for name in names if (profile := profiles.get(name) or stored(name)) is not None}
    if missing := [m for m in monitors if m.reference and m.reference not in found]:
        raise ConfigurationError(*map(_no_reference, missing))
    models = {m.model: (ModelVersion(m, _grid(m, found), reference_name=m.reference),) for m in monitors}
    grids = {v[0].grid.id: v[0].grid for v in models.values()}
    evaluation = Evaluation(
        Configuration(models), found.get, lambda name: grids.get(name) or stored_grid(name)
    )
    return Backtest(engine, evaluation, span, sink)


def make_backtesting(engine: Engine) -> Backtesting:
    """What judges the stored panes by other monitors for the web pages, telling how far it is."""

    def judge(monitors: Sequence[Monitor], from_ms: int, progress: Progress) -> tuple[WouldHavePaged, ...]:
        run = make_backtest(engine, monitors, {}, Span(from_ms), lambda _: progress.check())
        run.begun, run.progress = progress.begun, progress.step
        return tuple(map(would_have_paged, run.run()))

    return judge


def _no_reference(monitor: Monitor) -> str:
    return (
        f"{monitor.model}: the reference {monitor.reference!r} is neither a file nor given with --reference, "
        "nor is one of that name stored"
    )


def _grid(monitor: Monitor, profiles: Mapping[str, ReferenceProfile]) -> Grid:
    return grid_for(monitor, profiles[monitor.reference].grid if monitor.reference else Grid())


def why_not_alive(
    collector: Collector | None, evaluator: Evaluator | None, within_seconds: float = ALIVE_SECONDS
) -> str | None:
    """A sentence when a loop has not turned for a minute."""
    if (
        collector is not None
        and collector.ticked_at
        and time.monotonic() - collector.ticked_at > within_seconds
    ):
        return f"the collector's loop has not turned for {time.monotonic() - collector.ticked_at:.0f} s"
    if (
        evaluator is not None
        and evaluator.ticked_at_ms
        and now_ms() - evaluator.ticked_at_ms > within_seconds * 1000
    ):
        return f"the evaluator's loop has not turned for {(now_ms() - evaluator.ticked_at_ms) / 1000:.0f} s"
    return None


def why_not_ready(collector: Collector | None, evaluator: Evaluator | None) -> str | None:
    """A sentence when the database has not taken what a loop had to say for ten seconds."""
    if collector is not None and time.monotonic() - collector.stored_at > READY_SECONDS:
        return "the collector has not reached the database for 10 s"
    if evaluator is not None and now_ms() - evaluator.stored_at_ms > READY_SECONDS * 1000:
        return "the evaluator has not reached the database for 10 s"
    return None
