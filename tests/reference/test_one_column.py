"""One column out of a profile's bytes is what the whole profile has of it."""

from __future__ import annotations

import pytest

from service.errors import FormatError
from service.messages import Column, Role
from service.reference.one_column import reference_column
from service.reference.profile import profile_to_bytes
from service.reference.regrid import parts_of
from tests.reference.tables import OUTPUTS, built, mixed_columns, write_csv


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    path = write_csv(tmp_path_factory.mktemp("t") / "bank.csv", mixed_columns(1_000))
    return built(path, **OUTPUTS)


def test_every_column_is_the_one_of_the_whole_profile(profile) -> None:
    data = profile_to_bytes(profile)
    whole = parts_of(profile.sketch)
    assert len(whole) > 4
    for column, expected in whole.items():
        found = reference_column(data, column)
        assert found.sketch is not None
        mine = parts_of(found.sketch)[column]
        assert (found.first_ms, found.last_ms) == (profile.first_ms, profile.last_ms)
        assert (mine.numbers_total, mine.texts.counts) == (expected.numbers_total, expected.texts.counts)
        assert mine.missing.tolist() == expected.missing.tolist()


def test_a_segment_that_the_reference_does_not_know_has_no_rows(profile) -> None:
    column = next(iter(parts_of(profile.sketch)))
    assert reference_column(profile_to_bytes(profile), column, "country=XX").sketch is None


def test_a_column_that_the_reference_does_not_know_is_in_none_of_its_rows(profile) -> None:
    found = reference_column(profile_to_bytes(profile), Column(Role.FEATURE, "none"))
    assert found.sketch is not None
    assert parts_of(found.sketch) == {}


@pytest.mark.parametrize("cut", [0, 17, 500, -1])
def test_cut_bytes_are_no_profile(profile, cut) -> None:
    with pytest.raises(FormatError):
        reference_column(profile_to_bytes(profile)[:cut], Column(Role.FEATURE, "none"))
