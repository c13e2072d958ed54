"""The exit code is that of the worst thing found, and only what somebody can mend counts."""

from __future__ import annotations

import pytest

from service.doctor.check import Check, exit_code_of, failure, not_checked, problems_of, warning, well

WELL, WARNING, FAILURE = (
    well("a", "is well"),
    warning("b", "is slow", "wait"),
    failure("c", "is gone", "bring it back"),
)
UNKNOWN, UNWANTED = not_checked("d", "took too long", "ask again"), not_checked("e", "nobody wants it")


@pytest.mark.parametrize(
    ("checks", "code"),
    [([], 0), ([WELL, UNWANTED], 0), ([WELL, WARNING], 1), ([UNKNOWN], 1), ([FAILURE, WARNING, WELL], 2)],
)
def test_the_exit_code_is_that_of_the_worst_check(checks: list[Check], code: int) -> None:
    assert exit_code_of(checks) == code


def test_problems_come_with_the_worst_last_and_keep_their_order_otherwise() -> None:
    other = failure("f", "is gone, too", "bring it back")
    assert problems_of([FAILURE, WELL, WARNING, UNWANTED, other, UNKNOWN]) == [
        UNKNOWN,
        WARNING,
        FAILURE,
        other,
    ]
