"""References learned of live panes hold exactly the events in their span of time, whatever grids those came on."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, insert

from service.configuration import Configuration, ModelVersion
from service.errors import ConfigurationError
from service.intake.decoder import Decoder
from service.learning import FEWEST_EVENTS, learn
from service.monitor import Monitor
from service.reference.profile import ReferenceProfile, profile_from_bytes, profile_to_bytes
from service.sketches.codec import pane_to_bytes
from service.sketches.grids import Grid
from service.store import configuration as store
from service.store.configuration import StoredReference
from service.store.engine import transaction
from service.store.tables import pane
from tests.fakes.collecting import empty
from tests.faults.sizes import by_size
from tests.intake.events import event, records, sketches

pytestmark = pytest.mark.postgres

START_MS, PANE_MS, PANES = 1_795_305_060_000, 60_000, 6
EXAMPLES, STEPS = by_size((6, 15), (200, 50))
PLACES = st.integers(0, PANES)
NAMES = st.sampled_from(["first", "second"])


class Machine(RuleBasedStateMachine):
    """`counted` are the events of each pane, `stored` the references by name, `grid` what events are counted on."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        empty(engine)
        store.apply_monitors(engine, [Monitor("bare")], [], 0)
        self.engine = engine
        self.partition = 0
        self.grid = Grid()
        self.counted: dict[int, int] = defaultdict(int)
        self.stored: dict[str, ReferenceProfile] = {}

    @rule(place=st.integers(0, PANES - 1), events=st.sampled_from([1, 60, 150]))
    def count(self, place: int, events: int) -> None:
        """Another partition's pane of this time."""
        start_ms = START_MS + place * PANE_MS
        version = ModelVersion(Monitor("bare"), self.grid)
        decoder = Decoder(Configuration({"bare": (version,)}))
        bodies = [
            event(model="bare", id=str(i), ts=start_ms, features={"amount": i / 4}) for i in range(events)
        ]
        sketch = sketches(decoder, [decoder.decode(records(bodies))])["bare"]
        self.partition += 1
        row = {
            "topic": "t", "partition": self.partition, "model": "bare", "version": "7", "segment": "",
            "start_ms": start_ms, "end_ms": start_ms + PANE_MS, "grid_id": self.grid.id, "inferences": events,
            "labels": 0, "last_ms": start_ms, "sketch": pane_to_bytes(sketch),
        }  # fmt: skip
        with transaction(self.engine) as connection:
            connection.execute(insert(pane).values(row))
        self.counted[place] += events

    @rule(one=PLACES, other=PLACES, name=NAMES)
    def learn_and_store(self, one: int, other: int, name: str) -> None:
        """Of the panes between two borders, if there are events enough."""
        first, last = sorted((one, other))
        span = (START_MS + first * PANE_MS, START_MS + last * PANE_MS)
        events = sum(self.counted[place] for place in range(first, last))
        if events < FEWEST_EVENTS:
            with pytest.raises(ConfigurationError, match=f"has {events} events"):
                learn(self.engine, "bare", name, *span)
            return
        profile = learn(self.engine, "bare", name, *span)
        assert profile.rows == profile.sketch.inferences == events
        amounts = {summary.column.name: summary for summary in profile.columns}["amount"]
        assert (amounts.rows, sum(amounts.missing)) == (events, 0)
        data = profile_to_bytes(profile)
        store.store_reference(self.engine, StoredReference(name, "bare", profile.grid, profile.rows, data))
        self.stored[name] = profile

    @rule(name=NAMES)
    def use(self, name: str) -> None:
        """From now on events are counted on the learned grid."""
        if name not in self.stored:
            with pytest.raises(ConfigurationError, match=f"no reference '{name}'"):
                store.apply_monitors(self.engine, [Monitor("bare", reference=name)], [], 0)
            return
        store.apply_monitors(self.engine, [Monitor("bare", reference=name)], [], 0)
        version = store.load_configuration(self.engine).latest("bare")
        assert version is not None
        assert version.grid.id == self.stored[name].grid.id
        self.grid = version.grid

    @invariant()
    def what_is_stored_comes_back_to_the_byte(self) -> None:
        for name, profile in self.stored.items():
            data = store.load_reference(self.engine, name)
            assert data == profile_to_bytes(profile)
            assert profile_from_bytes(data).grid.id == profile.grid.id


def test_learned_references_hold_what_was_counted(engine: Engine) -> None:
    run_state_machine_as_test(
        lambda: Machine(engine),
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
