"""What can go wrong, sorted by what the caller must do.

DriftbellError
├── ConfigurationError      stop: a person must mend the setting, monitor or reference; says what to do
├── Unavailable             retry: the database or the broker is away; state in memory stays valid
│   └── TooSlow               one statement took too long, or waited for a lock: the others may go on
├── TooLarge                send less, or set it aside: the broker will never take this record
├── PartitionError          halt this partition, go on with the others
│   ├── PartitionHalted       impossible state or a recreated topic: alert and wait for a person
│   └── PartitionLost         fenced: another worker owns it now; drop memory and wait for assignment
├── Rewound                 the database went backwards: reload the partition and seek down
├── ConfigurationChanged    the monitors changed under the commit: reload and replay the batch
└── FormatError             bytes that are no sketch, profile or grid of ours (magic, version or checksum)

Bad events are not here: they are values (`messages.DeadLetter`), never exceptions.
"""

from __future__ import annotations


class DriftbellError(Exception):
    """The root of every exception that driftbell raises on purpose."""


class ConfigurationError(DriftbellError):
    """A person must act. `problems` holds one sentence for each mistake, all found at once."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Unavailable(DriftbellError):
    """The database or the broker does not answer; the same call may succeed later."""


class TooSlow(Unavailable):
    """The database answers, but not this statement in its time."""


class TooLarge(DriftbellError):
    """The broker refuses a record for its size, however often it is sent."""


class PartitionError(DriftbellError):
    """One partition cannot go on; the others can."""


class PartitionHalted(PartitionError):
    """The partition's stored and seen state contradict each other; only a person can decide."""


class PartitionLost(PartitionError):
    """Another worker has claimed the partition; nothing of ours may be written."""


class Rewound(DriftbellError):
    """The stored offset is lower than what was committed before: the database was restored."""


class ConfigurationChanged(DriftbellError):
    """The monitors' version moved between load and commit."""


class FormatError(DriftbellError):
    """The bytes are not a sketch, profile or grid that this version can read."""
