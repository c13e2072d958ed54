"""What librdkafka's error codes ask for. They are functions because the library may not be installed."""

from __future__ import annotations

from contextlib import suppress

from service.intake.kafka_problems import is_about_certificates

with suppress(ImportError):
    from confluent_kafka import KafkaError


def topic_codes() -> tuple[int, ...]:
    """What is wrong with a topic, in the numbers that Kafka itself uses."""
    return (
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    )


def unknown_codes() -> tuple[int, ...]:
    """That a partition is not there, from the broker or from the client's own memory."""
    return (
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - librdkafka's public codes start so
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    )


def gap_codes() -> tuple[int, ...]:
    """That the log does not hold the offset that we want."""
    return (
        KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001 - librdkafka's public codes start so
        KafkaError._LOG_TRUNCATION,  # noqa: SLF001
        KafkaError.OFFSET_OUT_OF_RANGE,
    )


def corrupt_codes() -> tuple[int, ...]:
    """What librdkafka says of one partition whose bytes, or whose broker, make no sense."""
    return (
        KafkaError._BAD_COMPRESSION,  # noqa: SLF001 - librdkafka's public codes start so
        KafkaError._BAD_MSG,  # noqa: SLF001 - a wrong checksum
        KafkaError._NOT_IMPLEMENTED,  # noqa: SLF001 - a format or a compression of another time
        KafkaError._UNDERFLOW,  # noqa: SLF001
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.UNKNOWN,  # an index or a segment that the broker itself cannot read
        KafkaError.UNSUPPORTED_COMPRESSION_TYPE,
    )


def is_refusal(error: KafkaError) -> bool:
    """Whether one side did not believe the other; a handshake that broke off is no refusal."""
    if error.code() in {KafkaError._SSL, KafkaError._TRANSPORT}:  # noqa: SLF001 - librdkafka's public codes start so
        return is_about_certificates(error.str())
    return error.code() in {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}  # noqa: SLF001 - as above


def person_codes() -> tuple[int, ...]:
    """What will be said again until a person acts."""
    return (
        KafkaError._INVALID_ARG,  # noqa: SLF001 - librdkafka's public codes start so
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.INCONSISTENT_GROUP_PROTOCOL,
        KafkaError.INVALID_GROUP_ID,
        KafkaError.INVALID_SESSION_TIMEOUT,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNSUPPORTED_SASL_MECHANISM,
    )
