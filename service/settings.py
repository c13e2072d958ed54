"""The settings of a process: the only place that reads the environment.

A setting is one statement here: its field, variable, default, parser and sentence.
"""

# ruff: noqa: RUF009 - `given` and its kin return dataclass fields, which ruff cannot see.

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from service.errors import ConfigurationError
from service.messages import UnknownModels
from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS
from service.parsers import duration, member, number, truth, whole
from service.transport import (
    DATABASE_URL,
    alertmanager_dangers,
    database_dangers,
    kafka_dangers,
    verified,
    webhook_dangers,
)
from service.variables import (
    PREFIX,
    Setting,
    fill,
    given,
    nested,
    noted,
    open_secrets,
    optional,
    secret,
    secret_file,
    settings_of,
    unknown_variables,
)


class KafkaClient(StrEnum):
    """The library that talks to Kafka."""

    KAFKA_PYTHON = "kafka-python"
    CONFLUENT = "confluent"


class SecurityProtocol(StrEnum):
    """How the connection to Kafka is encrypted and authenticated."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """How the password is proved to Kafka."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class Auth(StrEnum):
    """Who the API and the pages answer."""

    KEYS = "keys"
    OPEN = "open"


class LogLevel(StrEnum):
    """The least severe line that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """Log lines for people or for machines."""

    TEXT = "text"
    JSON = "json"


# ---------------------------------------------------------------- parsers
def _matching(pattern: str, advice: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(advice)
        return text

    return parse


def _listed(parse: Callable[[str], str]) -> Callable[[str], tuple[str, ...]]:
    return lambda text: tuple(dict.fromkeys(parse(item.strip()) for item in text.split(",") if item.strip()))


def _database_url(text: str) -> str:
    """The URL, with the scheme that SQLAlchemy knows."""
    text = re.sub("^postgres:", "postgresql:", text)
    advice = (
        "write postgresql://user@host:5432/name, and in passwords %40 for @, %2F for /, %3F for ?, %23 for #"
    )
    return _matching(DATABASE_URL.pattern, advice)(text)


_topic = _matching(r"[a-zA-Z0-9._-]{1,249}", "write topics of letters, digits, '.', '_' and '-'")
_server = _matching(
    r"(\[[0-9a-fA-F:.]+\]|[^\s,:/\[\]]+):[0-9]{1,5}", "write servers such as kafka-1:9092,kafka-2:9092"
)
_word = _matching(r"\S{1,200}", "write up to 200 characters without spaces")
_web_url = _matching(r"https?://[!-.0-~]+[!-~]*", "write a URL that begins with https:// or http://")
_host_name = _matching(
    r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\]",
    "write host names without ports, such as driftbell.example.com, *.example.com or [::1]",
)
_network = _matching(
    r"[0-9.]+(/[0-9]{1,2})?|[0-9a-fA-F:.]+(/[0-9]{1,3})?", "write addresses such as 10.0.0.7 or 10.0.0.0/8"
)
_token = _matching(r"[!-~]{16,200}", "write 16 to 200 characters without spaces")
_port = whole(0, 65_535)
_retention = duration(HOUR_MS, 3660 * DAY_MS)
_MOST_ALERTMANAGERS = 10


def _web_urls(text: str) -> str:
    """Several addresses, separated by commas."""
    urls = _listed(_web_url)(text)
    if not 0 < len(urls) <= _MOST_ALERTMANAGERS:
        raise ValueError(f"write 1 to {_MOST_ALERTMANAGERS} URLs, separated by commas")
    return ",".join(urls)


# ---------------------------------------------------------------- the settings
@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where PostgreSQL is, and how to be let in."""

    url: str | None = secret(
        "DATABASE_URL", _database_url, "The PostgreSQL database, postgresql://user@host:5432/name."
    )
    password: str | None = secret(
        "DATABASE_PASSWORD", str, "The database password, when it is not in the URL."
    )


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """How to reach a Kafka that is encrypted or asks who we are."""

    protocol: SecurityProtocol = given(
        "KAFKA_SECURITY_PROTOCOL",
        "PLAINTEXT",
        member(SecurityProtocol),
        "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.",
    )
    sasl_mechanism: SaslMechanism | None = optional(
        "KAFKA_SASL_MECHANISM",
        member(SaslMechanism),
        "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, with SASL protocols.",
    )
    sasl_username: str | None = optional("KAFKA_SASL_USERNAME", _word, "The user name, with SASL protocols.")
    sasl_password: str | None = secret("KAFKA_SASL_PASSWORD", str, "The password, with SASL protocols.")
    ssl_ca_file: str | None = optional(
        "KAFKA_SSL_CA_FILE", str, "The certificate authority that signed the brokers' certificates (PEM)."
    )
    ssl_cert_file: str | None = optional("KAFKA_SSL_CERT_FILE", str, "The client certificate (PEM).")
    ssl_key_file: str | None = secret_file(
        "KAFKA_SSL_KEY_FILE", "The private key of the client certificate (PEM)."
    )
    ssl_key_password: str | None = secret(
        "KAFKA_SSL_KEY_PASSWORD", str, "The password of the private key, when it has one."
    )


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """What to read from which Kafka."""

    bootstrap_servers: tuple[str, ...] = given(
        "KAFKA_BOOTSTRAP_SERVERS",
        "",
        _listed(_server),
        "The brokers to ask first, host:port separated by commas.",
    )
    topics: tuple[str, ...] = given(
        "KAFKA_TOPICS", "", _listed(_topic), "The topics to read, separated by commas."
    )
    group: str = given(
        "KAFKA_GROUP", "driftbell", _word, "The consumer group whose members share the partitions."
    )
    client: KafkaClient = given(
        "KAFKA_CLIENT",
        "kafka-python",
        member(KafkaClient),
        "The client library, kafka-python or confluent (an extra).",
    )
    dead_letter_topic: str | None = optional(
        "DEAD_LETTER_TOPIC", _topic, "A topic that rejected records are copied to."
    )
    feedback_topic: str | None = optional(
        "FEEDBACK_TOPIC",
        _topic,
        "A topic that predictions to label and advice to train again are sent to, with ids and features.",
    )
    session_timeout_ms: int = given(
        "KAFKA_SESSION_TIMEOUT",
        "45s",
        duration(1_000, 30 * MINUTE_MS),
        "How long the group waits for a collector that has died before the others take over.",
    )
    security: KafkaSecurity = nested(KafkaSecurity)


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """How events are taken in and how often they are committed."""

    unknown_models: UnknownModels = given(
        "UNKNOWN_MODELS",
        "quarantine",
        member(UnknownModels),
        "What becomes of events of a model without a monitor: learn, quarantine or ignore.",
    )
    commit_interval_ms: int = given(
        "COMMIT_INTERVAL",
        "1s",
        duration(10, MINUTE_MS),
        "The longest time between two commits while events arrive.",
    )
    commit_records: int = given(
        "COMMIT_RECORDS",
        "50000",
        whole(1, 10_000_000),
        "The number of records after which a commit does not wait.",
    )
    max_event_bytes: int = given(
        "MAX_EVENT_BYTES",
        "1048576",
        whole(1_024, 104_857_600),
        "The largest event; a larger one is a dead letter.",
    )
    most_dead_share: float = given(
        "DEAD_LETTER_SHARE",
        "0.5",
        number(0, 1),
        "A partition of which a larger share of 1,000 records are dead letters is halted; 1 never halts any.",
    )


@dataclass(frozen=True, slots=True)
class EvaluatorSettings:
    """How often windows are scored and where alerts are sent."""

    interval_ms: int = given(
        "EVALUATE_INTERVAL",
        "1s",
        duration(10, HOUR_MS),
        "The time between two looks for windows that are due.",
    )
    alert_webhook_url: str | None = secret(
        "ALERT_WEBHOOK_URL", _web_url, "A URL that alerts are posted to as JSON."
    )
    alertmanager_urls: str | None = secret(
        "ALERTMANAGER_URL",
        _web_urls,
        "Alertmanagers that incidents are pushed to, as https://user:password@host:9093, separated by commas.",
    )
    alertmanager_token: str | None = secret(
        "ALERTMANAGER_TOKEN", _token, "What Alertmanagers are sent as bearer token, instead of a user name."
    )
    public_url: str | None = optional(
        "PUBLIC_URL",
        _web_url,
        "The address under which people reach the pages; alerts link there.",
    )


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the API, the pages and the metrics are served; port 0 takes any that is free."""

    host: str = given("HOST", "127.0.0.1", _word, "The address that the API and the pages listen on.")
    port: int = given("PORT", "8765", _port, "The port that the API and the pages listen on.")
    metrics_port: int | None = optional(
        "METRICS_PORT",
        _port,
        "The port of a collector's or evaluator's own metrics; without it there are none.",
    )
    max_series: int = given(
        "MAX_SERIES",
        "10000",
        whole(1, 1_000_000),
        "The most series of models that /metrics shows, worst first.",
    )
    auth: Auth | None = optional(
        "AUTH",
        member(Auth),
        "Who is answered: keys (who has one) or open (everybody). "
        "Without it everybody on a loopback address until the first key is made, else who has a key.",
    )
    allowed_hosts: tuple[str, ...] = given(
        "ALLOWED_HOSTS",
        "",
        _listed(_host_name),
        "The host names that requests may name, separated by commas. "
        "Without it localhost, 127.0.0.1 and [::1] on a loopback address, else any.",
    )
    requests_per_minute: int = given(
        "REQUESTS_PER_MINUTE",
        "6000",
        whole(1, 10_000_000),
        "The most requests a minute of one key, or of one address without a key.",
    )
    metrics_token: str | None = secret(
        "METRICS_TOKEN",
        _token,
        "What Prometheus sends as bearer token: opens /metrics and nothing else. "
        "Collectors and evaluators ask for it when it is set.",
    )
    trusted_proxies: tuple[str, ...] = given(
        "TRUSTED_PROXIES",
        "127.0.0.1,::1",
        _listed(_network),
        "Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, addresses or networks.",
    )


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How long what is stored is kept."""

    results_ms: int = given("RETENTION_RESULTS", "90d", _retention, "How long findings and alerts are kept.")
    panes_ms: int = given(
        "RETENTION_PANES",
        "35d",
        _retention,
        "How long panes are kept; with 372d the season of the year before is known.",
    )
    dead_letters_ms: int = given(
        "RETENTION_DEAD_LETTERS", "14d", _retention, "How long dead letters are kept."
    )
    dead_letters_kept: int = given(
        "DEAD_LETTERS_KEPT",
        "100000",
        whole(1, 100_000_000),
        "The most dead letters of a topic that are kept; the oldest go first.",
    )


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is logged and how."""

    level: LogLevel = given(
        "LOG_LEVEL", "info", member(LogLevel), "The least severe lines: debug, info, warning or error."
    )
    format: LogFormat = given("LOG_FORMAT", "text", member(LogFormat), "The form of log lines, text or json.")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a process is told from outside; secrets are not in its repr."""

    database: DatabaseSettings = nested(DatabaseSettings)
    kafka: KafkaSettings = nested(KafkaSettings)
    collector: CollectorSettings = nested(CollectorSettings)
    evaluator: EvaluatorSettings = nested(EvaluatorSettings)
    web: WebSettings = nested(WebSettings)
    retention: RetentionSettings = nested(RetentionSettings)
    log: LogSettings = nested(LogSettings)
    allow_insecure: bool = given(
        "ALLOW_INSECURE",
        "false",
        truth,
        "With true, connections to other hosts may go in the clear and every user may read the secret files.",
    )
    tolerated: tuple[str, ...] = noted()  # what is insecure and allowed: a role says it when it starts


SETTINGS: tuple[Setting, ...] = tuple(settings_of(Settings))


@dataclass(frozen=True, slots=True)
class Reading:
    """What an environment says, wrong or not; defaults stand in for what cannot be used.

    `database_dangers` and `kafka_dangers` are those of the mistakes that forbid to connect.
    """

    settings: Settings
    given: int
    mistakes: tuple[str, ...] = ()
    database_dangers: tuple[str, ...] = ()
    kafka_dangers: tuple[str, ...] = ()


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings, or ConfigurationError with a sentence for each mistake. An empty variable is not set."""
    reading = read_settings(environ)
    if reading.mistakes:
        raise ConfigurationError(*reading.mistakes)
    return reading.settings


def read_settings(environ: Mapping[str, str]) -> Reading:
    """The settings as far as they can be used, and a sentence for each mistake."""
    environ = {name: text for name, text in environ.items() if not _is_service_link(name, text)}
    names = {name for name, text in environ.items() if text.strip()}
    known = {setting.name for setting in SETTINGS}
    problems = unknown_variables(environ, known)
    settings = fill(Settings, environ, problems)
    problems += _contradictions(settings.kafka, names)
    if not settings.allow_insecure:
        settings = _verifying(settings, environ)
    dangers = _dangers(settings, environ)
    if settings.allow_insecure:
        return Reading(replace(settings, tolerated=tuple(dangers)), len(names & known), tuple(problems))
    in_clear = (
        tuple(database_dangers(settings.database.url or "", environ)),
        tuple(_kafka_dangers(settings)),
    )
    return Reading(settings, len(names & known), (*problems, *dangers), *in_clear)


def load_from_environment() -> Settings:
    """The settings of this process."""
    return load_settings(os.environ)


def read_from_environment() -> Reading:
    """The settings of this process, wrong or not."""
    return read_settings(os.environ)


def _is_service_link(name: str, text: str) -> bool:
    # Kubernetes tells all pods of a service named driftbell, with DRIFTBELL_PORT=tcp://10.0.0.7:80 and more.
    links = rf"{PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT_[0-9]+_\w+)"
    is_address = name.startswith(PREFIX) and re.match("(tcp|udp|sctp)://", text) is not None
    return is_address or re.fullmatch(links, name) is not None


# ---------------------------------------------------------------- what others could read on its way or on disk
def _verifying(settings: Settings, environ: Mapping[str, str]) -> Settings:
    url = settings.database.url and verified(settings.database.url, environ)
    return replace(settings, database=replace(settings.database, url=url))


def _dangers(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    return [
        *database_dangers(settings.database.url or "", environ),
        *_kafka_dangers(settings),
        *webhook_dangers(settings.evaluator.alert_webhook_url or ""),
        *alertmanager_dangers(settings.evaluator.alertmanager_urls or ""),
        *open_secrets(SETTINGS, environ),
    ]


def _kafka_dangers(settings: Settings) -> list[str]:
    return kafka_dangers(settings.kafka.security.protocol, settings.kafka.bootstrap_servers)


# ---------------------------------------------------------------- settings that need or exclude each other
def _contradictions(kafka: KafkaSettings, names: set[str]) -> list[str]:
    problems = [*_missing_sasl(kafka.security, names), *_half_a_certificate(names)]
    topic = kafka.dead_letter_topic
    if topic in kafka.topics:
        problems.append(f"{PREFIX}DEAD_LETTER_TOPIC is {topic!r}, which is read, too; name another topic")
    if kafka.feedback_topic in kafka.topics:
        problems.append(
            f"{PREFIX}FEEDBACK_TOPIC is {kafka.feedback_topic!r}, which is read, too; name another topic"
        )
    if kafka.feedback_topic is not None and kafka.feedback_topic == topic:
        problems.append(
            f"{PREFIX}FEEDBACK_TOPIC is {topic!r}, which dead letters are sent to; name another topic"
        )
    if kafka.feedback_topic is not None and not kafka.bootstrap_servers:
        problems.append(f"{PREFIX}KAFKA_BOOTSTRAP_SERVERS is not set; {PREFIX}FEEDBACK_TOPIC needs it")
    return problems


def _missing_sasl(security: KafkaSecurity, names: set[str]) -> list[str]:
    if not security.protocol.startswith("SASL"):
        return []
    wanted = [f"{PREFIX}KAFKA_SASL_{part}" for part in ("MECHANISM", "USERNAME", "PASSWORD")]
    missing = [name for name in wanted if name not in names and f"{name}_FILE" not in names]
    return [f"{name} is not set; {security.protocol} needs it" for name in missing]


def _half_a_certificate(names: set[str]) -> list[str]:
    pair = {f"{PREFIX}KAFKA_SSL_CERT_FILE", f"{PREFIX}KAFKA_SSL_KEY_FILE"}
    missing = sorted(pair - names)
    return [f"{missing[0]} is not set; a certificate and its key go together"] if len(missing) == 1 else []
