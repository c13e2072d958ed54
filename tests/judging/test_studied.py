"""What is made of a reference is made once, and is that reference's own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from service.judging import studied
from service.judging.studied import Studied, Studies
from service.scoring.scorer import AllRows
from service.sketches.pane import PaneSketch
from tests.scoring.sketches import AMOUNT, COUNTRY, REFERENCE, usual
from tests.scoring.streams import calm_reference

FRENCH = usual(500, 9)


@dataclass(frozen=True)
class OfFrance(AllRows):
    """A reference that knows the rows of France."""

    def segment(self, name: str) -> PaneSketch | None:
        return FRENCH if name == "country=FR" else None


def test_everything_is_made_once() -> None:
    one = Studied(OfFrance(REFERENCE))
    for segment in ("", "country=FR", "country=IT"):
        assert one.usual(segment) is one.usual(segment) is not None
        assert one.plan(segment) is one.plan(segment)
    assert one.relations(frozenset({AMOUNT})) is one.relations(frozenset({AMOUNT}))


def test_a_segment_has_its_own_if_its_rows_are_known() -> None:
    one = Studied(OfFrance(REFERENCE))
    assert one.plan("country=FR") is not one.plan("")
    assert one.plan("country=IT") is one.plan("")
    french, italian = one.usual("country=FR"), one.usual("country=IT")
    assert french is not None
    assert italian is not None
    assert (french.quality_only, italian.quality_only) == (False, True)


def test_columns_that_are_left_out_are_in_no_relation() -> None:
    one = Studied(calm_reference())
    assert one.relations(frozenset()).columns == (AMOUNT,)
    assert one.relations(frozenset({AMOUNT})).columns == ()
    assert one.relations(frozenset({COUNTRY})).left_out == {COUNTRY}


def test_a_reference_is_studied_once_and_another_with_the_same_rows_is_another() -> None:
    studies, one, other = Studies(), AllRows(REFERENCE), AllRows(REFERENCE)
    assert studies.of(one) is studies.of(one)
    assert studies.of(one) is not studies.of(other)
    assert studies.of(other).reference is other


def test_only_the_latest_references_and_relations_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studied, "_MOST_REFERENCES", 2)
    monkeypatch.setattr(studied, "_MOST_RELATIONS", 1)
    studies, references = Studies(), [AllRows(REFERENCE) for _ in range(3)]
    first = [studies.of(reference) for reference in references]
    assert studies.of(references[0]) is not first[0]
    assert studies.of(references[2]) is first[2]
    relations = first[2].relations(frozenset())
    first[2].relations(frozenset({AMOUNT}))
    assert first[2].relations(frozenset()) is not relations
