"""What somebody may have meant is guessed where it is near, and nowhere else."""

from __future__ import annotations

import pytest

from service.web.nearest import LONGEST_COMPARED, nearest, unknown_parameter

NAMES = ("churn", "fraud/EU", "Straße")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("chrun", "churn"),
        ("CHURN", "churn"),
        ("churn ", "churn"),
        ("fraud-eu", "fraud/EU"),
        ("strasse", "Straße"),
        ("churn", None),
        ("weather", None),
        ("", None),
        ("churn" * LONGEST_COMPARED, None),
    ],
)
def test_the_nearest_name_is_meant_if_any_is_near(written: str, meant: str | None) -> None:
    assert nearest(written, NAMES) == meant


def test_an_address_without_parameters_says_so() -> None:
    assert unknown_parameter("model", []) == "there is no such parameter; this address takes none"
