from __future__ import annotations

from service.plurals import counted


def test_a_count_is_said_with_its_noun() -> None:
    assert (counted(0, "alert"), counted(1, "alert"), counted(1_200, "alert")) == (
        "0 alerts", "1 alert", "1,200 alerts",
    )  # fmt: skip


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert (counted(1, "is a duplicate", "are duplicates"), counted(2, "is a duplicate", "are duplicates")) == (
        "1 is a duplicate", "2 are duplicates",
    )  # fmt: skip
