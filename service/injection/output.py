"""Where a faulted log goes: a file, plain or packed by its ending, or a topic."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Protocol

import zstandard

from service.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from service.injection.injector import Written
    from service.intake.kafka_writer import KafkaWriter

_FLUSHED = 10_000


def write_file(path: Path, records: Iterable[Written]) -> int:
    """JSON Lines, whole or not at all; says how many. The same records give the same bytes."""
    count = 0
    with _whole(path) as file:
        for record in records:
            file.write(record.value + b"\n")
            count += 1
    return count


def write_topic(writer: KafkaWriter, topic: str, records: Iterable[Written]) -> int:
    """Append them with their keys and times; says how many. Raises Unavailable."""
    count = 0
    for record in records:
        stamp_ms = None if record.stamp_ms < 0 else record.stamp_ms
        writer.send(topic, record.value, key=record.key, timestamp_ms=stamp_ms)
        count += 1
        if count % _FLUSHED == 0:
            writer.flush()
    writer.flush()
    return count


class _Bytes(Protocol):
    """What packs bytes, or does not."""

    def write(self, data: bytes, /) -> int:
        """Take them."""


@contextmanager
def _whole(path: Path) -> Iterator[_Bytes]:
    """A file that appears under its name when it is finished."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as raw, _packed(path.suffix, raw) as file:
            yield file
        part.replace(path)
    except OSError as why:
        raise ConfigurationError(f"cannot write {path}: {why.strerror or why}") from why
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _packed(ending: str, raw: IO[bytes]) -> Iterator[_Bytes]:
    if ending == ".gz":
        with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0, compresslevel=6) as file:
            yield file
    elif ending == ".zst":
        with zstandard.ZstdCompressor().stream_writer(raw, closefd=False) as packer:
            yield packer
    else:
        yield raw
