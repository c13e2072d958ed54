"""Dead letters to a topic, besides the table: at least once, with their place and reason in the headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from service.messages import Checkpoint


class DeadLetterTopic(Protocol):
    """Where the collector sends the dead letters of a checkpoint once it is stored."""

    def send(self, checkpoint: Checkpoint) -> None:
        """Queue them; never blocks for long and never raises: the table has them already."""

    def close(self) -> None:
        """Send what is queued."""
