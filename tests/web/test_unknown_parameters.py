"""A parameter that an address does not take is told with those that it does."""

from __future__ import annotations

from service.web.unknown_parameters import unknown_parameter


def test_an_address_without_parameters_says_so() -> None:
    assert unknown_parameter("model", []) == "there is no such parameter; this address takes none"
