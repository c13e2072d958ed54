"""What Kafka's refusals mean for a person: one sentence each, the same for both clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_ERROR = 0
UNKNOWN_TOPIC = 3
INVALID_TOPIC = 17
TOPIC_AUTHORIZATION_FAILED = 29


def check_topics(error_codes: Mapping[str, int]) -> None:
    """Raise what the error codes of a metadata answer ask for, all bad topics at once."""
    problems = []
    for topic, code in sorted(error_codes.items()):
        if code == UNKNOWN_TOPIC:
            problems.append(f"Kafka has no topic {topic!r}: create it, or correct the name.")
        elif code == INVALID_TOPIC:
            problems.append(f"{topic!r} is no legal Kafka topic name: correct it.")
        elif code == TOPIC_AUTHORIZATION_FAILED:
            problems.append(f"Kafka hides topic {topic!r} from us: grant this user READ and DESCRIBE on it.")
    if problems:
        raise ConfigurationError(*problems)
    waiting = [topic for topic, code in sorted(error_codes.items()) if code != NO_ERROR]
    if waiting:
        message = f"Kafka is not ready to tell about {', '.join(waiting)} yet"
        raise Unavailable(message)


def is_about_certificates(reason: object) -> bool:
    """Whether one side refused the other's certificate. What else befalls a handshake may heal by itself."""
    words = str(reason).lower()
    return "certificate" in words or "unknown ca" in words


def refused(doing: str, why: object) -> ConfigurationError:
    """Kafka said no, and will say so again until a person acts."""
    return ConfigurationError(
        f"Kafka refused us while {doing} ({why}): check the security options, the rights of this user on "
        "topics and group, and that all members of the group use the cooperative-sticky assignor."
    )


def away(doing: str, why: object) -> Unavailable:
    """Kafka did not answer."""
    return Unavailable(f"Kafka is away while {doing}: {why}")
