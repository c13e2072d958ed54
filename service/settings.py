"""The settings of a process: the only place that reads the environment.

A setting is one statement here: its field, variable, default, parser and sentence.
"""

# ruff: noqa: RUF009 - `given` and its kin return dataclass fields, which ruff cannot see.

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from service.errors import ConfigurationError
from service.kafka_variables import KafkaSettings, contradictions
from service.messages import UnknownModels
from service.monitor import DAY_MS, HOUR_MS, MINUTE_MS
from service.parsers import duration, listed, matching, member, number, truth, whole, word
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
    settings_of,
    unknown_variables,
)


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
def _database_url(text: str) -> str:
    """The URL, with the scheme that SQLAlchemy knows."""
    text = re.sub("^postgres:", "postgresql:", text)
    advice = (
        "write postgresql://user@host:5432/name, and in passwords %40 for @, %2F for /, %3F for ?, %23 for #"
    )
    return matching(DATABASE_URL.pattern, advice)(text)


_web_url = matching(r"https?://[!-.0-~]+[!-~]*", "write a URL that begins with https:// or http://")
_host_name = matching(
    r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\]",
    "write host names without ports, such as driftbell.example.com, *.example.com or [::1]",
)
_network = matching(
    r"[0-9.]+(/[0-9]{1,2})?|[0-9a-fA-F:.]+(/[0-9]{1,3})?", "write addresses such as 10.0.0.7 or 10.0.0.0/8"
)
_token = matching(r"[!-~]{16,200}", "write 16 to 200 characters without spaces")
_port = whole(0, 65_535)
_retention = duration(HOUR_MS, 3660 * DAY_MS)
_MOST_ALERTMANAGERS = 10


def _web_urls(text: str) -> tuple[str, ...]:
    """Several addresses, separated by commas."""
    urls = listed(_web_url)(text)
    if not 0 < len(urls) <= _MOST_ALERTMANAGERS:
        raise ValueError(f"write 1 to {_MOST_ALERTMANAGERS} URLs, separated by commas")
    return urls


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
    alertmanager_urls: tuple[str, ...] | None = secret(
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

    host: str = given("HOST", "127.0.0.1", word, "The address that the API and the pages listen on.")
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
        listed(_host_name),
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
        listed(_network),
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
    problems += contradictions(settings.kafka, names)
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
        *alertmanager_dangers(settings.evaluator.alertmanager_urls or ()),
        *open_secrets(SETTINGS, environ),
    ]


def _kafka_dangers(settings: Settings) -> list[str]:
    return kafka_dangers(settings.kafka.security.protocol, settings.kafka.bootstrap_servers)
