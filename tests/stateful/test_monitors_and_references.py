"""Whatever is applied, stored, learned and raced in whatever order: the store holds what the ledger says."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, delete, insert

from service.configuration import Configuration
from service.errors import ConfigurationError
from service.messages import Column, Role
from service.monitor import HOUR_MS, Budget, Monitor, WindowSpec
from service.monitor_file import parse_monitors
from service.sketches.grids import Grid, number_grid
from service.store import configuration as store
from service.store.configuration import StoredReference
from service.store.engine import transaction
from service.store.tables import source_partition
from tests.fakes.collecting import empty
from tests.faults.sizes import by_size
from tests.stateful.ledger import Entry, Ledger

pytestmark = pytest.mark.postgres

START_MS = 1_795_305_600_000
EXAMPLES, STEPS = by_size((10, 20), (200, 50))
NAMES = st.sampled_from(["churn", "fraud", "<b>é</b>", "%s; --"])
REFERENCES = st.builds(
    lambda name, profile, high: StoredReference(
        name, "churn", Grid((number_grid(Column(Role.FEATURE, "x"), np.linspace(0, high, 9)),)), 9, profile
    ),
    st.sampled_from(["r1", "r2"]), st.sampled_from([b"one", b"two"]), st.sampled_from([1.0, 5.0]),
)  # fmt: skip
MONITORS = st.builds(
    Monitor, NAMES,
    reference=st.sampled_from([None, None, "r1", "r2", "never stored"]),
    pane_ms=st.sampled_from([60_000, HOUR_MS]), windows=st.just((WindowSpec.tumbling(HOUR_MS),)),
    segments=st.sampled_from([(), ("country",)]), budget=st.sampled_from([Budget(), Budget(false_pages=2.5)]),
)  # fmt: skip
DISTINCT_MONITORS = st.lists(MONITORS, max_size=3, unique_by=lambda monitor: monitor.model)
NOW_MS = st.integers(START_MS, START_MS + 3 * HOUR_MS)


class Machine(RuleBasedStateMachine):
    """The store on the one side, the ledger on the other."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        empty(engine)
        self.engine = engine
        self.ledger = Ledger()

    @rule(monitors=DISTINCT_MONITORS, references=st.lists(REFERENCES, max_size=1), now_ms=NOW_MS)
    def apply(self, monitors: Sequence[Monitor], references: Sequence[StoredReference], now_ms: int) -> None:
        expected = self.ledger.apply(monitors, references, now_ms)
        if expected is None:
            with pytest.raises(ConfigurationError, match="there is no reference"):
                store.apply_monitors(self.engine, monitors, references, now_ms)
        else:
            found = store.apply_monitors(self.engine, monitors, references, now_ms)
            assert [(a.model, a.action, a.since_ms) for a in found] == expected

    @rule(now_ms=NOW_MS)
    def apply_what_is_exported(self, now_ms: int) -> None:
        """What a person writes back as it came changes nothing, but that it is now asked for."""
        if not self.ledger.models:
            return
        monitors = parse_monitors(store.export_monitors(self.engine), "exported")
        expected = self.ledger.apply(monitors, (), now_ms)
        found = store.apply_monitors(self.engine, monitors, (), now_ms)
        assert [(a.model, a.action, a.since_ms) for a in found] == expected

    @rule(one=MONITORS, other=MONITORS, now_ms=NOW_MS)
    def apply_two_at_once(self, one: Monitor, other: Monitor, now_ms: int) -> None:
        """Two people who do not know of each other: one comes first, and what that means is one of two ledgers."""
        outcomes = []
        for order in ((one, other), (other, one)):
            ledger = self.ledger.copy()
            for monitor in order:
                ledger.apply([monitor], (), now_ms)
            outcomes.append(ledger)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda monitor: self._try_to_apply(monitor, now_ms), (one, other)))
        found = store.load_configuration(self.engine)
        self.ledger = next((o for o in outcomes if agrees(found, o)), outcomes[0])

    def _try_to_apply(self, monitor: Monitor, now_ms: int) -> None:
        try:
            store.apply_monitors(self.engine, [monitor], (), now_ms)
        except ConfigurationError:
            assert monitor.reference is not None

    @rule(names=st.lists(NAMES, min_size=1, max_size=3, unique=True))
    def learn(self, names: Sequence[str]) -> None:
        with transaction(self.engine) as connection:
            store.learn_models(connection, names)
        self.ledger.learn(names)

    @rule(one=REFERENCES)
    def store_reference(self, one: StoredReference) -> None:
        store.store_reference(self.engine, one)
        self.ledger.store(one)

    @rule(ahead_ms=st.integers(0, HOUR_MS))
    def read_further(self, ahead_ms: int) -> None:
        """A partition's event time moves the border behind which a change may begin."""
        self.ledger.highest_ms = max(self.ledger.highest_ms, START_MS) + ahead_ms
        row = {"topic": "t", "partition": 0, "next_offset": 0, "first_offset": 0}
        with transaction(self.engine) as connection:
            connection.execute(delete(source_partition))
            connection.execute(insert(source_partition).values(row | {"highest_ms": self.ledger.highest_ms}))

    @invariant()
    def the_store_holds_what_the_ledger_says(self) -> None:
        found = store.load_configuration(self.engine)
        assert written(found) == expected_of(self.ledger)
        assert store.current_revision(self.engine) == self.ledger.revision
        for name in ("r1", "r2", "never stored"):
            one = self.ledger.references.get(name)
            assert store.load_reference(self.engine, name) == (one.profile if one else None)
        for model, entries in self.ledger.models.items():
            check_times(found, model, entries)


def check_times(found: Configuration, model: str, entries: Sequence[Entry]) -> None:
    """At every time the newest version that has begun is in force."""
    assert [e.since_ms for e in entries] == sorted(e.since_ms for e in entries)
    for ts_ms in {e.since_ms + more for e in entries for more in (0, 1)}:
        version = found.at(model, ts_ms)
        assert version is not None
        assert version.monitor == [e for e in entries if e.since_ms <= ts_ms][-1].monitor


Written = tuple[dict[str, list[tuple[Monitor, str, int, int, str | None]]], int, int]


def written(found: Configuration) -> Written:
    """What the store holds, as plain values."""
    models = {
        model: [(v.monitor, v.grid.id, v.since_ms, v.number, v.reference_name) for v in versions]
        for model, versions in found.models.items()
    }
    return models, found.revision, found.learned


def expected_of(ledger: Ledger) -> Written:
    """The same of the ledger."""
    models = {
        model: [(e.monitor, e.grid_id, e.since_ms, n, e.monitor.reference) for n, e in enumerate(entries, 1)]
        for model, entries in ledger.models.items()
        if entries
    }
    return (
        models,
        ledger.revision,
        sum(entries[-1].is_learned for entries in ledger.models.values() if entries),
    )


def agrees(found: Configuration, ledger: Ledger) -> bool:
    """Whether this is how it came out."""
    return written(found) == expected_of(ledger)


def test_the_store_does_what_the_ledger_does(engine: Engine) -> None:
    run_state_machine_as_test(
        lambda: Machine(engine),
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
