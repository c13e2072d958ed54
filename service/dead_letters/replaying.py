"""Writes dead letters to the end of their partitions once more, when they are events by today's monitors.

The log stays the only truth: nothing is counted here. What was written is read by the collectors like any record.
The order is: append, wait until the log has it, mark the letter. A crash in between leaves the letter unmarked, so that
a second replay appends it again: a repeated record then, which its inference id tells, never a lost one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from service.dead_letters.prospects import Judge, Prospect, patience_ms
from service.dead_letters.whole import is_kept_whole, read_record, stored_record
from service.intake.decoder import Decoder
from service.intake.log_writer import NewRecord
from service.intake.source import Records
from service.messages import Partition, Reason
from service.store.configuration import load_configuration
from service.store.dead_letters import (
    DeadLetterFilter,
    DeadLetterRow,
    counted_so_far,
    list_dead_letters,
    mark_replayed,
    newest_dead_letter,
    only_one_replay,
)
from service.store.engine import transaction
from service.store.paging import Key, Paging

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.configuration import Configuration
    from service.intake.limits import Limits
    from service.intake.log_reader import LogReader
    from service.intake.log_writer import LogWriter
    from service.messages import UnknownModels

_PAGE = 200
_PAGE_BYTES = 32 * 2**20
ORIGIN = "__driftbell.replayed"
"""Headers of this name and `.topic`, `.partition`, `.offset` and `.reason` say where a record was a dead letter."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which letters to replay, at most so many. `again`: those that were, too; `broken`: those still bad, too."""

    wanted: DeadLetterFilter
    most: int | None = None
    broken: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of one letter; `trouble` says why its bytes cannot be had, or why the log did not take them."""

    letter: DeadLetterRow
    prospect: Prospect | None
    written: bool = False
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """A letter, and its record where that could be had."""

    tried: Tried
    record: Records | None = None


@dataclass
class Replaying:
    """Looks at dead letters with today's monitors and writes them to their log. One at a time writes."""

    engine: Engine
    unknown_models: UnknownModels
    limits: Limits
    open_reader: Callable[[], LogReader]
    open_writer: Callable[[], LogWriter]

    def newest_id(self) -> int:
        """The id of the newest letter: what comes in later is in no replay that was looked at before."""
        with transaction(self.engine) as connection:
            return newest_dead_letter(connection)

    def look(self, choice: Choice) -> Iterator[Tried]:
        """What would become of these letters, oldest first. Raises Unavailable."""
        with self._begun(choice) as replay:
            for page in replay.pages():
                yield from (one.tried for one in replay.judged(page))

    def write(self, choice: Choice) -> Iterator[Tried]:
        """Write what decodes, oldest first, and mark it. Raises Unavailable, also when another replay is running."""
        with only_one_replay(self.engine), self._begun(choice) as replay:
            for page in replay.pages():
                yield from replay.written(replay.judged(page))

    def _begun(self, choice: Choice) -> closing[_Replay]:
        return closing(_Replay(self, choice, load_configuration(self.engine)))


@dataclass
class _Replay:
    """One run: the monitors as they are now, and what its partitions have counted so far."""

    about: Replaying
    choice: Choice
    configuration: Configuration
    _judges: dict[Partition, Judge] = field(default_factory=dict)
    _reader: LogReader | None = None
    _writer: LogWriter | None = None

    def close(self) -> None:
        """Disconnect from the log."""
        for one in (self._reader, self._writer):
            if one is not None:
                one.close()

    # Letters

    def pages(self) -> Iterator[Sequence[DeadLetterRow]]:
        """The chosen letters, oldest first, in pieces of bounded weight."""
        page: list[DeadLetterRow] = []
        for letter in islice(self._letters(), self.choice.most):
            if page and (len(page) == _PAGE or sum(one.size for one in page) + letter.size > _PAGE_BYTES):
                yield page
                page = []
            page.append(letter)
        if page:
            yield page

    def _letters(self) -> Iterator[DeadLetterRow]:
        wanted, after = self._wanted(), None
        while True:
            chunk = self._chunk(wanted, after)
            yield from (one for one in chunk if self._may(one))
            if len(chunk) < _PAGE:
                return
            after = (chunk[-1].id,)

    def _wanted(self) -> DeadLetterFilter:
        wanted = self.choice.wanted
        if wanted.last_id is None:
            wanted = replace(wanted, last_id=self.about.newest_id())  # else our own would be found, on and on
        return wanted if self.choice.again else replace(wanted, replayed=False)

    def _chunk(self, wanted: DeadLetterFilter, after: Key | None) -> Sequence[DeadLetterRow]:
        with transaction(self.about.engine) as connection:
            return list_dead_letters(connection, wanted, Paging(_PAGE, after), oldest_first=True).rows

    def _may(self, letter: DeadLetterRow) -> bool:
        """What has killed processes is touched only when a person asks for just that."""
        return letter.reason != Reason.KILLS_PROCESS or self.choice.wanted.reason == Reason.KILLS_PROCESS

    # Judging and writing

    def judged(self, page: Sequence[DeadLetterRow]) -> list[_Judged]:
        """Each letter with its whole record and its prospect."""
        made = []
        for letter in page:
            record = self._whole(letter)
            if isinstance(record, str):
                made.append(_Judged(Tried(letter, None, trouble=record)))
            else:
                made.append(_Judged(Tried(letter, self._judge_of(record.partition).judge(record)), record))
        for judge in self._judges.values():
            judge.forget()
        return made

    def _whole(self, letter: DeadLetterRow) -> Records | str:
        if is_kept_whole(letter):
            return stored_record(letter)
        self._reader = self._reader or self.about.open_reader()
        return read_record(letter, self._reader)

    def _judge_of(self, partition: Partition) -> Judge:
        if partition not in self._judges:
            with transaction(self.about.engine) as connection:
                counted = counted_so_far(connection, partition, patience_ms(self.configuration))
            decoder = Decoder(
                self.configuration, unknown_models=self.about.unknown_models, limits=self.about.limits
            )
            self._judges[partition] = Judge(decoder, counted.highest_ms, counted.ids)
        return self._judges[partition]

    def written(self, judged: Sequence[_Judged]) -> list[Tried]:
        """Append what decodes, or all of it; mark what the log has."""
        chosen = {
            one.tried.letter.id: _new_record(one.tried.letter, one.record)
            for one in judged
            if one.record is not None and self._is_wanted(one.tried.prospect)
        }
        if not chosen:
            return [one.tried for one in judged]
        self._writer = self._writer or self.about.open_writer()
        troubles = dict(zip(chosen, self._writer.write(list(chosen.values())), strict=True))
        done = [number for number, trouble in troubles.items() if trouble is None]
        mark_replayed(self.about.engine, done)
        return [_told(one.tried, troubles) for one in judged]

    def _is_wanted(self, prospect: Prospect | None) -> bool:
        return prospect is not None and (prospect.decodes or self.choice.broken)


def _told(tried: Tried, troubles: Mapping[int, str | None]) -> Tried:
    if tried.letter.id not in troubles:
        return tried
    trouble = troubles[tried.letter.id]
    return replace(tried, written=trouble is None, trouble=trouble)


def _new_record(letter: DeadLetterRow, record: Records) -> NewRecord:
    """The same key, value and time: an event without a `ts` of its own keeps its time by it."""
    origin = {
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "reason": letter.reason,
    }
    headers = tuple((f"{ORIGIN}.{name}", str(value).encode()) for name, value in origin.items())
    timestamp_ms = int(record.timestamps_ms[0])
    return NewRecord(
        record.partition, record.keys[0], record.values[0], timestamp_ms if timestamp_ms >= 0 else None, headers
    )  # fmt: skip
