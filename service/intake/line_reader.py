"""Reads the lines of plain, gzip and zstd files in big blocks, one file after the other."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import msgspec
import zstandard

from service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BLOCK_BYTES = 1 << 20
ZSTD_SLICE_BYTES = 1 << 11  # all that comes of a slice is in memory at once: 64 MiB at the very worst
MAX_LINE_BYTES = 64 << 20


class LineReader:
    """A forward cursor over the lines of some files, read as if they were one.

    Memory stays near one block (or one line, where that is longer).
    A last line without a newline counts if it is whole JSON; else the file is taken as truncated.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = files
        self._blocks = self._split_blocks()
        self._lines: list[bytes] = []
        self._taken = 0
        self.position = 0  # lines taken or skipped so far
        self.is_at_end = False

    def take(self, count: int) -> list[bytes]:
        """The next lines, at most `count`, without their newlines; empty only at the end.

        Raises ConfigurationError naming file and line when a file breaks off, after all lines before that.
        """
        if not self._fill():
            return []
        lines = self._lines[self._taken : self._taken + count]
        self._taken += len(lines)
        self.position += len(lines)
        return lines

    def skip(self, count: int) -> None:
        """Pass over the next `count` lines, or over what there is."""
        while count > 0 and self._fill():
            passed = min(count, len(self._lines) - self._taken)
            self._taken += passed
            self.position += passed
            count -= passed

    def look_ahead(self) -> bool:
        """Whether there is another line."""
        return self._fill()

    def _fill(self) -> bool:
        while self._taken >= len(self._lines):
            block = next(self._blocks, None)
            if block is None:
                self.is_at_end = True
                return False
            self._lines, self._taken = block, 0
        return True

    def _split_blocks(self) -> Iterator[list[bytes]]:
        for file in self._files:
            yield from split_lines(file)


def split_lines(file: Path) -> Iterator[list[bytes]]:
    """The lines of one file, a list for each block."""
    line = 0
    parts: list[bytes] = []  # of the line that the block's end cut
    size = 0
    try:
        for block in read_blocks(file):
            head, newline, rest = block.partition(b"\n")
            parts.append(head)
            size += len(head)
            if size > MAX_LINE_BYTES:
                message = f"{file}, line {line + 1}: longer than {MAX_LINE_BYTES} bytes; is it JSON Lines?"
                raise ConfigurationError(message)
            if not newline:
                continue
            lines = rest.split(b"\n")
            lines.insert(0, b"".join(parts))
            parts = [lines.pop()]
            size = len(parts[0])
            line += len(lines)
            yield lines
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        message = f"{file}, after line {line}: cannot be read on ({error}); replace the file."
        raise ConfigurationError(message) from error
    last = b"".join(parts)
    if last:
        try:
            msgspec.json.decode(last)
        except (msgspec.DecodeError, ValueError) as error:
            message = (
                f"{file}, line {line + 1}: breaks off in the middle; replace the file or remove this line."
            )
            raise ConfigurationError(message) from error
        yield [last]


def read_blocks(file: Path) -> Iterator[bytes]:
    """The uncompressed bytes of a file, by its ending."""
    if file.suffix == ".zst":
        yield from _read_zstd(file)
        return
    with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            yield block


def _read_zstd(file: Path) -> Iterator[bytes]:
    """Frame by frame, since the library's own reader takes a truncated file for a whole one."""
    frame = None
    parts: list[bytes] = []
    size = 0
    with file.open("rb") as stream:
        while compressed := stream.read(ZSTD_SLICE_BYTES):
            while compressed:
                frame = frame or zstandard.ZstdDecompressor().decompressobj()
                parts.append(frame.decompress(compressed))
                size += len(parts[-1])
                compressed, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
            if size >= BLOCK_BYTES:
                yield b"".join(parts)
                parts, size = [], 0
    yield b"".join(parts)
    if frame is not None:
        message = "the zstd frame is not finished"
        raise EOFError(message)
