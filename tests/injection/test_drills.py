"""What a game day injects."""

from __future__ import annotations

import pytest

from service.errors import ConfigurationError
from service.injection.catalogue import KINDS
from service.injection.columns import Columns
from service.injection.drills import QUICK, Drill, drills
from service.injection.injector import Injector, Scope
from service.injection.shape import Rename
from service.injection.survey import Survey
from service.injection.texts import NewCategory
from service.injection.traffic import Silence
from service.monitor import Monitor
from tests.injection.logs import FOREVER_MS, START_MS, Event, in_time, label, log_of, rows, surveyed
from tests.injection.test_columns import events

MONITOR = Monitor("churn", segments=("color",))
LOG: list[Event] = in_time([*events(), *(label(n, "yes" if n % 2 else "no") for n in range(400))])
SURVEY = surveyed(LOG)


def of(survey: Survey = SURVEY, kinds: tuple[str, ...] = ()) -> list[Drill]:
    """The drills of a log."""
    return drills(Columns(survey, MONITOR), kinds)


def test_a_model_with_all_sorts_of_columns_gets_every_kind() -> None:
    assert {drill.fault.name for drill in of()} == KINDS.keys()


@pytest.mark.parametrize("drill", of(), ids=str)
def test_each_fits_the_log_that_it_was_made_for(drill: Drill) -> None:
    scope = Scope(START_MS, FOREVER_MS, drill.share, drill.where)
    injector = Injector(drill.fault, scope, SURVEY)
    assert list(injector.run(log_of(LOG)())) != []
    assert injector.hit > 0


def test_what_a_model_has_not_is_not_injected() -> None:
    bare = surveyed(
        [
            {**e, "type": "features", "prediction": None, "features": {"x": n % 7}}
            for n, e in enumerate(rows(100))
        ]
    )
    kinds = {drill.fault.name for drill in of(bare)}
    assert {"missing", "unit", "silence", "late"} <= kinds
    assert kinds.isdisjoint(
        {"category-case", "swap", "permute", "stuck-prediction", "concept-flip", "label-silence"}
    )


def test_segments_are_silenced_and_changed_alone() -> None:
    alone = [drill for drill in of() if drill.where == ("color", "blue")]
    assert {drill.fault.name for drill in alone} == {"unit", "silence", "concept-flip"}


def test_kinds_can_be_chosen_and_wrong_ones_are_said() -> None:
    assert {drill.fault.name for drill in of(kinds=QUICK)} == set(QUICK)
    with pytest.raises(ConfigurationError) as told:
        of(kinds=("renam", "silence", "shfit"))
    assert told.value.problems == (
        "there is no kind of fault 'renam'; did you mean 'rename'?",
        "there is no kind of fault 'shfit'; did you mean 'shift'?",
    )


def test_a_drill_is_told_as_the_options_of_its_command() -> None:
    assert str(Drill(Rename("amount"))) == "rename --feature amount"
    assert str(Drill(NewCategory("country"), 0.05, ("market", "spot"))) == (
        "new-category --feature country --share 0.05 --where market=spot"
    )
    assert str(Drill(Silence(), lasts=0.5)) == "silence"
