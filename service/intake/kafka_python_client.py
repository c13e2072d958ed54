"""What every client made of kafka-python shares: how one is made, and what its errors ask for."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kafka.errors import (
    AuthorizationError,
    IllegalSaslStateError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    InvalidSessionTimeoutError,
    InvalidTopicError,
    KafkaConfigurationError,
    KafkaError,
    SaslAuthenticationFailedError,
    UnsupportedCodecError,
    UnsupportedSaslMechanismError,
)

from service.errors import ConfigurationError
from service.intake.kafka_problems import away, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

FOR_A_PERSON = (
    AuthorizationError,
    IllegalSaslStateError,
    InconsistentGroupProtocolError,
    InvalidGroupIdError,
    InvalidSessionTimeoutError,
    InvalidTopicError,
    KafkaConfigurationError,
    SaslAuthenticationFailedError,
    UnsupportedCodecError,
    UnsupportedSaslMechanismError,
)


def make_client(client: Any, **options: Any) -> Any:
    """A client, or nothing left of it: kafka-python lets its thread run on when it cannot connect."""
    networks: list[Any] = []

    def network(**configuration: Any) -> Any:
        networks.append(client.DEFAULT_CONFIG["kafka_client"](**configuration))
        return networks[-1]

    try:
        return client(kafka_client=network, **options)
    except BaseException:
        for made in networks:
            made.close()
        raise


@contextmanager
def sorted_errors(doing: str) -> Iterator[None]:
    """Raise what went wrong in the client as what the caller must do."""
    try:
        yield
    except FOR_A_PERSON as error:
        raise refused(doing, error) from error
    except (KafkaError, ConnectionError, TimeoutError) as error:
        raise away(doing, error) from error
    except (OSError, ValueError) as error:  # a certificate that cannot be read, an address that is none
        message = f"Kafka's settings cannot be used: {error}"
        raise ConfigurationError(message) from error
