"""How much each fault test does: little in every run of the suite, much with `make faults`.

The one switch is DRIFTBELL_FAULTS_SIZE: `ci` (also when it is not set) or `acceptance`.
"""

from __future__ import annotations

import os
from typing import TypeVar

SWITCH = "DRIFTBELL_FAULTS_SIZE"

T = TypeVar("T")


def is_acceptance() -> bool:
    """Whether the large sizes are asked for."""
    size = os.environ.get(SWITCH, "ci")
    if size not in {"ci", "acceptance"}:
        raise ValueError(f"{SWITCH} is {size!r}; write ci or acceptance")
    return size == "acceptance"


def by_size(ci: T, acceptance: T) -> T:
    """The number for this run."""
    return acceptance if is_acceptance() else ci


PARTITIONS = 8
EVENTS = by_size(60_000, 1_000_000)
PATIENCE_SECONDS = by_size(90.0, 600.0)
"""So long a test waits for what must come; a machine that is merely slow does not fail it."""
