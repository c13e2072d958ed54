"""Every mistake in the settings is a failure of its own with its own advice."""

from __future__ import annotations

from service.doctor.check import Condition
from service.doctor.configured import settings_checks


def test_settings_without_mistakes_are_counted() -> None:
    (check,) = settings_checks(3, (), ())
    assert (check.condition, check.sentence) == (Condition.OK, "3 settings given, and all can be used")


def test_each_mistake_is_a_failure_with_the_advice_that_its_sentence_has() -> None:
    found = settings_checks(
        2, ("DRIFTBELL_PROT is no setting; did you mean DRIFTBELL_PORT?", "all is lost"), ()
    )
    assert [(one.condition, one.sentence, one.advice) for one in found] == [
        (Condition.FAILURE, "DRIFTBELL_PROT is no setting", "did you mean DRIFTBELL_PORT?"),
        (Condition.FAILURE, "all is lost", "mend it; `driftbell settings` lists them all"),
    ]


def test_what_is_insecure_and_allowed_is_a_warning() -> None:
    (check,) = settings_checks(2, (), ("the webhook is reached in the clear",))
    assert check.condition is Condition.WARNING
    assert check.sentence == "insecure: the webhook is reached in the clear"
