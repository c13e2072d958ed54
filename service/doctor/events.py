"""What producers send, judged: the dead letters of the last hour, and timestamps ahead of our clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from service.doctor.check import Check, not_checked, warning, well
from service.doctor.phrasing import lasting
from service.messages import Reason
from service.plurals import counted

if TYPE_CHECKING:
    from service.doctor.flow import PartitionStanding

TOLERATED_SHARE = 0.01
AHEAD_MS = 5_000
_READ = "`driftbell dead-letters list --since 1h` shows them (runbook DriftbellDeadLetters)"
_MEND = "correct the producers' clocks: such events move the watermark, and what comes on time is late"


def dead_letter_check(counts: Mapping[str, int], accepted: int) -> Check:
    """Those of the last hour by reason, beside the rows that were accepted meanwhile."""
    dead = sum(counts.values())
    if not dead:
        return well("dead letters", "none in the last hour")
    reasons = ", ".join(
        f"{n:,} {reason}" for reason, n in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )
    said = f"{dead:,} in the last hour beside {accepted:,} accepted: {reasons}"
    if dead <= TOLERATED_SHARE * accepted:
        return well("dead letters", said)
    return warning("dead letters", said, _READ)


def producer_clock_check(
    partitions: Sequence[PartitionStanding], counts: Mapping[str, int], now_ms: int
) -> Check:
    """By the highest event time of each partition, and by what was refused since it came from the future."""
    name, refused = "producers' clocks", counts.get(Reason.FUTURE_TIMESTAMP.value, 0)
    highest = [(one.highest_ms, one) for one in partitions if one.highest_ms is not None]
    if not highest and not refused:
        return not_checked(name, "no event has come yet")
    ahead_ms, one = max(highest, key=lambda pair: pair[0], default=(now_ms, None))
    ahead_ms -= now_ms
    if one is not None and ahead_ms > AHEAD_MS:
        said = f"an event of partition {one.topic} {one.partition} is {lasting(ahead_ms)} ahead of the database's clock"
        return warning(name, said, _MEND)
    if refused:
        said = f"{counted(refused, 'event')} of the last hour came from the future and were refused"
        return warning(
            name, said, "correct the producers' clocks, or say their unit in the monitor (`ts_unit`)"
        )
    return well(name, "no event is ahead of the database's clock")
