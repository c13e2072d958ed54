"""What kafka-python keeps to itself, a caller is told: the reason of a refusal, and each line of its log seldom."""

from __future__ import annotations

import logging
import socket
import threading

import pytest
from kafka import KafkaConsumer
from kafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    RequestTimedOutError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
)

from service.embedded.broker import free_port
from service.errors import ConfigurationError, Unavailable
from service.intake.kafka_problems import is_about_certificates
from service.intake.kafka_python_client import Connections, make_client, sorted_errors


def connecting_to(port: int) -> None:
    with sorted_errors("connecting to it"):
        make_client(KafkaConsumer, bootstrap_servers=f"127.0.0.1:{port}", bootstrap_timeout_ms=500)


def test_a_port_where_nobody_listens_is_said_to_refuse() -> None:
    port = free_port()
    said = rf"Kafka is away while connecting to it: .*ECONNREFUSED, asked was 127\.0\.0\.1:{port}$"
    with pytest.raises(Unavailable, match=said):
        connecting_to(port)


def test_a_port_that_hangs_up_is_said_to_hang_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=hang_up_on_all, args=(server,), daemon=True).start()
        with pytest.raises(
            Unavailable, match=r"Kafka is away while connecting to it: .*(disconnected|reset by peer)"
        ):
            connecting_to(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)


def hang_up_on_all(server: socket.socket) -> None:
    while True:
        try:
            server.accept()[0].close()
        except OSError:
            return


def test_a_refusal_outlives_the_end_of_the_connection_and_ends_with_the_next_that_works() -> None:
    connections = Connections()
    refusal, timeout = SaslAuthenticationFailedError("Authentication failed"), KafkaTimeoutError()
    connections._note(KafkaConnectionError("ECONNREFUSED"))
    connections._note(refusal)
    connections._note(RequestTimedOutError())
    assert connections.explain(timeout) is refusal
    connections._note(None)
    assert connections.explain(timeout) is timeout


def test_only_an_end_of_time_is_explained() -> None:
    """Any other error says by itself what it is."""
    connections = Connections()
    connections._note(KafkaConnectionError("ECONNREFUSED"))
    own = KafkaConnectionError("something else")
    assert connections.explain(own) is own


@pytest.mark.parametrize(
    ("reason", "is_one"),
    [
        ("Handshake failed: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: has expired", True),
        ("[SSL: SSLV3_ALERT_BAD_CERTIFICATE] sslv3 alert bad certificate", True),
        ("tlsv1 alert unknown ca", True),
        ("Handshake failed: [SSL: UNEXPECTED_EOF_WHILE_READING]", False),
        (None, False),
    ],
)
def test_a_refused_certificate_needs_a_person(reason: str | None, *, is_one: bool) -> None:
    assert is_about_certificates(reason) is is_one


class Client:
    """What a client of kafka-python is to the sorting of its errors."""

    def __init__(self, *happened: Exception | None) -> None:
        self.connections = Connections()
        for trouble in happened:
            self.connections._note(trouble)


def sorted_of(error: Exception, client: Client) -> Exception:
    with pytest.raises((ConfigurationError, Unavailable)) as caught, sorted_errors("asking", client):
        raise error
    return caught.value


@pytest.mark.parametrize(
    "refusal",
    [
        KafkaConnectionError("certificate verify failed"),
        SaslAuthenticationFailedError("Authentication failed"),
    ],
)
def test_who_was_never_let_in_needs_a_person_and_who_was_may_be_let_in_again(refusal: Exception) -> None:
    """A renewed certificate is shown by one broker after the other; nobody must be woken to start us again."""
    timeout = KafkaTimeoutError("Timed out after 10000 ms")
    never, before = sorted_of(timeout, Client(refusal)), sorted_of(timeout, Client(None, refusal))
    assert isinstance(never, ConfigurationError)
    assert isinstance(before, Unavailable)
    assert "failed" in str(never)
    assert "failed" in str(before)


def test_what_a_user_may_not_do_needs_a_person_at_any_time() -> None:
    error = TopicAuthorizationFailedError("churn")
    assert isinstance(sorted_of(error, Client(None)), ConfigurationError)


def test_each_warning_of_the_client_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Unavailable):
        connecting_to(free_port())
    caplog.clear()
    chatty = logging.getLogger("kafka.cluster")
    for _ in range(50):
        chatty.error("Topic %s not found in cluster metadata", "a")
        chatty.error("Topic %s not found in cluster metadata", "b")
    assert [record.getMessage()[:7] for record in caplog.records] == ["Topic a", "Topic b"]
