"""What is told from outside of Kafka, and which of it needs or excludes which."""

# ruff: noqa: RUF009 - `given` and its kin return dataclass fields, which ruff cannot see.

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.monitor import MINUTE_MS
from service.parsers import duration, listed, matching, member, word
from service.variables import PREFIX, given, nested, optional, secret, secret_file

_topic = matching(r"[a-zA-Z0-9._-]{1,249}", "write topics of letters, digits, '.', '_' and '-'")
_server = matching(
    r"(\[[0-9a-fA-F:.]+\]|[^\s,:/\[\]]+):[0-9]{1,5}", "write servers such as kafka-1:9092,kafka-2:9092"
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
    sasl_username: str | None = optional("KAFKA_SASL_USERNAME", word, "The user name, with SASL protocols.")
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
        listed(_server),
        "The brokers to ask first, host:port separated by commas.",
    )
    topics: tuple[str, ...] = given(
        "KAFKA_TOPICS", "", listed(_topic), "The topics to read, separated by commas."
    )
    group: str = given(
        "KAFKA_GROUP", "driftbell", word, "The consumer group whose members share the partitions."
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


# ---------------------------------------------------------------- settings that need or exclude each other
def contradictions(kafka: KafkaSettings, names: set[str]) -> list[str]:
    """A sentence for each, by the settings and the names of the variables that are set."""
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
