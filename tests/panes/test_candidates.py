"""Predictions that a person may be asked to label: a uniform sample of each pane, whatever polls and restarts do."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import xxhash

from service.configuration import Configuration, ModelVersion
from service.messages import PREDICTION, SCORE, Candidate, Column, Role
from service.monitor import FeedbackPolicy, Monitor, Task
from service.panes.candidates import LONGEST_ID, SIZE
from service.pipeline import MOST_CANDIDATES
from service.sketches.grids import Grid, category_grid, number_grid
from tests.panes.logs import Stored, opened, part_of, records

T = 1_795_305_070_000
PANE_MS = 10_000
SPREAD = np.linspace(0.0, 10.0, 50)
AMOUNT, WEIGHT, COUNTRY = (Column(Role.FEATURE, name) for name in ("amount", "weight", "country"))
GRID = Grid(
    tuple(number_grid(column, SPREAD) for column in (AMOUNT, WEIGHT, SCORE)),
    (category_grid(COUNTRY, {"DE": 1}), category_grid(PREDICTION, {"yes": 1, "no": 1})),
)
ASKING = FeedbackPolicy(per_day=10)


def configured(policy: FeedbackPolicy = ASKING, grid: Grid = GRID) -> Configuration:
    monitor = Monitor("churn", task=Task.BINARY, pane_ms=PANE_MS, allowed_lateness_ms=20_000, feedback=policy)
    return Configuration({"churn": (ModelVersion(monitor, grid),)}, 1)


def prediction(number: int, second: float = 0, **changes: Any) -> dict[str, Any]:
    """A prediction so many seconds after T."""
    usual = {
        "type": "prediction", "model": "churn", "version": "7", "id": f"p-{number}", "ts": T + round(second * 1000),
        "features": {"amount": 1.5, "weight": 2.0, "country": "DE"}, "prediction": {"label": "yes", "score": 0.9},
    }  # fmt: skip
    return usual | changes


def left(
    events: list[Any], configuration: Configuration | None = None, *, commits: set[int] = frozenset(),  # type: ignore[assignment]
    restarts: set[int] = frozenset(), cuts: set[int] = frozenset(),  # type: ignore[assignment]
) -> list[Candidate]:  # fmt: skip
    """What the checkpoints of a log hold, in their order."""
    log, stored, found = records(events, T + 10**6), Stored(), list[Candidate]()
    configuration = configuration or configured()
    pipeline = opened(configuration, stored)
    ends = sorted({*commits, *restarts, *cuts, len(log)})
    for start, end in zip([0, *ends], ends, strict=False):
        pipeline.take(part_of(log, start, end))
        if end in commits or end == len(log):
            made = pipeline.checkpoint()
            assert pipeline.checkpoint().candidates == made.candidates, "the same is written again"
            found += made.candidates
            stored.write(made)
            pipeline.committed()
        if end in restarts:  # what was counted since the last checkpoint is read again
            pipeline = opened(configuration, stored)
            pipeline.take(part_of(log, stored.next_offset, end))
    return found


def hash_of(number: int) -> int:
    return xxhash.xxh3_64_intdigest(f"p-{number}".encode())


def smallest(found: list[Candidate]) -> dict[int, list[int]]:
    """The offsets of the candidates of each pane."""
    panes: dict[int, list[Candidate]] = {}
    for one in found:
        panes.setdefault(one.start_ms, []).append(one)
    return {
        start: sorted(one.offset for one in sorted(rows, key=lambda one: one.priority)[:SIZE])
        for start, rows in panes.items()
    }


def test_a_candidate_is_the_row_as_it_was_sent() -> None:
    (one,) = left([prediction(7, 3.5, features={"amount": 3, "country": "FR", "weight": 0.25})])
    assert one == Candidate(
        "churn", "7", T, T + 3_500, 0, hash_of(7), "p-7",
        {"amount": 3.0, "weight": 0.25, "country": "FR"}, {"label": "yes", "score": 0.9},
    )  # fmt: skip


def test_missing_cells_and_texts_among_numbers_are_told_apart() -> None:
    features = {"amount": None, "weight": "heavy"}
    (one,) = left([prediction(1, features=features, prediction={"label": "no"})])
    assert one.features == {"amount": None, "weight": "heavy"}
    assert one.answer == {"label": "no"}


def test_features_that_the_reference_does_not_know_are_not_kept() -> None:
    features = {"amount": 1.0, "customer_id": "c-17", "size": 4.0, "mixed": "text"}
    found = left([prediction(1, features=features), prediction(2, features={"amount": 2.0, "mixed": 5})])
    assert [one.features for one in found] == [{"amount": 1.0}, {"amount": 2.0}]
    (alone,) = left([prediction(1, features=features)], configured(grid=Grid()))
    assert (alone.features, alone.answer) == ({}, {"label": "yes", "score": 0.9})


def test_of_a_row_with_too_much_no_feature_is_kept_and_it_says_so() -> None:
    names = [f"{i:03}{'ö' * 150}" for i in range(200)]
    grid = Grid(texts=tuple(category_grid(Column(Role.FEATURE, name), {"x": 1}) for name in names))
    wide, narrow = dict.fromkeys(names, "y" * 50), dict.fromkeys(names[:150], "y" * 50)
    rows = [prediction(1, features=wide), prediction(2, features=narrow)]
    large, small = left(rows, configured(grid=grid))
    assert (large.features, large.features_left_out) == ({}, True)
    assert (small.features, small.features_left_out) == (narrow, False)
    assert large.answer == small.answer == {"label": "yes", "score": 0.9}


@pytest.mark.parametrize(("sent", "kept"), [({"value": 3.25}, {"value": 3.25}), (0.75, {"value": 0.75})])
def test_an_answer_may_be_a_number(sent: object, kept: dict[str, float]) -> None:
    grid = Grid((number_grid(PREDICTION, SPREAD),))
    (one,) = left([prediction(1, prediction=sent)], configured(grid=grid))
    assert one.answer == kept


def test_a_monitor_that_does_not_ask_keeps_no_id() -> None:
    assert left([prediction(i) for i in range(10)], configured(FeedbackPolicy())) == []


def test_what_no_one_could_label_keeps_its_place_and_nothing_else() -> None:
    events = [
        prediction(0, id="x" * (LONGEST_ID + 1)),
        prediction(1, type="features", prediction=None),
        prediction(2, id="nul\0"),
    ]
    found = left([{name: v for name, v in event.items() if v is not None} for event in events])
    assert [(one.inference_id, one.features, one.answer) for one in found] == [("", {}, {})] * 3
    assert left([prediction(0, id=None), {**prediction(1), "type": "label", "label": "yes"}]) == []


def test_the_smallest_of_each_pane_are_kept_however_the_log_is_cut_and_whatever_crashes() -> None:
    chance = random.Random(3)
    events = [prediction(i, chance.uniform(0, 19)) for i in range(600)]
    hashes = [hash_of(i) for i in range(600)]
    wanted: dict[int, list[int]] = {}
    for start in (T, T + PANE_MS):
        mine = [i for i, event in enumerate(events) if start <= event["ts"] < start + PANE_MS]
        wanted[start] = sorted(sorted(mine, key=hashes.__getitem__)[:SIZE])
    for _ in range(20):
        commits, restarts, cuts = (
            set(chance.sample(range(1, 600), count)) for count in (chance.randrange(12), 4, 9)
        )
        found = left(events, commits=commits, restarts=restarts, cuts=cuts)
        assert smallest(found) == wanted
        assert len({one.offset for one in found}) == len(found), "no row is written twice"


def test_what_is_written_grows_as_the_logarithm_of_the_traffic() -> None:
    events = [prediction(i, i / 1_000) for i in range(4_000)]
    found = left(events, commits=set(range(100, 4_000, 100)))
    assert SIZE <= len(found) < 2 * SIZE * np.log(4_000 / SIZE)


def test_no_more_than_the_smallest_of_a_pane_wait_for_a_checkpoint() -> None:
    pipeline = opened(configured(), Stored())
    for start in range(0, 2_000, 100):
        pipeline.take(records([prediction(start + i) for i in range(100)], T + 10**6, first=start))
    assert len(pipeline.panes.asked) == SIZE


def test_repeats_and_late_rows_are_no_candidates() -> None:
    events = [prediction(1), prediction(1), prediction(2, 60), prediction(3)]
    assert [one.inference_id for one in left(events)] == ["p-1", "p-2"]


def test_panes_that_no_row_can_reach_are_forgotten_and_many_candidates_do_not_wait() -> None:
    pipeline = opened(configured(), Stored())
    panes = MOST_CANDIDATES // SIZE + 1
    busy = [prediction(i, (i // SIZE) * PANE_MS / 1_000) for i in range(panes * SIZE)]
    pipeline.take(records(busy[: SIZE * 3], T + 10**8))
    assert not pipeline.is_heavy
    pipeline.take(records(busy, T + 10**8))
    assert pipeline.is_heavy
    pipeline.committed()
    assert not pipeline.is_heavy
    open_panes = {start for _, start in pipeline.panes.asked._known}
    assert open_panes
    assert min(open_panes) > T + (panes - 5) * PANE_MS


def test_versions_are_those_of_the_rows() -> None:
    found = left([prediction(1, version="8"), prediction(2, version=None)])
    assert [one.version for one in found] == ["8", ""]
    assert [one.priority for one in found] == [hash_of(i) for i in (1, 2)]
