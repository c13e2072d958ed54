"""What a test needs from the machine: a skip where it is missing, a failure where all must be there."""

from __future__ import annotations

import os

import pytest

REQUIRE_ALL = "DRIFTBELL_TEST_REQUIRE_ALL"


def require_or_skip(condition: object, what: str, install_line: str) -> None:
    """Skip the test unless the condition holds; fail it when DRIFTBELL_TEST_REQUIRE_ALL=1 (as in CI)."""
    if condition:
        return
    reason = f"needs {what}; get it with: {install_line}"
    if os.environ.get(REQUIRE_ALL) == "1":
        pytest.fail(f"{reason} ({REQUIRE_ALL}=1 allows no skip)", pytrace=False)
    pytest.skip(reason)
