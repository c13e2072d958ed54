"""A silence keeps messages back, and afterwards people hear what they need to and nothing else."""

from __future__ import annotations

from service.alerting.holding import Letter, Settled, settle


def letter(
    number: int,
    state: str = "firing",
    alert: str = "a",
    *,
    held: bool = False,
    told: bool = False,
    late: bool = False,
) -> Letter:
    return Letter(number, alert, state, "i-1", held, told, late)


def test_what_is_not_silent_goes_its_way() -> None:
    assert settle([letter(1, late=True), letter(2, "resolved", told=True)], set()) == Settled()
    assert settle([letter(1, late=True), letter(2, "resolved")], set()) == Settled()


def test_what_is_silent_is_kept_back_once() -> None:
    assert settle([letter(1, held=True)], {"i-1"}) == Settled()
    assert settle([letter(1, held=True, late=True), letter(2)], {"i-1"}) == Settled(hold=(2,), drop=(1,))


def test_the_end_of_what_was_told_is_told_in_a_silence_too() -> None:
    assert settle([letter(1, "resolved", told=True)], {"i-1"}) == Settled()
    assert settle([letter(1, "resolved", told=False)], {"i-1"}) == Settled(hold=(1,))


def test_what_still_fires_after_the_silence_is_told_with_its_last_words() -> None:
    found = settle(
        [letter(1, held=True, late=True), letter(2, held=True), letter(3, alert="b", held=True)], set()
    )
    assert found == Settled(release=(2, 3), drop=(1,))


def test_what_came_and_went_within_the_silence_is_told_to_nobody() -> None:
    assert settle([letter(1, held=True, late=True), letter(2, "resolved", held=True)], set()) == Settled(
        drop=(1, 2)
    )


def test_what_was_reworded_and_then_resolved_is_told_as_over_only() -> None:
    found = settle([letter(1, held=True, late=True), letter(2, "resolved", told=True)], set())
    assert found == Settled(drop=(1,))


def test_what_was_reworded_in_a_silence_is_never_sent_after_its_end_was() -> None:
    relief = letter(2, "resolved", told=True)
    assert settle([letter(1, held=True, told=True, late=True), relief], {"i-1"}) == Settled(drop=(1,))
    assert settle([letter(1, told=True, late=True), relief], {"i-1"}) == Settled(drop=(1,))
    assert settle([letter(1, held=True, told=True, late=True)], set()) == Settled(drop=(1,))


def test_what_ends_in_the_turn_in_which_the_silence_does_is_told_to_nobody() -> None:
    found = settle([letter(1, held=True, late=True), letter(2, "resolved")], set())
    assert found == Settled(drop=(1, 2))
