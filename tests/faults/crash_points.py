"""The named places at which a worker dies, found from outside: the product knows nothing of them.

    poll ---> begin ---> compare-and-swap ---> panes ---> commit ---> bookkeeping
      ^         ^                ^               ^       ^       ^
   after-poll  before-begin   after-swap   after-panes  before- and after-commit

Most are SQL statements, as SQLAlchemy sends them; the rest are methods that every implementation must have.
A seam that the product no longer has is never passed, and the test of the named places fails.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import wraps
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import Pool

from service.intake.confluent import ConfluentSource
from service.intake.kafka_python import KafkaPythonSource
from service.scoring import windows
from service.store.outbox import Outbox

SOURCES = (KafkaPythonSource, ConfluentSource)


class Point(StrEnum):
    """The places, in the order in which a record passes them."""

    BETWEEN_CLAIM_AND_SEEK = "between-claim-and-seek"
    AFTER_POLL = "after-poll"
    BEFORE_BEGIN = "before-begin"
    AFTER_SWAP = "after-swap"
    AFTER_PANES = "after-panes"
    BEFORE_COMMIT = "before-commit"
    AFTER_COMMIT = "after-commit"
    IN_REVOKE = "in-revoke"
    IN_WINDOW_MERGE = "in-window-merge"
    AFTER_RESULT_INSERT = "after-result-insert"
    IN_OUTBOX_SEND = "in-outbox-send"
    IN_MIGRATION = "in-migration"


OF_COLLECTORS = (
    Point.BETWEEN_CLAIM_AND_SEEK, Point.AFTER_POLL, Point.BEFORE_BEGIN, Point.AFTER_SWAP, Point.AFTER_PANES,
    Point.BEFORE_COMMIT, Point.AFTER_COMMIT, Point.IN_REVOKE,
)  # fmt: skip
OF_EVALUATORS = (Point.IN_WINDOW_MERGE, Point.AFTER_RESULT_INSERT, Point.IN_OUTBOX_SEND)

Pass = Callable[[], None]
"""Called at every passage of the place."""

_SWAP = re.compile(r"UPDATE source_partition SET .*\baccepted=", re.DOTALL)
_RELEASE = re.compile(r"UPDATE source_partition SET claim_token=")
_PANES = re.compile(r"INSERT INTO pane ")
_RESULTS = re.compile(r"INSERT INTO (window_result|finding) ")
_SCHEMA = re.compile(r"\s*(CREATE|ALTER) TABLE (?!alembic_version)")


def install(point: Point, passed: Pass) -> None:
    """Have `passed` called whenever this process comes to the place."""
    _SEAMS[point](passed)


def _before_statement(pattern: re.Pattern[str]) -> Callable[[Pass], None]:
    return lambda passed: _listen("before_cursor_execute", pattern, passed)


def _after_statement(pattern: re.Pattern[str]) -> Callable[[Pass], None]:
    return lambda passed: _listen("after_cursor_execute", pattern, passed)


def _listen(moment: str, pattern: re.Pattern[str], passed: Pass) -> None:
    def look(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if pattern.match(statement):
            passed()

    event.listen(Engine, moment, look)


def _at_commit(passed: Pass) -> None:
    """Of a checkpoint: the transaction that has swapped."""
    _mark_swaps()

    def look(connection: Connection) -> None:
        if connection.info.pop("swapped", False):
            passed()

    event.listen(Engine, "commit", look)


def _after_commit(passed: Pass) -> None:
    """When the connection of a checkpoint that was committed goes back to the pool."""
    _mark_swaps()

    def note(connection: Connection) -> None:
        connection.info["stored"] = connection.info.pop("swapped", False)

    def look(_: Any, record: Any) -> None:
        if record.info.pop("stored", False):
            passed()

    event.listen(Engine, "commit", note)
    event.listen(Pool, "checkin", look)


def _mark_swaps() -> None:
    def note(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        if _SWAP.match(statement):
            connection.info["swapped"] = cursor.rowcount == 1

    def forget(connection: Connection) -> None:
        connection.info.pop("swapped", None)

    event.listen(Engine, "after_cursor_execute", note)
    event.listen(Engine, "rollback", forget)


def _after_poll(passed: Pass) -> None:
    def look(polled: Any) -> None:
        if polled.records:
            passed()

    for source in SOURCES:
        wrap(source, "poll", after=look)


def _before_seek(passed: Pass) -> None:
    for source in SOURCES:
        wrap(source, "begin", before=passed)


def _at_each_pane(passed: Pass) -> None:
    """In the middle of a merge, wherever the function was imported to."""
    merge_slices = windows.merge_slices

    def merge(panes: Iterable[Any]) -> Any:
        def each() -> Iterator[Any]:
            for one in panes:
                passed()
                yield one

        return merge_slices(each())

    for module in list(sys.modules.values()):
        if getattr(module, "merge_slices", None) is merge_slices:
            module.merge_slices = merge  # type: ignore[attr-defined]


def _after_send(passed: Pass) -> None:
    """The receiver has the message, and nobody knows."""
    wrap(Outbox, "delivered", before=passed)


def wrap(
    owner: type, name: str, *, before: Pass = lambda: None, after: Callable[[Any], None] = lambda _: None
) -> None:
    """Do something before and after a method of all objects of a class."""
    original = getattr(owner, name)

    @wraps(original)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        before()
        result = original(*arguments, **named)
        after(result)
        return result

    setattr(owner, name, wrapped)


_SEAMS: dict[Point, Callable[[Pass], None]] = {
    Point.BETWEEN_CLAIM_AND_SEEK: _before_seek,
    Point.AFTER_POLL: _after_poll,
    Point.BEFORE_BEGIN: _before_statement(_SWAP),
    Point.AFTER_SWAP: _after_statement(_SWAP),
    Point.AFTER_PANES: _after_statement(_PANES),
    Point.BEFORE_COMMIT: _at_commit,
    Point.AFTER_COMMIT: _after_commit,
    Point.IN_REVOKE: _before_statement(_RELEASE),
    Point.IN_WINDOW_MERGE: _at_each_pane,
    Point.AFTER_RESULT_INSERT: _after_statement(_RESULTS),
    Point.IN_OUTBOX_SEND: _after_send,
    Point.IN_MIGRATION: _after_statement(_SCHEMA),
}
