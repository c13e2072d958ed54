"""A profile's bytes are canonical, and broken ones are said to be broken."""

from __future__ import annotations

import pytest

from service.errors import FormatError
from service.reference.profile import profile_from_bytes, profile_to_bytes
from tests.reference.tables import OUTPUTS, built, mixed_columns, write_csv


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    path = write_csv(tmp_path_factory.mktemp("t") / "bank.csv", mixed_columns(1_000))
    return built(path, **OUTPUTS)


def test_a_profile_comes_back_from_its_bytes(profile) -> None:
    again = profile_from_bytes(profile_to_bytes(profile))
    assert profile_to_bytes(again) == profile_to_bytes(profile)
    assert (again.columns, again.grid.id, again.task) == (profile.columns, profile.grid.id, profile.task)
    assert [b.inferences for b in again.blocks] == [b.inferences for b in profile.blocks]


def test_the_bytes_begin_with_their_magic(profile) -> None:
    assert profile_to_bytes(profile)[:4] == b"DBrf"


@pytest.mark.parametrize("cut", [0, 3, 17, 18, 500, -1])
def test_cut_bytes_are_no_profile(profile, cut) -> None:
    with pytest.raises(FormatError):
        profile_from_bytes(profile_to_bytes(profile)[:cut])


def test_a_changed_byte_is_noticed_anywhere(profile) -> None:
    data = profile_to_bytes(profile)
    for place in range(0, len(data), 997):
        broken = bytearray(data)
        broken[place] ^= 0x10
        with pytest.raises(FormatError):
            profile_from_bytes(bytes(broken))
