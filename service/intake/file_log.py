"""Reads a file or folder of JSON Lines as a partitioned log: for replay, backfill and back-tests."""

from __future__ import annotations

import re
import time
import zlib
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec
import numpy as np
import zstandard

from service.errors import ConfigurationError
from service.intake.line_reader import LineReader, read_blocks
from service.intake.source import Assignment, Bounds, Gap, Polled, Records
from service.messages import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from uuid import UUID

FILE_NAME = re.compile(r"(?:.*-(\d+))?.*?\.(?:jsonl|ndjson|json)(?:\.gz|\.zst)?$")
END_WAIT_SECONDS = 0.05


class FileLogSource:
    """A `Source` over files that do not change while they are read.

    In a folder whose files are all named `...-<number>.jsonl`, numbered 0 to k-1, each file is a partition;
    otherwise a folder's files, in the order of their names, are one log, and so is a single file.
    That one log is one partition, or `partitions` of them by crc32 of the value of the top-level field `key`
    (of lines without it: partition 0), so that records with the same key keep their order.

    Offsets count a partition's lines from 0, blank ones too (their value is b""), without holes.
    There are no tombstones, and no timestamps.
    A poll takes an equal share from every begun partition in the order of their numbers (from a split file:
    the next lines of the file), so the same calls bring the same records in the same order.
    The end is known once it was read: until then `bounds` tells at least one offset more than was read.
    """

    restarts = 0

    def __init__(
        self,
        path: Path,
        partitions: int = 1,
        key: str = "id",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = path
        self._partitions = partitions
        self._key = key
        self._sleep = sleep
        self._logs: list[_Log] = []
        self._paused = False
        self._news = Assignment()

    def start(self) -> None:
        topic = self._path.resolve().name
        files = find_files(self._path)
        numbered = number_files(files)
        if numbered is not None and self._partitions == 1:
            self._logs = [_Log([file], [Partition(topic, number)]) for number, file in enumerate(numbered)]
        else:
            places = [Partition(topic, number) for number in range(self._partitions)]
            self._logs = [_Log(files, places, self._key if self._partitions > 1 else None)]
        self._news = Assignment(assigned=frozenset(place for log in self._logs for place in log.places))

    def poll(self, timeout_seconds: float, max_records: int) -> Polled:
        records: list[Records] = []
        gaps: list[Gap] = []
        going = [] if self._paused else [log for log in self._logs if log.wanted]
        for log in going:
            found, missed = log.read(max(1, max_records // len(going)))
            records.extend(found)
            gaps.extend(missed)
        if not records and not gaps:
            self._sleep(min(timeout_seconds, END_WAIT_SECONDS))
        return Polled(records, gaps)

    def changes(self) -> Assignment:
        news, self._news = self._news, Assignment()
        return news

    def begin(self, partition: Partition, offset: int) -> None:
        self._log_of(partition).begin(partition, offset)

    def end(self, partition: Partition) -> None:
        self._log_of(partition).wanted.pop(partition, None)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def bounds(self, partition: Partition) -> Bounds:
        return Bounds(0, self._log_of(partition).end_of(partition))

    def topic_id(self, topic: str) -> UUID | None:  # noqa: ARG002 - files have no identity that survives a copy
        return None

    def acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        """There is no lag tool to tell."""

    def close(self) -> None:
        self._logs = []

    def _log_of(self, partition: Partition) -> _Log:
        return next(log for log in self._logs if partition in log.places)


class _Log:
    """Some files read in one pass, for one partition or split into several by a key."""

    def __init__(self, files: Sequence[Path], places: Sequence[Partition], key: str | None = None) -> None:
        self.places = places
        self.wanted: dict[Partition, int] = {}  # begun partitions, and where each goes on
        self._files = files
        self._key = None if key is None else KeyOf(key)
        self._rewind()

    def _rewind(self) -> None:
        self._reader = LineReader(self._files)
        self._passed = dict.fromkeys(self.places, 0)  # lines of each partition before the reader's position

    def begin(self, partition: Partition, offset: int) -> None:
        if offset < self._passed[partition]:
            self._rewind()  # the others drop what they had already
        self.wanted[partition] = offset

    def end_of(self, partition: Partition) -> int:
        return self._passed[partition] + (1 if self._reader.look_ahead() else 0)

    def read(self, max_lines: int) -> tuple[list[Records], list[Gap]]:
        if self._key is None:
            (place,) = self.places
            ahead = self.wanted[place] - self._reader.position
            self._reader.skip(ahead)
            self._passed[place] = self._reader.position
        while lines := self._reader.take(max_lines):
            if self._key is None:
                return [self._records(place, lines, [None] * len(lines))], []
            if found := self._split(lines, [self._key(line) for line in lines]):
                return found, []
        return [], self._gaps()

    def _split(self, lines: list[bytes], keys: list[bytes]) -> list[Records]:
        count = len(self.places)
        owners = np.fromiter((crc32(key) % count for key in keys), np.int64, len(keys))
        split = []
        for number, place in enumerate(self.places):
            mine = np.flatnonzero(owners == number).tolist()
            late = self.wanted[place] - self._passed[place] if place in self.wanted else len(mine)
            self._passed[place] += min(max(late, 0), len(mine))
            kept = mine[max(late, 0) :]
            if kept:
                split.append(self._records(place, [lines[i] for i in kept], [keys[i] for i in kept]))
        return split

    def _records(self, place: Partition, lines: list[bytes], keys: Sequence[bytes | None]) -> Records:
        first = self._passed[place]
        self._passed[place] = self.wanted[place] = first + len(lines)
        offsets = np.arange(first, first + len(lines), dtype=np.int64)
        return Records(place, offsets, np.full(len(lines), -1, np.int64), lines, keys)

    def _gaps(self) -> list[Gap]:
        """At the end: whoever still wants an offset beyond it learns so, once."""
        beyond = [(place, offset) for place, offset in self.wanted.items() if offset > self._passed[place]]
        for place, _ in beyond:
            del self.wanted[place]
        return [Gap(place, offset, 0, self._passed[place]) for place, offset in beyond]


class KeyOf:
    """Finds the value of a top-level field in a line of JSON: a string's inside, or a number as written."""

    def __init__(self, field: str) -> None:
        keyed = msgspec.defstruct("Keyed", [("key", msgspec.Raw, msgspec.Raw(b""))], rename={"key": field})
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(keyed)

    def __call__(self, line: bytes) -> bytes:
        try:
            return bytes(self._decoder.decode(line).key).strip(b'"')
        except (msgspec.MsgspecError, ValueError):
            return b""


def lines_in(path: Path) -> int | None:
    """How many lines the log has, counted without looking into them; None of files that cannot be read to their end."""
    try:
        return sum(block.count(b"\n") for file in find_files(path) for block in read_blocks(file))
    except (OSError, EOFError, zlib.error, zstandard.ZstdError):
        return None


def find_files(path: Path) -> list[Path]:
    """The log's files in the order of their names."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        message = f"There is no file or folder {path}: correct the path of the file log."
        raise ConfigurationError(message)
    files = sorted(file for file in path.iterdir() if file.is_file() and FILE_NAME.match(file.name))
    if not files:
        message = f"The folder {path} holds no .jsonl, .jsonl.gz or .jsonl.zst file: correct the path."
        raise ConfigurationError(message)
    return files


def number_files(files: Sequence[Path]) -> list[Path] | None:
    """The files by the numbers in their names, if those are exactly 0 to k-1; else None."""
    found = [FILE_NAME.match(file.name) for file in files]
    numbers = [-1 if match is None or match[1] is None else int(match[1]) for match in found]
    if sorted(numbers) != list(range(len(files))):
        return None
    return [file for _, file in sorted(zip(numbers, files, strict=True))]
