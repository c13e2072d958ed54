"""What every client made of kafka-python shares: how one is made, and what its errors ask for."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from functools import partial
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
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    UnsupportedCodecError,
    UnsupportedSaslMechanismError,
)

from service.errors import ConfigurationError
from service.intake.kafka_problems import away, is_about_certificates, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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
SAY_AGAIN_SECONDS = 60.0
"""While a topic is missing kafka-python asks for it, and says so, ten times a second."""


class Connections:
    """Remembers why the newest connection of a client could not be used, until one can be.

    A refusal is not forgotten for a mere end of a connection or of a wait that comes after it.

    kafka-python itself only logs that, and tells its caller of a timeout. It leans on the client's inner parts, so
    the version is pinned.
    """

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.worked = False

    def watch(self, network: Any) -> None:
        """Look at every connection that this client opens."""
        manager = network._manager  # noqa: SLF001 - see the class
        manager.get_connection = partial(self._opened, manager.get_connection)
        manager._build_transport = partial(_attentive, manager._build_transport)  # noqa: SLF001 - see the class

    def _opened(self, get_connection: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        connection = get_connection(*arguments, **options)
        if connection.initializing and not hasattr(connection, "is_watched"):
            connection.is_watched = True
            connection.init_future.add_callback(lambda _: self._note(None))
            connection.init_future.add_errback(self._note)
        return connection

    def _note(self, trouble: Exception | None) -> None:
        self.worked = self.worked or trouble is None
        if trouble is None or _is_refusal(trouble) or not _is_refusal(self.trouble):
            self.trouble = trouble

    def explain(self, error: Exception) -> Exception:
        """The error, or what is behind it when all it says is that time is up."""
        if self.trouble is None or not isinstance(error, KafkaTimeoutError):
            return error
        return self.trouble


async def _attentive(build: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """A transport that hands over a broker's last words before it says that the broker has hung up.

    kafka-python 3.0.12 drops what arrives together with the end: the reason why a password was refused, for one.
    """
    transport = await build(*arguments, **options)
    receive = transport._sock_recv  # noqa: SLF001 - see Connections

    def receive_all() -> tuple[bytes, Any]:
        received, error = receive()
        return (received, None) if received else (received, error)  # the end is met again at the next look

    transport._sock_recv = receive_all  # noqa: SLF001 - see Connections
    return transport


def make_client(client: Any, **options: Any) -> Any:
    """A client, or nothing left of it: kafka-python lets its thread run on when it cannot connect.

    Raises what kept it from connecting. `client.connections` is the `Connections` of what was made.
    """
    networks: list[Any] = []
    connections = Connections()

    def network(**configuration: Any) -> Any:
        networks.append(client.DEFAULT_CONFIG["kafka_client"](**configuration))
        connections.watch(networks[-1])
        return networks[-1]

    _say_less_often()
    try:
        made = client(kafka_client=network, **options)
    except BaseException as error:
        for left in networks:
            left.close()
        if not isinstance(error, KafkaError):
            raise
        reason = connections.explain(error)
        reason.add_note(f"asked was {_listed(options['bootstrap_servers'])}")
        if reason is not error:
            raise reason from error
        raise
    made.connections = connections
    return made


@contextmanager
def sorted_errors(doing: str, client: Any = None) -> Iterator[None]:
    """Raise what went wrong in the client as what the caller must do.

    Who was let in before may be let in again: certificates and passwords are changed on one side after the other.
    """
    try:
        yield
    except (KafkaError, ConnectionError, TimeoutError) as error:
        connections = client.connections if client is not None else Connections()
        reason = connections.explain(error)
        needs_person = not connections.worked if _is_refusal(reason) else isinstance(reason, FOR_A_PERSON)
        told = ", ".join([str(reason), *getattr(reason, "__notes__", ())])
        raise (refused if needs_person else away)(doing, told) from error
    except (OSError, ValueError) as error:  # a certificate that cannot be read, an address that is none
        message = f"Kafka's settings cannot be used: {error}"
        raise ConfigurationError(message) from error


def _listed(servers: str | Sequence[str]) -> str:
    return servers if isinstance(servers, str) else ", ".join(servers)


def _is_refusal(error: Exception | None) -> bool:
    return isinstance(error, SaslAuthenticationFailedError) or is_about_certificates(error)


class _Seldom(logging.Filter):
    """Lets each line through once a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        line, now = record.getMessage(), time.monotonic()
        if now - self._said_at.get(line, -SAY_AGAIN_SECONDS) < SAY_AGAIN_SECONDS:
            return False
        self._said_at = {said: at for said, at in self._said_at.items() if now - at < SAY_AGAIN_SECONDS}
        self._said_at[line] = now
        return True


def _say_less_often() -> None:
    chatty = logging.getLogger("kafka.cluster")
    if not any(isinstance(one, _Seldom) for one in chatty.filters):
        chatty.addFilter(_Seldom())
