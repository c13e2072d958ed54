"""A real Apache Kafka is believed only when it shows the certificate that its name asks for, by both clients."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from service.embedded.broker import free_port
from service.errors import ConfigurationError, DriftbellError, Unavailable
from service.intake.confluent import ConfluentSource
from service.intake.kafka_python import KafkaPythonSource
from service.intake.kafka_python_survey import survey_topics
from service.intake.kafka_writer import KafkaWriter
from service.intake.topic_survey import BrokerSeen
from service.kafka_variables import KafkaClient
from service.settings import load_settings
from service.wiring import kafka_settings
from tests.servers import apache_kafka as apache
from tests.servers.certificates import Authority
from tests.servers.fixtures import Broker
from tests.servers.requirements import require_or_skip

# ruff: noqa: E501 - a broker's settings are one a line

pytestmark = pytest.mark.apache_kafka

TOPIC, USER, PASSWORD = "inference", "driftbell", "correct-horse"
CLIENTS = pytest.mark.parametrize("client", ["kafka-python", "confluent"])
LISTENERS = """
listeners=PLAINTEXT://127.0.0.1:{port},SSL://127.0.0.1:%(ssl)d,EXPIRED://127.0.0.1:%(expired)d,SASL_SSL://127.0.0.1:%(sasl)d,CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SSL://localhost:%(ssl)d,EXPIRED://localhost:%(expired)d,SASL_SSL://localhost:%(sasl)d,CONTROLLER://127.0.0.1:{controller_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,EXPIRED:SSL,SASL_SSL:SASL_SSL
ssl.keystore.type=PEM
ssl.truststore.type=PEM
ssl.truststore.location=%(roots)s
listener.name.ssl.ssl.client.auth=required
listener.name.ssl.ssl.keystore.location=%(good)s
listener.name.sasl_ssl.ssl.keystore.location=%(good)s
listener.name.expired.ssl.keystore.location=%(old)s
listener.name.sasl_ssl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_%(user)s="%(password)s";
"""


@dataclass(frozen=True)
class SecureKafka:
    """A broker with one listener in the clear and three that are encrypted, and its authority."""

    authority: Authority
    plain: int
    ssl: int
    expired: int
    sasl: int


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """The broker, with one topic."""
    require_or_skip(apache.has_java(), "Java", apache.INSTALL)
    authority = Authority(tmp_path_factory.mktemp("kafka-authority"))
    ssl, expired, sasl = free_port(), free_port(), free_port()
    facts = {
        "ssl": ssl, "expired": expired, "sasl": sasl, "user": USER, "password": PASSWORD,
        "roots": authority.roots, "good": authority.issue("localhost"),
        "old": authority.issue("localhost", expired=True),
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("secure-kafka")
    with apache.ApacheKafka(folder, more_settings=LISTENERS % facts, users={USER: PASSWORD}) as plain:
        broker = Broker("apache", plain.bootstrap_servers)
        broker.topics.create(TOPIC)
        broker.topics.close()
        yield SecureKafka(authority, plain.port, ssl, expired, sasl)
    shutil.rmtree(folder, ignore_errors=True)


def variables(server: SecureKafka, client: str, port: int, **changes: str) -> dict[str, str]:
    """The settings of a collector, without their prefix."""
    by_default = {
        "KAFKA_BOOTSTRAP_SERVERS": f"localhost:{port}", "KAFKA_TOPICS": TOPIC, "KAFKA_CLIENT": client,
        "KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CA_FILE": str(server.authority.roots),
    }  # fmt: skip
    return by_default | changes


def sasl(mechanism: str, password: str = PASSWORD) -> dict[str, str]:
    return {
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": mechanism,
        "KAFKA_SASL_USERNAME": USER, "KAFKA_SASL_PASSWORD": password,
    }  # fmt: skip


def mutual(server: SecureKafka) -> dict[str, str]:
    pair = str(server.authority.issue("collector.driftbell.test"))
    return {"KAFKA_SSL_CERT_FILE": pair, "KAFKA_SSL_KEY_FILE": pair}


def connect(settings: dict[str, str], timeout_ms: int = 20_000) -> None:
    """Start a source as a collector does. Raises DriftbellError."""
    loaded = load_settings({f"DRIFTBELL_{name}": text for name, text in settings.items()})
    described = replace(kafka_settings(loaded), connect_timeout_ms=timeout_ms)
    python = loaded.kafka.client is KafkaClient.KAFKA_PYTHON
    source = KafkaPythonSource(described) if python else ConfluentSource(described)
    try:
        source.start()
    finally:
        with suppress(DriftbellError):
            source.close()


def refusal(settings: dict[str, str]) -> str:
    """Why we do not connect: what a person must mend."""
    with pytest.raises(ConfigurationError) as caught:
        connect(settings, timeout_ms=2_500)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


@CLIENTS
def test_the_right_certificates_of_both_sides_are_believed(secure: SecureKafka, client: str) -> None:
    connect(variables(secure, client, secure.ssl, **mutual(secure)))


@CLIENTS
def test_the_certificate_of_another_authority_is_refused(
    secure: SecureKafka, client: str, tmp_path: Path
) -> None:
    other = {"KAFKA_SSL_CA_FILE": str(Authority(tmp_path).roots)}
    said = refusal(variables(secure, client, secure.sasl, **sasl("PLAIN") | other))
    assert "certificate verify failed" in said


@CLIENTS
def test_the_certificate_of_another_host_is_refused(secure: SecureKafka, client: str) -> None:
    other = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{secure.sasl}"}
    said = refusal(variables(secure, client, secure.sasl, **sasl("PLAIN") | other))
    assert "certificate verify failed" in said


@CLIENTS
def test_an_expired_certificate_is_refused(secure: SecureKafka, client: str) -> None:
    assert "certificate verify failed" in refusal(variables(secure, client, secure.expired))


@CLIENTS
def test_who_has_no_certificate_is_refused_where_one_is_asked_for(secure: SecureKafka, client: str) -> None:
    assert "alert bad certificate" in refusal(variables(secure, client, secure.ssl))


@CLIENTS
def test_a_port_without_tls_is_away_and_said_to_have_hung_up(secure: SecureKafka, client: str) -> None:
    """Nobody can tell it from a broker that is just going down, so it is tried again."""
    plain = {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{secure.plain}"}
    with pytest.raises(Unavailable, match=r"(?i)handshake failed: .*(eof|closed by peer)"):
        connect(variables(secure, client, secure.plain, **plain), timeout_ms=2_500)


@CLIENTS
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_password_lets_us_in_over_tls(secure: SecureKafka, client: str, mechanism: str) -> None:
    connect(variables(secure, client, secure.sasl, **sasl(mechanism)))


@CLIENTS
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_wrong_password_does_not_let_us_in_and_is_not_shown(
    secure: SecureKafka, client: str, mechanism: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = refusal(variables(secure, client, secure.sasl, **sasl(mechanism, "wrong-battery")))
    assert "uthentication failed" in said
    assert "wrong-battery" not in said + caplog.text


@CLIENTS
@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_a_broker_of_another_host_is_not_talked_to_in_the_clear(
    secure: SecureKafka, client: str, protocol: str
) -> None:
    changes = sasl("PLAIN") | {
        "KAFKA_BOOTSTRAP_SERVERS": "kafka.driftbell.test:9092", "KAFKA_SECURITY_PROTOCOL": protocol,
    }  # fmt: skip
    assert f"{protocol}, which sends everything" in refusal(variables(secure, client, 9092, **changes))


def test_dead_letters_are_written_over_tls_too(secure: SecureKafka) -> None:
    good = variables(secure, "kafka-python", secure.sasl, **sasl("SCRAM-SHA-512"))
    writer = KafkaWriter(kafka_settings(load_settings({f"DRIFTBELL_{n}": t for n, t in good.items()})))
    writer.send(TOPIC, b"{}")
    writer.flush()
    writer.close()


def surveyed(settings: dict[str, str]) -> BrokerSeen:
    """What the broker says to `driftbell doctor`."""
    loaded = load_settings({f"DRIFTBELL_{name}": text for name, text in settings.items()})
    return survey_topics(kafka_settings(loaded), [TOPIC], 3_000)


def test_the_doctor_is_told_of_topics_and_rights_over_tls(secure: SecureKafka) -> None:
    found = surveyed(variables(secure, "kafka-python", secure.sasl, **sasl("SCRAM-SHA-512"))).topic(TOPIC)
    assert found is not None
    assert (found.trouble, list(found.ends)) == ("", [0])
    assert found.rights is not None
    assert "READ" in found.rights


def test_the_doctor_hears_why_its_password_is_refused_and_does_not_show_it(secure: SecureKafka) -> None:
    with pytest.raises(ConfigurationError, match="uthentication failed") as caught:
        surveyed(variables(secure, "kafka-python", secure.sasl, **sasl("PLAIN", "wrong-battery")))
    assert "wrong-battery" not in str(caught.value)
