"""Dead letters that should be stored against those that are, and ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from service.messages import FilterKey, Partition, iso
from service.verification.discrepancies import Discrepancy, Kind
from service.verification.panes import say_partition

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ids = Mapping[FilterKey, NDArray[np.uint64]]


def compare_letters(
    partition: Partition, expected: Mapping[int, str], stored: Mapping[int, str]
) -> Sequence[Discrepancy]:
    """Reasons by offset."""
    wrong = []
    for offset in sorted(expected.keys() | stored.keys()):
        ours, theirs = expected.get(offset), stored.get(offset)
        name = f"{say_partition(partition)}, offset {offset}"
        if theirs is None and ours is not None:
            wrong.append(Discrepancy(Kind.LETTER_MISSING, name, f"a dead letter ({ours})", "none"))
        elif ours is None and theirs is not None:
            wrong.append(Discrepancy(Kind.LETTER_UNEXPECTED, name, "no dead letter", f"one ({theirs})"))
        elif ours != theirs:
            wrong.append(Discrepancy(Kind.LETTER_REASON, name, f"reason {ours}", f"reason {theirs}"))
    return wrong


def compare_ids(partition: Partition, expected: Ids, stored: Ids) -> Sequence[Discrepancy]:
    """Hashes by pane and stream, sorted."""
    nothing = np.zeros(0, np.uint64)
    wrong = []
    for key in sorted(expected.keys() | stored.keys()):
        ours, theirs = expected.get(key, nothing), stored.get(key, nothing)
        if not np.array_equal(ours, theirs):
            where = f"{key.stream.value} ids of {key.model}, pane from {iso(key.start_ms)}"
            missing = len(np.setdiff1d(ours, theirs))
            said = f"{len(theirs)}, of which {missing} of ours are missing"
            subject = f"{say_partition(partition)}, {where}"
            wrong.append(Discrepancy(Kind.IDS, subject, f"{len(ours)} ids", said))
    return wrong
