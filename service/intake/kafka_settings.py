"""How to reach Kafka: one frozen description that both clients understand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

# librdkafka's names (the first column) are what most Kafka manuals use; kafka-python has its own.
# Both check the host's name in a broker's certificate, and no option of ours turns that off.
SECURITY_OPTIONS = {
    "security.protocol": "security_protocol",
    "ssl.ca.location": "ssl_cafile",
    "ssl.certificate.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "ssl.key.password": "ssl_password",
    "ssl.crl.location": "ssl_crlfile",
    "ssl.cipher.suites": "ssl_ciphers",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "sasl.kerberos.service.name": "sasl_kerberos_service_name",
}


@dataclass(frozen=True)
class KafkaSettings:
    """What both clients are made from.

    `security` holds TLS and SASL options by librdkafka's names (the keys of `SECURITY_OPTIONS`).
    Every member of `group_id` must run the cooperative-sticky assignor, as both clients here do.
    """

    bootstrap_servers: str
    topics: tuple[str, ...]
    group_id: str
    client_id: str = "driftbell"
    security: Mapping[str, str] = field(default_factory=dict, repr=False)  # passwords stay out of logs
    session_timeout_ms: int = 45_000
    request_timeout_ms: int = 30_000
    connect_timeout_ms: int = 10_000
    metadata_max_age_ms: int = 20_000  # and a rebalance: new partitions are read within half a minute
    max_partition_fetch_bytes: int = 4 * 1024 * 1024
    fetch_max_bytes: int = 32 * 1024 * 1024
    stall_seconds: float = 45.0  # and a look every few seconds: a minute in all

    def __post_init__(self) -> None:
        problems = []
        if not self.bootstrap_servers.strip():
            problems.append("Kafka's bootstrap servers are empty: give at least one as host:port.")
        if not self.topics:
            problems.append("No Kafka topic is given: name at least one to read.")
        if not self.group_id:
            problems.append("Kafka's consumer group is empty: give it a name.")
        unknown = sorted(set(self.security) - set(SECURITY_OPTIONS))
        if unknown:
            known = ", ".join(SECURITY_OPTIONS)
            problems.append(f"Unknown Kafka security options {', '.join(unknown)}: known are {known}.")
        if problems:
            raise ConfigurationError(*problems)

    @property
    def heartbeat_interval_ms(self) -> int:
        """A third of the session timeout at most, as Kafka asks."""
        return min(3_000, self.session_timeout_ms // 3)

    def kafka_python_security(self) -> dict[str, object]:
        """The security options by kafka-python's names."""
        return {SECURITY_OPTIONS[name]: value for name, value in self.security.items()}
