"""Inflates the records of a batch step by step, so that a bomb of a mebibyte never is a gibibyte in memory."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import snappy
import zstandard
from kafka.codec import snappy_decode
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBatch
from lz4 import frame as lz4_frame

from service.intake.limits import KEPT_VALUE_BYTES
from service.intake.source import Cut

if TYPE_CHECKING:
    from collections.abc import Iterator

INFLATED_AT_ONCE = 32 * 2**20
"""So many bytes of one batch are inflated into one piece of memory; what is more is read step by step."""

_STEP_BYTES = 2**18
_MOST_SNAPPY_RATIO = 24
"""No valid snappy block inflates more often: 64 bytes for a copy of 3."""
_BROKEN = (
    EOFError, OSError, IndexError, ValueError, OverflowError, RuntimeError,
    struct.error, zlib.error, zstandard.ZstdError, snappy.UncompressError,
)  # fmt: skip


class Tape:
    """Reads what a batch inflates to from its start to its end, holding little more than what is asked for.

    Raises EOFError where it ends too early, and what the decompressors raise.
    """

    def __init__(self, steps: Iterator[bytes]) -> None:
        self._steps = steps
        self._held = b""
        self._at = 0
        self._before = 0

    @property
    def position(self) -> int:
        """Bytes read or skipped so far."""
        return self._before + self._at

    def byte(self) -> int:
        """The next byte."""
        if self._at == len(self._held):
            self._next_step()
        self._at += 1
        return self._held[self._at - 1]

    def read(self, size: int) -> bytes:
        """So many bytes."""
        parts = []
        while size > 0:
            if self._at == len(self._held):
                self._next_step()
            part = self._held[self._at : self._at + size]
            self._at += len(part)
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def skip(self, size: int) -> None:
        """Pass over so many bytes."""
        while size > 0:
            if self._at == len(self._held):
                self._next_step()
            passed = min(size, len(self._held) - self._at)
            self._at += passed
            size -= passed

    def number(self) -> int:
        """A zigzag number of 7 bits a byte."""
        result = shift = 0
        while True:
            byte = self.byte()
            result |= (byte & 127) << shift
            if byte < 128:
                return (result >> 1) ^ -(result & 1)
            shift += 7
            if shift > 63:
                raise ValueError("a number of more than 64 bits")

    def text(self) -> bytes | None:
        """A key or value after its size; only the start of one that is too large for memory."""
        size = self.number()
        if size < 0:
            return None
        if size <= INFLATED_AT_ONCE:
            return self.read(size)
        start = self.read(KEPT_VALUE_BYTES)
        self.skip(size - KEPT_VALUE_BYTES)
        return Cut(start, size)

    def is_at_end(self) -> bool:
        """Whether all was read."""
        return self._at == len(self._held) and not next(self._steps, b"")

    def _next_step(self) -> None:
        step = next(self._steps, b"")
        if not step:
            raise EOFError("the batch breaks off")
        self._before += len(self._held)
        self._held, self._at = step, 0


def inflate(batch: Any) -> bytes | Tape:
    """What the batch inflates to: all of it when that is not much, else a tape. Raises what a decompressor raises."""
    data = memoryview(batch._buffer)[batch._pos :]  # noqa: SLF001 - kafka-python's inner parts, see its caller
    codec = batch.compression_type
    if codec == DefaultRecordBatch.CODEC_NONE:
        return bytes(data)
    batch._assert_has_codec(codec)  # noqa: SLF001 - the same
    if codec == DefaultRecordBatch.CODEC_SNAPPY:
        return _from_snappy(bytes(data))
    stream = _opened(codec, io.BytesIO(data))
    steps = deque(_steps_up_to(stream, INFLATED_AT_ONCE + 1))
    if sum(map(len, steps)) <= INFLATED_AT_ONCE:
        return steps[0] if len(steps) == 1 else b"".join(steps)
    return Tape(_steps_of(steps, stream))


def _opened(codec: int, data: io.BytesIO) -> BinaryIO:
    if codec == DefaultRecordBatch.CODEC_GZIP:
        return gzip.GzipFile(fileobj=data)  # type: ignore[return-value]
    if codec == DefaultRecordBatch.CODEC_LZ4:
        return lz4_frame.open(data)  # type: ignore[no-any-return]
    return zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True)


def _steps_up_to(stream: BinaryIO, most: int) -> Iterator[bytes]:
    while most > 0 and (step := stream.read(min(_STEP_BYTES, most))):
        yield step
        most -= len(step)


def _steps_of(held: deque[bytes], stream: BinaryIO) -> Iterator[bytes]:
    """What is held already, let go of as it is read, and then the rest."""
    while held:
        yield held.popleft()
    while step := stream.read(_STEP_BYTES):
        yield step


def _from_snappy(data: bytes) -> bytes:
    """Snappy needs no tape, since a block inflates so many times at most; but it believes what a block declares."""
    for block in _snappy_blocks(data):
        declared = shift = 0
        for byte in block[:5]:
            declared |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if declared > _MOST_SNAPPY_RATIO * len(block):
            raise ValueError(f"a snappy block of {len(block)} bytes declares {declared}")
    inflated: bytes = snappy_decode(data)
    return inflated


_XERIAL = b"\x82SNAPPY\0"


def _snappy_blocks(data: bytes) -> Iterator[bytes]:
    if len(data) <= 16 or not data.startswith(_XERIAL):
        yield data
        return
    at = 16
    while at < len(data):
        (size,) = struct.unpack_from("!i", data, at)
        if size < 0:
            raise ValueError("a snappy block of negative size")
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


@contextmanager
def corrupt_if_broken(base_offset: int) -> Iterator[None]:
    """Whatever the bytes of a batch provoke is one error, which the client knows."""
    try:
        yield
    except CorruptRecordError:
        raise
    except _BROKEN as error:
        message = f"Record batch at offset {base_offset} cannot be read: {error}"
        raise CorruptRecordError(message) from error
