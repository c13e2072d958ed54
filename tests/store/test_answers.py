"""Answers of a reference are read as a monitor counts, and live ones never take the place of its own."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import Engine, insert

from service.configuration import ModelVersion
from service.monitor import LabelPolicy, Monitor, Task
from service.performance.answers import Answers, answers_to_bytes
from service.performance.counting import BinaryCounting
from service.performance.estimating import labelled
from service.performance.outcome_codec import outcomes_to_bytes
from service.performance.slices import said
from service.sketches.grids import Grid
from service.store import answers as learning
from service.store.answers import keep_answers, live_answers, reference_answers, stored_answers
from service.store.configuration import StoredReference, store_reference
from service.store.engine import transaction
from service.store.tables import join_name, label_delay, outcome
from tests.detectors.performance import draws

pytestmark = pytest.mark.postgres

YES = BinaryCounting("yes")
OUTCOMES = draws.binary(np.random.default_rng(1), 500).to_arrays()
ANSWERS = answers_to_bytes(Answers({"": (outcomes_to_bytes(YES, OUTCOMES),)}))


def store(engine: Engine, answers: bytes | None, profile: bytes = b"profile") -> None:
    store_reference(engine, StoredReference("r", "churn", Grid(), 100, profile, answers))


def found(engine: Engine, name: str | None = "r", positive: str = "yes", segment: str = "") -> object:
    monitor = Monitor("churn", task=Task.BINARY, labels=LabelPolicy(positive=positive))
    with transaction(engine) as connection:
        return reference_answers(connection, ModelVersion(monitor, Grid(), reference_name=name), segment)


def test_the_outcomes_of_a_reference_are_told_as_they_were_counted(engine: Engine) -> None:
    store(engine, ANSWERS)
    told = found(engine)
    assert isinstance(told, dict)
    assert all((told[name] == one).all() for name, one in OUTCOMES.items())
    assert found(engine, positive="no") is None
    assert found(engine, segment="country=DE") is None
    assert found(engine, name="other") is None
    assert found(engine, name=None) is None


def test_live_answers_are_kept_only_where_there_are_none_and_until_another_reference_comes(
    engine: Engine,
) -> None:
    store(engine, None)
    with transaction(engine) as connection:
        assert stored_answers(connection, "r") is None
        keep_answers(connection, "r", b"live")
        keep_answers(connection, "r", b"later")
    store(engine, None)  # the same profile once more
    with transaction(engine) as connection:
        assert stored_answers(connection, "r") == b"live"
    store(engine, None, b"another profile")
    with transaction(engine) as connection:
        assert stored_answers(connection, "r") is None
    store(engine, ANSWERS, b"a third")
    with transaction(engine) as connection:
        keep_answers(connection, "r", b"live")
        assert stored_answers(connection, "r") == ANSWERS


def test_live_outcomes_are_looked_through_up_to_a_bound_and_not_for_fewer_labels_than_are_needed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pane       0    1    2
    # labelled   500  500  500
    sketch = outcomes_to_bytes(YES, OUTCOMES)
    version = ModelVersion(Monitor("churn", task=Task.BINARY, labels=LabelPolicy(positive="yes")), Grid())
    panes = [{"model": "churn", "start_ms": n * 60_000, "slices": 1, "sketch": sketch} for n in range(3)]

    def learned(most_read: int, labels: int) -> int:
        monkeypatch.setattr(learning, "MOST_READ", most_read)
        with transaction(engine) as connection:
            connection.execute(label_delay.delete())
            connection.execute(insert(label_delay).values(model="churn", bin=1, n=labels))
            answers = live_answers(connection, version, 0, 10**9)
        found = None if answers is None else answers.of(YES)
        return 0 if found is None else labelled(found)

    with transaction(engine) as connection:
        connection.execute(insert(join_name).values(model="churn", number=1, name=said(("7",))))
        connection.execute(insert(outcome), panes)
    assert [learned(n, 1_500) for n in (1, 2, 3)] == [0, 1_000, 1_500]
    assert learned(3, 999) == 0
