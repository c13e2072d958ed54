"""The protocol of appending records to a log and knowing of each whether the log has it: to replay dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.messages import Partition


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to append to this partition. Without a time (None) the log gives it that of its writing."""

    partition: Partition
    key: bytes | None
    value: bytes | None
    timestamp_ms: int | None
    headers: Sequence[tuple[str, bytes]] = ()


class LogWriter(Protocol):
    """A partitioned log that can be appended to. Its callers use it from one thread."""

    def write(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        """Append them in their order and wait. For each: None if the log has it, else a sentence that says why not.

        What was not confirmed in time may be in the log all the same. Raises `Unavailable` when the log is away.
        """

    def close(self) -> None:
        """Disconnect; safe to call twice."""
