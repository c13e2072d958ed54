"""Files, plain and packed, whole or not at all; and topics."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from service.errors import ConfigurationError
from service.injection.injector import Written
from service.injection.output import write_file, write_topic

LINES = [Written(b"one", None, -1), Written(b"", b"key", 7), Written(b"three", None, -1)]
TEXT = b"one\n\nthree\n"


def test_the_ending_says_how_a_file_is_packed(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst")]
    assert [write_file(place, LINES) for place in places] == [3, 3, 3]
    plain, packed, zst = (place.read_bytes() for place in places)
    assert (
        plain
        == gzip.decompress(packed)
        == zstandard.ZstdDecompressor().decompressobj().decompress(zst)
        == TEXT
    )


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.gz", "two.gz"):
        write_file(tmp_path / name, LINES)
    one, two = ((tmp_path / name).read_bytes() for name in ("one.gz", "two.gz"))
    assert one == two
    assert one[4:8] == bytes(4)  # no time of writing


def test_a_file_that_cannot_be_finished_is_not_there(tmp_path: Path) -> None:
    def broken() -> Iterator[Written]:
        yield LINES[0]
        raise ConfigurationError("the log breaks off")

    with pytest.raises(ConfigurationError, match="breaks off"):
        write_file(tmp_path / "a.jsonl", broken())
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^cannot write .*none/a.jsonl: No such file or directory$"):
        write_file(tmp_path / "none" / "a.jsonl", LINES)


class FakeWriter:
    """Remembers what it was sent, and when it was flushed."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, topic: str, value: bytes, *, key: bytes | None, timestamp_ms: int | None) -> None:
        """One record."""
        self.sent.append((topic, value, key, timestamp_ms))

    def flush(self) -> None:
        """All of them."""
        self.sent.append("flush")


def test_a_topic_gets_keys_and_times_and_is_flushed_at_the_end() -> None:
    writer = FakeWriter()
    assert write_topic(writer, "test", LINES) == 3  # type: ignore[arg-type] - a fake
    assert writer.sent == [
        ("test", b"one", None, None),
        ("test", b"", b"key", 7),
        ("test", b"three", None, None),
        "flush",
    ]
