"""A dead letter's whole record: the table keeps its start, the log the rest until retention takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.intake.limits import KEPT_KEY_BYTES
from service.intake.source import Cut, Records
from service.messages import Partition, Reason

if TYPE_CHECKING:
    from service.intake.log_reader import LogReader
    from service.store.dead_letters import DeadLetterRow


def place_of(letter: DeadLetterRow) -> str:
    """Where the record was."""
    return f"offset {letter.offset} of {letter.topic} {letter.partition}"


def is_kept_whole(letter: DeadLetterRow) -> bool:
    """Whether the table has all of the record. One that has killed a process was never looked at."""
    cut = len(letter.value) < letter.size or len(letter.key) >= KEPT_KEY_BYTES
    return not cut and letter.reason != Reason.KILLS_PROCESS


def stored_record(letter: DeadLetterRow) -> Records:
    """The record as the table has it. An empty key and none are the same there."""
    offsets, times = np.array([letter.offset], np.int64), np.array([letter.timestamp_ms], np.int64)
    partition = Partition(letter.topic, letter.partition)
    return Records(partition, offsets, times, [letter.value], [letter.key or None])


def read_record(letter: DeadLetterRow, reader: LogReader) -> Records | str:
    """The record as the log has it, or a sentence that says why not. Raises Unavailable and ConfigurationError."""
    partition = Partition(letter.topic, letter.partition)
    for found in reader.read(partition, letter.offset, letter.offset + 1):
        value = found.values[0]
        if isinstance(value, Cut):
            return f"{place_of(letter)} is {value.size:,} bytes once inflated, too large to be read whole"
        if not _is_the_same(letter, found):
            return f"{place_of(letter)} is another record now: the topic was made anew"
        return found
    kept = f"only the first {len(letter.value):,} of its {letter.size:,} bytes are kept"
    return f"{place_of(letter)} is not in the log any more: retention took it, and {kept}"


def _is_the_same(letter: DeadLetterRow, found: Records) -> bool:
    if letter.reason == Reason.KILLS_PROCESS:
        return True  # only its place is known
    if found.timestamps_ms[0] != letter.timestamp_ms:
        return False
    value, key = found.values[0] or b"", found.keys[0] or b""
    return len(value) == letter.size and value.startswith(letter.value) and key.startswith(letter.key)
